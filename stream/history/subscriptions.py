"""Subscriptions: what the subscription events of one customer add to the day counters.

The counts are a pure function of the set of events. A new event counts the difference, so late and
reordered events give the same numbers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stream.counters import measures
from stream.counters.segments import Segment, SegmentRegistry

#: Length of the rolling churn window in days.
CHURN_DAYS = 30
#: A cancellation that ends payment at once although it takes effect later. A renewal before that
#: date undoes it. It sorts like a cancellation.
CANCELLED_AT_ONCE = "cancelled_at_once"


class SubscriptionEvent(NamedTuple):
    """One event of one subscription. Amounts are millionths of the currency a month."""

    time_ms: int
    #: started, changed, renewed, cancelled (or CANCELLED_AT_ONCE), ended
    kind: str
    subscription_id: str
    mrr_micros: int = 0
    trial: bool = False
    effective_ms: int | None = None
    segment_set_id: int = 0
    #: A cancellation or an end against the customer's will.
    involuntary: bool = False


class Step(NamedTuple):
    """From `time_ms` on the subscription pays `mrr_micros` a month; None: it is not paid."""

    time_ms: int
    mrr_micros: int | None
    #: It ended against the customer's will.
    involuntary: bool = False


#: (measure, segment, day) → count
Contributions = Counter[tuple[str, Segment, int]]


def contributions(events: Iterable[SubscriptionEvent], registry: SegmentRegistry) -> Contributions:
    """Return what one customer's events add to the day counters, by segment."""
    by_segment: dict[Segment, list[list[Step]]] = {}
    for subscription in _by_subscription(events):
        starts = (event for event in subscription if event.kind == "started")
        # Of two starts at one instant the segments decide: ids differ between shards.
        first = min(
            starts,
            key=lambda event: (_in_order(event), registry.by_id(event.segment_set_id).order),
            default=None,
        )
        if first is None:
            continue  # Its start may still arrive; until then it counts nowhere.
        steps = paid_steps(subscription)
        for segment in registry.by_id(first.segment_set_id).segments:
            by_segment.setdefault(segment, []).append(steps)
    counts: Contributions = Counter()
    for segment, all_steps in by_segment.items():
        _add_mrr(counts, segment, all_steps)
        stays = customer_days(all_steps, segment)
        for start, end in stays:
            _add_interval(counts, segment, start, end)
            if end is not None and _is_involuntary(all_steps, segment, end):
                _add_involuntary(counts, segment, start, end)
        if stays:
            counts[measures.FIRST_STARTS, segment, stays[0][0]] += 1
        _add_movements(counts, segment, all_steps, stays)
    return counts


def paid_steps(subscription: Sequence[SubscriptionEvent]) -> list[Step]:
    """Return the steps of one subscription's MRR. A trial pays from its first change or renewal on."""
    steps: list[Step] = []
    paid: int | None = None
    amount, live = 0, False
    pending: int | None = None
    unwanted, left = False, False
    for event in sorted(subscription, key=_in_order):
        if pending is not None and pending <= event.time_ms:
            paid, live = _step(steps, pending, paid, None, unwanted), False
            pending = None
        if event.kind == "started":
            live, left, pending, amount = True, False, None, event.mrr_micros
            paid = _step(steps, event.time_ms, paid, None if event.trial else amount)
        elif not live:
            continue  # The subscription has not started or is over: there is nothing to change.
        elif event.kind == "changed":
            amount = event.mrr_micros
            paid = _step(steps, event.time_ms, paid, None if left else amount)
        elif event.kind == "renewed":
            pending, left = None, False  # A renewal undoes a cancellation.
            paid = _step(steps, event.time_ms, paid, amount)
        else:
            ends = event.effective_ms if event.effective_ms is not None else event.time_ms
            unwanted = event.involuntary
            if event.kind != "ended" and ends > event.time_ms:
                pending, left = ends, event.kind == CANCELLED_AT_ONCE
                if left:
                    paid = _step(steps, event.time_ms, paid, None, unwanted)
            else:
                paid, live, pending = _step(steps, event.time_ms, paid, None, unwanted), False, None
    if pending is not None:
        _step(steps, pending, paid, None, unwanted)
    return steps


def pays_at(events: Iterable[SubscriptionEvent], time_ms: int) -> bool:
    """Return whether the events up to an instant in epoch ms leave a paid subscription."""
    for subscription in _by_subscription(event for event in events if event.time_ms <= time_ms):
        steps = [step for step in paid_steps(subscription) if step.time_ms <= time_ms]
        if steps and steps[-1].mrr_micros is not None:
            return True
    return False


