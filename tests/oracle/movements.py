"""Movements of recurring revenue: compare each customer at the end of each day.

Shares no code with the engine.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.oracle.customers import (
    Period,
    Stay,
    beginning,
    is_customer,
    is_lost,
    lives,
    micros_at_end_of,
    paid_periods,
    stays,
)
from tests.oracle.money import person_of, segments_of
from tests.oracle.terms import Answer, Answers, EventDict, Key, Segment
from tests.oracle.time import Wall, Window

INVOLUNTARY = {"payment_failed", "unpaid"}
_MONEY = 1_000_000
_MOVES = ("new", "expansion", "contraction", "churn", "reactivation")


class Customer(NamedTuple):
    """Payments of a person and their periods, in one segment."""

    periods: list[Period]
    stays: list[Stay]
    #: Days on which a stay ended for an involuntary reason.
    involuntary: set[int]

    def moves(self, day: int, wall: Wall) -> tuple[str, int]:
        """Return (kind, amount) of the change in the customer's monthly revenue on a day."""
        before, after = (micros_at_end_of(self.periods, d, wall) for d in (day - 1, day))
        change = after - before
        ordered = sorted(stay.start for stay in self.stays)
        if any(stay.end == day for stay in self.stays):
            return "churn", -change
        if day in ordered:
            return ("new" if day == ordered[0] else "reactivation"), change
        return ("expansion" if change > 0 else "contraction"), abs(change)


def customers(
    events: Sequence[EventDict], wall: Wall, dimensions: Sequence[str], free: bool
) -> dict[Segment, list[Customer]]:
    """Return the customers of each segment; `free`: whether who pays 0 is one."""
    subscriptions: dict[tuple[str, str], list[EventDict]] = {}
    for event in events:
        if event["type"].startswith("subscription_"):
            subscriptions.setdefault((person_of(event), event["subscription_id"]), []).append(event)
    of_segment: dict[tuple[Segment, str], list[list[EventDict]]] = {}
    for (person, _), own_events in subscriptions.items():
        for life in lives(own_events):
            first = beginning(life)
            for segment in [] if first is None else segments_of(first, dimensions):
                of_segment.setdefault((segment, person), []).append(life)
    found: dict[Segment, list[Customer]] = {}
    for (segment, _), subscriptions_of_person in of_segment.items():
        periods = [
            period
            for own_events in subscriptions_of_person
            for period in paid_periods(own_events, free=free)
        ]
        of_person = stays(periods, wall)
        involuntary = {
            stay.end
            for stay in of_person
            if _is_involuntary(stay, subscriptions_of_person, wall, free)
        }
        days = {day for day in involuntary if day is not None}
        found.setdefault(segment, []).append(Customer(periods, of_person, days))
    return found


def _is_involuntary(
    stay: Stay, subscriptions: Iterable[Sequence[EventDict]], wall: Wall, free: bool
) -> bool:
    """Return whether the last subscription to end on a stay's last day ended involuntarily."""
    causes: list[tuple[int, int, EventDict]] = []
    for own_events in subscriptions:
        periods = paid_periods(own_events, free=free)
        ends = {p.end_ms for p in periods} - {p.start_ms for p in periods}
        for event in own_events:
            # A start or a change ends payment too: with a trial, or with a plan that is free.
            at_ms = max(event.get("effective_at", 0), event["ms"])
            if at_ms in ends and wall.day(at_ms) == stay.end:
                causes.append((at_ms, event["ms"], event))
    return bool(causes) and max(causes, key=lambda c: c[:2])[2].get("reason") in INVOLUNTARY


def movements(
    events: Sequence[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    days: Sequence[int],
    far_days: Sequence[int],
    months: int = 60,
    *,
    free: bool = True,
) -> Answers:
    """Movements on `far_days`, rates in the windows of `days`.

    A customer is expected to stay for at most `months`. `free`: whether who pays 0 is a customer.
    """
    found: Answers = {}
    for segment, own_events in customers(events, wall, dimensions, free).items():
        totals: dict[tuple[str, Window], int] = {}
        for day in far_days:
            for customer in own_events:
                _add_day(totals, customer, day, wall)
        for (name, window), amount in totals.items():
            scale = 1 if name == "churned_customers_involuntary" else _MONEY
            found[Key(name, segment, window)] = Answer(amount / scale if scale > 1 else amount)
        for day in days:
            for metric, window, answer in _rates(own_events, totals, day, wall, months):
                found[Key(metric, segment, window)] = answer
    return found


def _add_day(
    totals: dict[tuple[str, Window], int], customer: Customer, day: int, wall: Wall
) -> None:
    name, amount = customer.moves(day, wall)
    for kind in ("day", "month", "trailing_30d"):
        for window in wall.day_windows(kind, day):
            key = f"mrr_{name}", window
            totals[key] = totals.get(key, 0) + amount
            if day in customer.involuntary and kind != "month":
                key = "churned_customers_involuntary", window
                totals[key] = totals.get(key, 0) + 1


def _rates(
    own_events: Sequence[Customer],
    totals: dict[tuple[str, Window], int],
    day: int,
    wall: Wall,
    months: int,
) -> Iterator[tuple[str, Window, Answer]]:
    for kind in ("day", "trailing_30d", "month"):
        window = wall.day_windows(kind, day)[0]
        first, last = wall.day(window.start_ms or 0), wall.day((window.end_ms or 0) - 1)
        all_stays = [stay for customer in own_events for stay in customer.stays]
        now = sum(is_customer(stay, last) for stay in all_stays)
        pays = sum(micros_at_end_of(c.periods, last, wall) for c in own_events)
        if kind != "trailing_30d":
            yield "average_revenue_per_account", window, Answer(pays / _MONEY, now)
        if kind == "day":
            continue
        start = sum(is_customer(stay, first - 1) for stay in all_stays)
        lost = [(c, s) for c in own_events for s in c.stays if is_lost(s, first, last)]
        involuntary = sum(stay.end in customer.involuntary for customer, stay in lost)
        yield "involuntary_churn_rate", window, Answer(involuntary, start)
        yield "voluntary_churn_rate", window, Answer(len(lost) - involuntary, start)
        churn = len(lost) / start if start and now else 0
        churn = max(churn, 1 / months) if churn else 0
        arpa = pays / now / _MONEY if now else 0
        yield "customer_lifetime_value_recurring", window, Answer(arpa, churn)
        paid = sum(micros_at_end_of(c.periods, first - 1, wall) for c in own_events) / _MONEY
        moved = {name: totals.get((f"mrr_{name}", window), 0) for name in _MOVES}
        gone = (moved["churn"] + moved["contraction"]) / _MONEY
        back = (moved["expansion"] + moved["reactivation"]) / _MONEY
        yield "gross_mrr_churn", window, Answer(gone, paid)
        yield "net_mrr_churn", window, Answer(gone - back, paid)
