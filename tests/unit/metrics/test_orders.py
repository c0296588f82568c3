"""Orders and tickets: missing, misordered and excessive events."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest

from schemas.codec import parse
from schemas.rejection import Reason, RejectedEvent
from stream.counters.calendar import Calendar
from stream.counters.measures import UNMATCHED_EVENTS, Grain
from stream.counters.segments import SegmentRegistry
from stream.history import purchases, spending, ticket_course
from stream.history.aggregates.aggregate import Aggregate
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry
from stream.history.learning import learn
from stream.metrics.themes import orders, tickets
from stream.settings.application import Settings

DAY_MS = 86_400_000
NOON_MS = 1_711_972_800_000
Event = dict[str, Any]


def order(day: int, order_id: str, revenue: float) -> Event:
    return {"type": "order", "day": day, "order_id": order_id, "revenue": revenue}


def refund(day: int, order_id: str, revenue: float) -> Event:
    return order(day, order_id, revenue) | {"type": "refund"}


def ticket(day: int, what: str, **fields: Any) -> Event:
    return {"type": f"ticket_{what}", "day": day, "ticket_id": "t", **fields}


def totals(aggregate: Aggregate, events: Sequence[Event]) -> dict[str, int]:
    """Return the sum of each measure over all days, of the whole site."""
    registry = SegmentRegistry((), 10, lambda site: Calendar())
    segment_set, history = registry.segment_set_of("default", {}), list[HistoryEntry]()
    for event in sorted(events, key=lambda event: int(event["day"])):
        given = {name: value for name, value in event.items() if name != "day"}
        time_ms = NOON_MS + event["day"] * DAY_MS
        named = {"event_id": repr(event), "event_time": time_ms, "user_id": "u"}
        kept = aggregate.entry(parse(msgspec.json.encode(given | named))[0])
        if kept is not None:
            history.append((time_ms, segment_set.id, *kept))
    found: dict[str, int] = {}
    for (measure, _, grain, _), count in aggregate.contributions(history, registry).items():
        if grain is Grain.DAY:
            found[measure] = found.get(measure, 0) + count
    return {measure: count for measure, count in found.items() if count}


@pytest.mark.parametrize("kind", ["order", "refund", "add_to_cart"])
def test_money_below_zero_is_refused(kind: str) -> None:
    event = {"type": kind, "event_id": "e", "event_time": NOON_MS, "user_id": "u"}
    with pytest.raises(RejectedEvent) as refused:
        parse(msgspec.json.encode(event | {"order_id": "o", "revenue": -1}))
    assert refused.value.reason is Reason.WRONG_FIELD


def test_a_refund_of_an_unknown_order_counts_nowhere() -> None:
    assert totals(orders.Orders(), [refund(0, "o", 5)]) == {UNMATCHED_EVENTS: 1}


def test_a_late_order_takes_back_that_its_refund_is_unmatched() -> None:
    registry = SegmentRegistry((), 10, lambda site: Calendar())
    segment_set = registry.segment_set_of("default", {}).id
    known = [
        (NOON_MS, segment_set, "r", b"o", 5, b"1"),
        (NOON_MS + 1, segment_set, "r", b"o", 6, b"2"),
    ]
    counts, new = Contributions(), (NOON_MS - 1, segment_set, "o", b"o", 7)
    learn(known, new, 0, orders.Orders(), registry, counts)
    at_all = {m: n for (m, _, grain, _), n in counts.expanded().items() if grain is Grain.ALL}
    assert at_all[UNMATCHED_EVENTS] == -2
    assert at_all[purchases.REFUNDED_MICROS] == 7


def test_a_refund_larger_than_its_order_only_cancels_the_order() -> None:
    found = totals(orders.Orders(), [order(0, "o", 5), order(0, "p", 7), refund(1, "o", 9)])
    assert found[purchases.REFUNDED_MICROS] == 5_000_000
    assert found[purchases.REVENUE_MICROS] == 7_000_000


def test_a_refund_from_before_its_order_counts_with_it() -> None:
    found = totals(orders.Orders(), [refund(0, "o", 2), order(1, "o", 5)])
    assert found[purchases.REVENUE_MICROS] == 3_000_000


def test_the_first_order_of_an_id_counts_for_any_order_of_arrival() -> None:
    for events in permutations([order(0, "o", 5), order(1, "o", 9), order(2, "p", 1)]):
        found = totals(orders.Orders(), events)
        assert (found[purchases.ORDERS], found[purchases.REVENUE_MICROS]) == (2, 6_000_000)
        assert found[orders.NEW_BUYERS] == 1


def test_a_purchase_leaves_the_year_completely() -> None:
    found = totals(orders.Orders(), [order(0, "o", 5), order(9, "p", 7), refund(500, "o", 5)])
    assert spending.BUYERS_365D not in found
    assert spending.REVENUE_365D_MICROS not in found
    assert not any(measure.startswith(spending.SPENT_365D) for measure in found)


def test_a_ticket_without_an_opening_counts_nowhere() -> None:
    aggregate = tickets.Tickets(Settings())
    answer = ticket(1, "message", direction="outgoing", author="agent")
    assert totals(aggregate, [answer, ticket(2, "resolved"), ticket(3, "reopened")]) == {}


def test_events_before_the_opening_count_nowhere() -> None:
    found = totals(tickets.Tickets(Settings()), [ticket(0, "resolved"), ticket(1, "opened")])
    assert found == {ticket_course.OPENED: 1}  # It waits for a year, and then no more.


def test_resolving_twice_is_resolving_once() -> None:
    events = [ticket(0, "opened"), ticket(1, "resolved"), ticket(2, "resolved")]
    found = totals(tickets.Tickets(Settings()), events)
    assert found[ticket_course.RESOLVED] == found[ticket_course.RESOLVED_NET] == 1


def test_a_bot_does_not_answer() -> None:
    bot = ticket(1, "message", direction="outgoing", author="bot")
    found = totals(tickets.Tickets(Settings()), [ticket(0, "opened"), bot])
    assert ticket_course.RESPONSES not in found