def customer_days(
    all_steps: Iterable[list[Step]], segment: Segment
) -> list[tuple[int, int | None]]:
    """Return the day intervals [start, end) with a paid subscription; end None: still paid.

    Intervals that touch are joined: an end and a start on the same day are a change of plan.
    """
    day_of = segment.calendar.day_of
    intervals: list[tuple[int, int | None]] = []
    for steps in all_steps:
        start: int | None = None
        for step in steps:
            if step.mrr_micros is not None and start is None:
                start = day_of(step.time_ms)
            elif step.mrr_micros is None and start is not None:
                intervals.append((start, day_of(step.time_ms)))
                start = None
        if start is not None:
            intervals.append((start, None))
    joined: list[tuple[int, int | None]] = []
    for start_day, end_day in sorted(intervals, key=lambda interval: interval[0]):
        if joined and (joined[-1][1] is None or start_day <= joined[-1][1]):
            last_start, last_end = joined[-1]
            open_ended = last_end is None or end_day is None
            joined[-1] = (last_start, None if open_ended else max(last_end or 0, end_day or 0))
        else:
            joined.append((start_day, end_day))
    return joined


def _in_order(event: SubscriptionEvent) -> tuple[int, str, int, bool, int, bool]:
    # At equal times "ended" sorts before "started", so that a restart counts.
    return (*event[:2], *event[3:5], event.effective_ms or 0, event.involuntary)


def _by_subscription(events: Iterable[SubscriptionEvent]) -> list[list[SubscriptionEvent]]:
    grouped: dict[str, list[SubscriptionEvent]] = {}
    for event in events:
        grouped.setdefault(event.subscription_id, []).append(event)
    return list(grouped.values())


def _step(
    steps: list[Step],
    time_ms: int,
    before: int | None,
    after: int | None,
    involuntary: bool = False,
) -> int | None:
    if before != after:
        steps.append(Step(time_ms, after, involuntary))
    return after


def _is_involuntary(all_steps: Iterable[list[Step]], segment: Segment, day: int) -> bool:
    """Return whether the last subscription to end on a day ended against the customer's will."""
    ends = [
        (step.time_ms, step.involuntary)
        for steps in all_steps
        for step in steps
        if step.mrr_micros is None and segment.calendar.day_of(step.time_ms) == day
    ]
    return max(ends)[1]


def _add_mrr(counts: Contributions, segment: Segment, all_steps: Iterable[list[Step]]) -> None:
    for steps in all_steps:
        before = 0
        for step in steps:
            after = step.mrr_micros or 0
            day = segment.calendar.day_of(step.time_ms)
            counts[measures.MRR_CHANGE_MICROS, segment, day] += after - before
            before = after


def _add_interval(counts: Contributions, segment: Segment, start: int, end: int | None) -> None:
    counts[measures.CUSTOMER_STARTS, segment, start] += 1
    counts[measures.CUSTOMERS_CHANGE, segment, start] += 1
    if end is None:
        return
    counts[measures.CUSTOMER_ENDS, segment, end] += 1
    counts[measures.CUSTOMERS_CHANGE, segment, end] -= 1
    _add_lost(counts, segment, start, end, measures.LOST_30D, measures.LOST_MONTH)


def _add_involuntary(counts: Contributions, segment: Segment, start: int, end: int) -> None:
    counts[measures.INVOLUNTARY_ENDS, segment, end] += 1
    lost = measures.LOST_INVOLUNTARY_30D, measures.LOST_INVOLUNTARY_MONTH
    _add_lost(counts, segment, start, end, *lost)


def _add_lost(
    counts: Contributions, segment: Segment, start: int, end: int, rolling: str, monthly: str
) -> None:
    """Count the customer as lost in each window that they began as a customer and in which they left."""
    for last_day in range(max(end, start + CHURN_DAYS), end + CHURN_DAYS):
        counts[rolling, segment, last_day] += 1
    month = segment.calendar.month_of(end)
    if start < month:
        counts[monthly, segment, month] += 1


def _add_movements(
    counts: Contributions,
    segment: Segment,
    all_steps: Iterable[list[Step]],
    stays: Sequence[tuple[int, int | None]],
) -> None:
    """Count each day's change of the customer's MRR by its cause."""
    changes: Counter[int] = Counter()
    for steps in all_steps:
        before = 0
        for step in steps:
            after = step.mrr_micros or 0
            changes[segment.calendar.day_of(step.time_ms)] += after - before
            before = after
    starts, ends = [start for start, _ in stays], {end for _, end in stays}
    for day, change in changes.items():
        if day in ends:
            measure = measures.MRR_CHURNED_MICROS
        elif day in starts:
            first = day == starts[0]
            measure = measures.MRR_NEW_MICROS if first else measures.MRR_REACTIVATED_MICROS
        else:
            grown = change > 0
            measure = measures.MRR_EXPANDED_MICROS if grown else measures.MRR_CONTRACTED_MICROS
        counts[measure, segment, day] += abs(change)
