"""Carts: which became orders, which were left, and which of these were recovered."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from stream.counters import measures
from stream.counters.calendar import DAY_MS, HOUR_MS
from stream.counters.segments import SegmentRegistry
from stream.history.events import Contributions, HistoryEntry, at
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Sum, Term, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

CARTS_ORDERED = "carts_ordered"
CARTS_ABANDONED = "carts_abandoned"
CARTS_RECOVERED = "carts_recovered"
_CART = ("cart.basis", "cart.start_event", "cart.timeout_hours", *PERSON)
COUNTED_BY: CountedBy = {
    CARTS_ORDERED: _CART,
    CARTS_ABANDONED: _CART,
    CARTS_RECOVERED: ("cart.recovery_days", *_CART),
}
#: What is kept of the type of an event; at one instant they sort in this order.
_ADDED, _REMOVED, _CHECKOUT, _ORDERED = range(4)
_KIND = {
    "add_to_cart": _ADDED, "remove_from_cart": _REMOVED,
    "checkout_started": _CHECKOUT, "order": _ORDERED,
}  # fmt: skip

Outcome = Literal["ordered", "abandoned", "recovered"]
_MEASURE: dict[Outcome, str] = {
    "ordered": CARTS_ORDERED, "abandoned": CARTS_ABANDONED, "recovered": CARTS_RECOVERED,
}  # fmt: skip


class Change(NamedTuple):
    """Something that happens to the carts of a person; an order may not say of which."""

    time_ms: int
    kind: int
    cart: str | None
    segment_set_id: int


class _Cart:
    """A cart while it is open, and once abandoned while it may be recovered."""

    __slots__ = ("changed_ms", "holds", "segment_set_id")

    def __init__(self) -> None:
        self.holds = 0
        self.changed_ms = 0
        self.segment_set_id = 0


class CartRules(NamedTuple):
    """What opens a cart, and how long it and its recovery may take."""

    opens: int
    timeout_ms: int
    recovery_ms: int


class Carts:
    """What became of each of a person's carts: by cart_id, else of the one that is open.

    A cart that is emptied is neither ordered nor abandoned. An order takes the cart that it names,
    or, if it names none that there is, the cart changed last; an order without any cart, and what is
    removed from a cart that is not open, counts nowhere. An order at the last instant is in time.
    """

    name = "cart"
    types: Collection[str] = tuple(_KIND)

    def __init__(self, settings: Settings) -> None:
        cart = settings.cart
        self._one_cart = cart.basis == "user"
        self._rules = CartRules(
            _KIND[cart.start_event], cart.timeout_hours * HOUR_MS, cart.recovery_days * DAY_MS
        )
        #: Long enough for a cart that is changed for a month before it is left.
        self.keep_days = cart.timeout_hours // 24 + cart.recovery_days + 31

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Its kind and its cart."""
        return _KIND[event.__struct_config__.tag], None if self._one_cart else event.cart_id

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Each outcome at its instant, which for an abandoned cart may be to come."""
        changes = [
            Change(time, kind, cart, segment_set) for time, segment_set, kind, cart in history
        ]
        counts: Contributions = Contributions()
        for outcome, time_ms, segment_set_id in outcomes(changes, self._rules):
            for segment in registry.by_id(segment_set_id).segments:
                at(counts, _MEASURE[outcome], segment, time_ms)
        return counts


def outcomes(changes: Sequence[Change], rules: CartRules) -> Iterator[tuple[Outcome, int, int]]:
    """(what became of a cart, when, profile of its last change), of changes sorted by time and kind."""
    carts: dict[str, _Cart] = {}
    left: dict[str, _Cart] = {}
    for change in changes:
        for name, cart in [*carts.items()]:
            if change.time_ms > cart.changed_ms + rules.timeout_ms:
                yield "abandoned", cart.changed_ms + rules.timeout_ms, cart.segment_set_id
                left[name] = carts.pop(name)
        if change.kind == _ORDERED:
            yield from _ordered(change, carts, left, rules)
        else:
            _changed(change, carts, left, rules)
    for cart in carts.values():
        yield "abandoned", cart.changed_ms + rules.timeout_ms, cart.segment_set_id


def _changed(
    change: Change, carts: dict[str, _Cart], left: dict[str, _Cart], rules: CartRules
) -> None:
    name = change.cart or ""
    cart = carts.get(name)
    if cart is None:
        if change.kind != rules.opens:
            return
        # Who fills a cart again has another one: the one that was left stays so.
        left.pop(name, None)
        cart = carts[name] = _Cart()
    cart.changed_ms, cart.segment_set_id = change.time_ms, change.segment_set_id
    cart.holds += (change.kind == _ADDED) - (change.kind == _REMOVED)
    if change.kind == _REMOVED and cart.holds <= 0:
        del carts[name]


def _ordered(
    change: Change, carts: dict[str, _Cart], left: dict[str, _Cart], rules: CartRules
) -> Iterator[tuple[Outcome, int, int]]:
    for outcome, known in (("ordered", carts), ("recovered", left)):
        if change.cart in known and change.cart is not None:
            yield from _taken(outcome, change, change.cart, known, rules)
            return
    for outcome, known in (("ordered", carts), ("recovered", left)):
        if known:
            newest = max(known, key=lambda name: (known[name].changed_ms, name))
            yield from _taken(outcome, change, newest, known, rules)
            return


def _taken(
    outcome: str, change: Change, name: str, known: dict[str, _Cart], rules: CartRules
) -> Iterator[tuple[Outcome, int, int]]:
    cart = known.pop(name)
    if outcome == "ordered":
        yield "ordered", change.time_ms, cart.segment_set_id
    elif change.time_ms <= cart.changed_ms + rules.timeout_ms + rules.recovery_ms:
        yield "recovered", change.time_ms, cart.segment_set_id


def aggregates(settings: Settings) -> tuple[Carts, ...]:
    """The carts of people; none where visits are what is counted."""
    return () if settings.cart.basis == "session" else (Carts(settings),)


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Abandonment on the basis that the settings choose, and recovery."""
    cart = settings.cart
    left: Term = Total(CARTS_ABANDONED)
    resolved: Term = Sum(Total(CARTS_ORDERED), left)
    formula = (
        f"carts without an order {cart.timeout_hours} h after their last change ÷ carts resolved"
    )
    if cart.basis == "session":
        left, resolved = Total(measures.ABANDONED_SESSIONS), Total(measures.CARTED_SESSIONS)
        formula = "sessions with a cart and no order ÷ sessions with a cart"
    abandonment = Metric(
        name="cart_abandonment_rate",
        help="Share of the carts that were left, in the window in which that was settled.",
        unit="ratio",
        formula=formula,
        numerator=left,
        denominator=resolved,
        windows=("day", "all"),
        gauge="cart_abandonment_ratio",
        example=Example("7 of 10 carts", 7, 10, 0.70),
        chosen_by=("cart.basis",),
        totals=("carts_abandoned", "carts_resolved"),
    )
    if cart.basis == "session":
        return (abandonment,)
    recovered = Metric(
        name="recovered_carts",
        help="Carts that were counted as abandoned and ordered after all, when they were ordered.",
        unit="carts",
        formula="orders of a cart that had been abandoned",
        numerator=Total(CARTS_RECOVERED),
        windows=("day", "all"),
        gauge="recovered_carts",
        example=Example("an order 30 h after the last change", 1, None, 1),
    )
    return abandonment, recovered


THEME = Theme(
    title="Carts",
    text="Which carts became orders, which were left, and which of these were recovered.",
    metrics=metrics,
    aggregates=aggregates,
    counted_by=COUNTED_BY,
)
