"""Customers: the contributions of subscription events, for any order of arrival."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions, Expanded
from stream.history.customer import Customer, contributions
from stream.history.customer_days import CHURN_DAYS
from stream.history.subscriptions import (
    CANCELLED_AT_ONCE,
    EDITION,
    FREE,
    KNOWN_MS,
    Subscription,
    SubscriptionEvent,
    in_order,
)

HOUR = 3_600_000
DAY = 24 * HOUR
FIRST = date(2024, 4, 1).toordinal()
NAMES = SegmentRegistry(("country",), 10, lambda site: Calendar())
SEGMENT_SET = NAMES.segment_set_of("default", {})
[SITE] = SEGMENT_SET.segments


def event_at(
    hours: float, kind: str, mrr: int | None = None, sub: str = "s", **fields: Any
) -> SubscriptionEvent:
    """Return an event `hours` after midnight of the first day; `ends` counts likewise."""
    midnight = Calendar().day_start_ms(FIRST)
    ends = fields.pop("ends", None)
    effective = None if ends is None else midnight + round(ends * HOUR)
    given = {"segment_set_id": SEGMENT_SET.id, "edition": EDITION, "trial": None} | fields
    return SubscriptionEvent(
        midnight + round(hours * HOUR), kind, sub, mrr, effective_ms=effective, **given
    )


def paid_of(*events: SubscriptionEvent) -> list[tuple[float, int | None]]:
    """Return (hours, MRR from then on)."""
    midnight = Calendar().day_start_ms(FIRST)
    found = set()
    for order in (events, events[::-1]):
        course = Subscription()
        for event in order:
            course.add(event, in_order(event))
        found.add(tuple(course.steps()))
    [steps] = found
    return [((step.time_ms - midnight) / HOUR, step.mrr_micros) for step in steps]


def days_of(*events: SubscriptionEvent) -> list[tuple[int, int | None]]:
    """Return the days as a customer, counted from the first day."""
    customer = Customer(NAMES)
    for event in events:
        customer.add(event, Contributions())
    return [
        (stay.start - FIRST, None if stay.end is None else stay.end - FIRST)
        for stay in customer.days(SITE).stays()
    ]


def counted(counts: Expanded, measure: str) -> dict[int, int]:
    return {
        day - FIRST: n
        for (name, _, grain, day), n in counts.items()
        if name == measure and n and grain is Grain.DAY
    }


def unmatched(*events: SubscriptionEvent) -> int:
    return contributions(events, NAMES)[measures.UNMATCHED_EVENTS, SITE, Grain.ALL, 0]


def test_a_subscription_pays_from_its_start_to_its_end() -> None:
    assert paid_of(event_at(1, "started", 20), event_at(5, "ended")) == [(1, 20), (5, None)]


TRIAL = event_at(1, "started", 20, trial=True)


def test_a_trial_pays_from_its_first_renewal_on() -> None:
    assert paid_of(TRIAL) == []
    assert paid_of(TRIAL, event_at(9, "renewed")) == [(9, 20)]
    assert paid_of(TRIAL, event_at(9, "renewed", 25)) == [(9, 25)]


def test_a_change_within_a_trial_keeps_it_unless_it_says_that_it_is_over() -> None:
    silent, trial = event_at(9, "changed", 30), event_at(9, "changed", 30, trial=True)
    for change in (silent, trial):
        assert paid_of(TRIAL, change) == []
        assert paid_of(TRIAL, change, event_at(20, "renewed")) == [(20, 30)]
    assert paid_of(TRIAL, event_at(9, "changed", 30, trial=False)) == [(9, 30)]


def test_a_change_that_says_so_begins_a_trial() -> None:
    begun = event_at(1, "started", 20), event_at(5, "changed", 30, trial=True)
    assert paid_of(*begun) == [(1, 20), (5, None)]
    assert paid_of(*begun, event_at(9, "renewed")) == [(1, 20), (5, None), (9, 30)]


def test_a_trial_that_ends_never_was_a_customer() -> None:
    assert days_of(event_at(1, "started", 20, trial=True), event_at(40, "ended")) == []


def test_a_cancellation_takes_effect_at_its_effective_time() -> None:
    assert paid_of(event_at(1, "started", 20), event_at(5, "cancelled", ends=50)) == [
        (1, 20),
        (50, None),
    ]
    assert paid_of(event_at(1, "started", 20), event_at(5, "cancelled")) == [(1, 20), (5, None)]


def test_a_cancellation_for_the_past_takes_effect_at_once() -> None:
    assert paid_of(event_at(1, "started", 20), event_at(5, "cancelled", ends=2)) == [
        (1, 20),
        (5, None),
    ]


def test_a_renewal_reverses_a_pending_cancellation() -> None:
    assert paid_of(
        event_at(1, "started", 20), event_at(5, "cancelled", ends=50), event_at(6, "renewed")
    ) == [(1, 20)]


def test_a_cancellation_at_once_ends_payment_until_a_renewal_reverses_it() -> None:
    started, left = event_at(1, "started", 20), event_at(5, CANCELLED_AT_ONCE, ends=50)
    assert paid_of(started, left) == [(1, 20), (5, None)]
    assert paid_of(started, left, event_at(6, "renewed")) == [(1, 20), (5, None), (6, 20)]
    assert paid_of(started, left, event_at(60, "renewed")) == [(1, 20), (5, None), (60, 20)]
    changed = event_at(6, "changed", 30), event_at(7, "renewed")
    assert paid_of(started, left, *changed) == [(1, 20), (5, None), (7, 30)]


@pytest.mark.parametrize("hours", [50, 60])
def test_a_renewal_at_or_after_the_end_makes_a_customer_again(hours: float) -> None:
    events = (
        event_at(1, "started", 20), event_at(5, "cancelled", ends=50), event_at(hours, "renewed"),
    )  # fmt: skip
    assert paid_of(*events) == [(1, 20), (50, None), (hours, 20)]
    # A change after the end is no payment, but it is the price last known.
    changed = *events[:2], event_at(55, "changed", 30), event_at(60, "renewed")
    assert paid_of(*changed) == [(1, 20), (50, None), (60, 30)]


def test_a_customer_who_left_does_not_come_back_with_a_second_cancellation() -> None:
    left = event_at(1, "started", 20), event_at(5, CANCELLED_AT_ONCE, ends=50)
    assert paid_of(*left, event_at(6, "cancelled", ends=80)) == [(1, 20), (5, None)]


def test_a_renewal_long_after_the_end_does_not_know_its_price() -> None:
    known = 2 + KNOWN_MS / HOUR
    over = event_at(1, "started", 20), event_at(2, "ended")
    assert paid_of(*over, event_at(known, "renewed"))[2:] == [(known, 20)]
    assert paid_of(*over, event_at(known + 1, "renewed"))[2:] == []
    assert unmatched(*over, event_at(known + 1, "renewed")) == 1
    assert paid_of(*over, event_at(known + 1, "renewed", 7))[2:] == [(known + 1, 7)]


def test_a_change_while_a_cancellation_is_pending_counts_until_it_ends() -> None:
    events = (
        event_at(1, "started", 20),
        event_at(5, "cancelled", ends=50),
        event_at(6, "changed", 30),
    )
    assert paid_of(*events) == [(1, 20), (6, 30), (50, None)]


def test_at_one_instant_the_end_comes_before_the_new_start() -> None:
    assert paid_of(event_at(1, "started", 20), event_at(5, "ended"), event_at(5, "started", 30))[
        -1
    ] == (5, 30)


def test_at_one_instant_a_start_comes_before_its_changes() -> None:
    assert paid_of(event_at(1, "started", 20), event_at(1, "changed", 30)) == [(1, 20), (1, 30)]
    assert paid_of(TRIAL, event_at(1, "renewed")) == [(1, 20)]


def test_an_end_and_a_start_on_one_day_are_a_change_of_plan() -> None:
    same_day = (
        event_at(1, "started", 20),
        event_at(49, "ended"),
        event_at(60, "started", 30, sub="t"),
    )
    assert days_of(*same_day) == [(0, None)]
    next_day = (
        event_at(1, "started", 20),
        event_at(49, "ended"),
        event_at(73, "started", 30, sub="t"),
    )
    assert days_of(*next_day) == [(0, 2), (3, None)]


def test_a_customer_with_two_subscriptions_leaves_with_the_last() -> None:
    two = event_at(1, "started", 20), event_at(2, "started", 20, sub="t"), event_at(30, "ended")
    assert days_of(*two) == [(0, None)]
    assert days_of(*two, event_at(99, "ended", sub="t")) == [(0, 4)]


def test_a_change_or_a_renewal_with_a_price_begins_a_subscription() -> None:
    assert days_of(event_at(1, "changed", 20), event_at(30, "ended")) == [(0, 1)]
    assert days_of(event_at(1, "renewed", 20), event_at(30, "ended")) == [(0, 1)]
    assert paid_of(event_at(1, "changed", 20, trial=True), event_at(9, "renewed")) == [(9, 20)]
    # A start that comes late corrects it.
    begun = event_at(1, "changed", 20), event_at(30, "ended")
    assert days_of(*begun, event_at(-30, "started", 5)) == [(-2, 1)]


@pytest.mark.parametrize("kind", ["ended", "cancelled", CANCELLED_AT_ONCE, "renewed"])
def test_an_end_of_what_was_never_seen_is_unmatched_until_a_start_comes_late(kind: str) -> None:
    assert contributions([event_at(9, kind)], NAMES) == {
        (measures.UNMATCHED_EVENTS, SITE, Grain.ALL, 0): 1
    }
    assert unmatched(event_at(9, kind), event_at(11, kind), event_at(10, "started", 2)) == 1
    assert unmatched(event_at(9, kind), event_at(8, "started", 2)) == 0
    assert unmatched(event_at(9, kind), event_at(8, "started", 2, sub="other")) == 1


def test_events_stored_before_there_were_editions_keep_their_effect() -> None:
    def old(*events: SubscriptionEvent) -> list[SubscriptionEvent]:
        return [event._replace(edition=0, mrr_micros=event.mrr_micros or 0) for event in events]

    over = event_at(1, "started", 20), event_at(5, "ended")
    assert paid_of(*old(*over, event_at(9, "renewed"))) == [(1, 20), (5, None)]
    assert contributions(old(event_at(1, "changed", 20), event_at(5, "ended")), NAMES) == {}
    trial = old(TRIAL, event_at(9, "changed", 30, trial=False))
    assert paid_of(*trial) == [(9, 30)]
    # A new event is read the new way.
    assert paid_of(*old(*over), event_at(9, "renewed"))[2:] == [(9, 20)]


def test_a_day_that_ends_as_it_began_makes_no_customer() -> None:
    hours = event_at(1, "started", 20), event_at(2, "ended")
    assert days_of(*hours) == []
    assert contributions(hours, NAMES) == {}
    later = event_at(99, "started", 20, sub="t")
    assert days_of(*hours, later) == [(4, None)]
    assert moved(*hours, later) == {"new": {4: 20}}


def test_a_free_plan_may_be_none_that_counts() -> None:
    free = event_at(1, "started", FREE), event_at(30, "changed", 20), event_at(99, "changed", FREE)
    assert paid_of(*free) == [(30, 20), (99, None)]
    assert moved(*free, event_at(200, "changed", 5)) == {
        "new": {1: 20}, "churn": {4: 20}, "reactivation": {8: 5},
    }  # fmt: skip


def test_a_leaving_customer_is_lost_from_windows_that_began_with_them() -> None:
    long = contributions([event_at(1, "started", 20), event_at(24 * 40, "ended")], NAMES)
    lost = counted(long, measures.LOST_30D)
    assert (min(lost), max(lost)) == (40, 40 + CHURN_DAYS - 1)
    short = contributions([event_at(1, "started", 20), event_at(24 * 3, "ended")], NAMES)
    assert list(counted(short, measures.LOST_30D)) == [CHURN_DAYS, CHURN_DAYS + 1, CHURN_DAYS + 2]


def test_a_customer_who_came_in_the_month_is_not_lost_from_it() -> None:
    same = contributions([event_at(1, "started", 20), event_at(24 * 3, "ended")], NAMES)
    assert counted(same, measures.LOST_MONTH) == {}
    other = contributions([event_at(-1, "started", 20), event_at(24 * 3, "ended")], NAMES)
    assert counted(other, measures.LOST_MONTH) == {0: 1}


EVENTS = [
    event_at(1, "started", 20, trial=True), event_at(2, "changed", 30, trial=False), event_at(50, "cancelled", ends=99),
    event_at(60, "started", 5, sub="t"), event_at(200, "ended", sub="t"),
]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(len(EVENTS))))[::7])
def test_the_order_of_arrival_changes_nothing(order: tuple[int, ...]) -> None:
    assert contributions([EVENTS[n] for n in order], NAMES) == contributions(EVENTS, NAMES)


def test_two_starts_at_one_instant_count_in_the_same_segment_in_either_order() -> None:
    german, french = (
        NAMES.segment_set_of("default", {"country": country}).id for country in ("DE", "FR")
    )
    starts = [
        event_at(1, "started", 20, segment_set_id=german),
        event_at(1, "started", 20, segment_set_id=french),
    ]
    assert contributions(starts, NAMES) == contributions(starts[::-1], NAMES)


def test_contributions_sum_to_the_change_of_level() -> None:
    counts = contributions(EVENTS, NAMES)
    assert sum(counted(counts, measures.CUSTOMERS_CHANGE).values()) == 0
    assert sum(counted(counts, measures.MRR_CHANGE_MICROS).values()) == 0
    assert counted(counts, measures.MRR_CHANGE_MICROS) == {0: 30, 2: 5, 4: -30, 8: -5}


def moved(*events: SubscriptionEvent) -> dict[str, dict[int, int]]:
    """Return each measure of movements by day."""
    counts = contributions(events, NAMES)
    registry = {
        "new": measures.MRR_NEW_MICROS, "expansion": measures.MRR_EXPANDED_MICROS,
        "contraction": measures.MRR_CONTRACTED_MICROS, "churn": measures.MRR_CHURNED_MICROS,
        "reactivation": measures.MRR_REACTIVATED_MICROS,
    }  # fmt: skip
    return {name: found for name, m in registry.items() if (found := counted(counts, m))}


def test_revenue_is_new_expands_contracts_churns_and_reactivates() -> None:
    events = (
        event_at(1, "started", 20), event_at(25, "changed", 30), event_at(49, "changed", 5), event_at(73, "ended"),
        event_at(99, "started", 7),
    )  # fmt: skip
    assert moved(*events) == {
        "new": {0: 20}, "expansion": {1: 10}, "contraction": {2: 25}, "churn": {3: 5},
        "reactivation": {4: 7},
    }  # fmt: skip


def test_a_change_of_plan_on_one_day_is_no_churn() -> None:
    events = event_at(1, "started", 20), event_at(49, "ended"), event_at(60, "started", 30, sub="t")
    assert moved(*events) == {"new": {0: 20}, "expansion": {2: 10}}


def test_giving_up_one_of_two_subscriptions_is_contraction() -> None:
    events = (
        event_at(1, "started", 20),
        event_at(2, "started", 5, sub="t"),
        event_at(49, "ended", sub="t"),
    )
    assert moved(*events) == {"new": {0: 25}, "contraction": {2: 5}}


def test_movements_add_up_to_the_change_of_level() -> None:
    counts = contributions(EVENTS, NAMES)
    level = sum(counted(counts, measures.MRR_CHANGE_MICROS).values())
    sums = {name: sum(days.values()) for name, days in moved(*EVENTS).items()}
    gained = sums.get("new", 0) + sums.get("expansion", 0) + sums.get("reactivation", 0)
    assert gained - sums.get("contraction", 0) - sums.get("churn", 0) == level


def test_the_last_subscription_to_end_gives_the_reason() -> None:
    two = event_at(1, "started", 20), event_at(2, "started", 5, sub="t")
    unpaid_first = *two, event_at(30, "ended", involuntary=True), event_at(40, "ended", sub="t")
    unpaid_last = *two, event_at(30, "ended"), event_at(40, "ended", sub="t", involuntary=True)
    assert counted(contributions(unpaid_first, NAMES), measures.INVOLUNTARY_ENDS) == {}
    assert counted(contributions(unpaid_last, NAMES), measures.INVOLUNTARY_ENDS) == {1: 1}


def test_a_cancellation_that_takes_effect_later_keeps_its_reason() -> None:
    events = event_at(1, "started", 20), event_at(5, "cancelled", ends=50, involuntary=True)
    assert counted(contributions(events, NAMES), measures.INVOLUNTARY_ENDS) == {2: 1}
    assert (
        counted(contributions([*events, event_at(6, "renewed")], NAMES), measures.INVOLUNTARY_ENDS)
        == {}
    )
