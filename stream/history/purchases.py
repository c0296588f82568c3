"""Orders and refunds: what is kept of them, and the measures that they add up to."""

from collections.abc import Iterable, Sequence
from typing import Any

from schemas.events.orders import Order, Refund
from stream.counters.measures import MICROS
from stream.history.events import HistoryEntry
from stream.sessions.session import sid_digest

ORDERS = "orders"
ORDERED_MICROS = "ordered_micros"
REFUNDED_MICROS = "refunded_micros"
REVENUE_MICROS = "revenue_micros"
BUYERS_DAY, BUYERS_28D, BUYERS_MONTH = "buyers_day", "buyers_28d", "buyers_month"
#: People who ordered for the first time.
NEW_BUYERS = "new_buyers"
#: People with an order so far, and revenue so far.
BUYERS_TO_DATE = "level_buyers"
REVENUE_TO_DATE_MICROS = "level_revenue_micros"
_ORDER, _REFUND = "o", "r"
#: Time and kind of the entry that holds the first of the orders that are forgotten.
FORGOTTEN_MS, _FORGOTTEN = -1, "f"


#: Time (epoch ms) and millionths of a refund as it counts.
Returned = tuple[int, int]


class Sale:
    """One order with its refunds, which together are at most the order."""

    __slots__ = ("left", "micros", "refunds", "segment_set_id", "time_ms")

    def __init__(self, time_ms: int, segment_set_id: int, micros: int) -> None:
        self.time_ms = time_ms
        self.segment_set_id = segment_set_id
        self.micros = self.left = micros
        self.refunds: list[Returned] = []

    def refund(self, time_ms: int, micros: int) -> None:
        """Add the refund that comes last. It takes at most what is left of the order."""
        amount = min(micros, self.left)
        self.left -= amount
        self.refunds.append((max(time_ms, self.time_ms), amount))

    def insert(
        self, refund: HistoryEntry, later: Sequence[HistoryEntry]
    ) -> tuple[list[Returned], list[Returned]]:
        """Add a refund before `later` ones; return those from its place on, as they were and as they are."""
        place = len(self.refunds) - len(later)
        before = self.refunds[place:]
        self.left += sum(amount for _, amount in before)
        del self.refunds[place:]
        for entry in (refund, *later):
            self.refund(entry[0], entry[4])
        return before, self.refunds[place:]

    def equals(self, other: "Sale | None") -> bool:
        """Return whether both count the same."""
        return (
            other is not None
            and (self.time_ms, self.micros) == (other.time_ms, other.micros)
            and self.segment_set_id == other.segment_set_id
            and self.refunds == other.refunds
        )


def entry_of(event: Any) -> Sequence[Any] | None:
    """Return what is kept of an event: its kind, the order and the amount."""
    if isinstance(event, Order):
        return _ORDER, sid_digest(event.order_id), round((event.revenue or 0) * MICROS)
    if isinstance(event, Refund):
        digest = sid_digest(event.order_id)
        return _REFUND, digest, round(event.revenue * MICROS), sid_digest(event.event_id)
    return None


def is_refund(entry: HistoryEntry) -> bool:
    """Return whether an entry is a refund."""
    return bool(entry[2] == _REFUND)


def is_forgotten(entry: HistoryEntry) -> bool:
    """Return whether an entry stands for orders that are forgotten."""
    return bool(entry[2] == _FORGOTTEN)


def sale_of(entries: Sequence[HistoryEntry]) -> Sale | None:
    """Return the order that entries of one order id, sorted by time, add up to; None: only refunds."""
    sale: Sale | None = None
    for entry in entries:
        if entry[2] == _ORDER:
            sale = Sale(entry[0], entry[1], entry[4])
            break
    if sale is not None and len(entries) > 1:
        for entry in entries:
            if is_refund(entry):
                sale.refund(entry[0], entry[4])
    return sale


def forgotten(history: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Return the entries that keep the first order of each segment set, in place of all entries of orders."""
    first: dict[int, int] = {}
    by_order: dict[bytes, list[HistoryEntry]] = {}
    for entry in history:
        if is_forgotten(entry):
            first[entry[1]] = entry[3]
        else:
            by_order.setdefault(entry[3], []).append(entry)
    for of_order in by_order.values():
        sale = sale_of(of_order)
        if sale is not None:
            known = first.get(sale.segment_set_id, sale.time_ms)
            first[sale.segment_set_id] = min(known, sale.time_ms)
    return [(FORGOTTEN_MS, number, _FORGOTTEN, time_ms) for number, time_ms in first.items()]
