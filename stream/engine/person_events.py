"""What only few types of events count: clicks on content, subscriptions, themes of facts, and tallies."""

from typing import TYPE_CHECKING, Any

from schemas.codec import epoch_ms
from schemas.events import Event
from stream.counters.calendar import DAY_MS
from stream.counters.measures import MICROS, Grain
from stream.counters.segments import SegmentSet
from stream.engine.event_rules import EventRule
from stream.history.events import Aggregate, Contributions, Daily, learn
from stream.history.subscriptions import CANCELLED_AT_ONCE, SubscriptionEvent, contributions
from stream.people.person import Person

if TYPE_CHECKING:
    from stream.engine.shard import Shard

#: A cancellation further ahead than this is one for ever.
_FAR_AHEAD_MS = 3_660 * DAY_MS


def count_more(
    shard: "Shard",
    person: Person,
    segment_set: SegmentSet,
    rule: EventRule,
    event: Event,
    time_ms: int,
) -> None:
    """Count what the event adds about its person."""
    if rule.click:
        shard.activity.mark_click(person, segment_set, segment_set.calendar.day_of(time_ms))
    elif rule.subscription:
        _subscribe(shard, person, segment_set, rule.subscription, event, time_ms)
    activation = shard.rules.activation
    if rule.activating and rule.active and activation is not None:
        settled_ms = _settled_ms(shard, time_ms)
        change, capped = activation.learn(
            person, segment_set, event, time_ms, settled_ms, shard.registry
        )
        _count(shard, change)
        shard.history_capped += capped
    for aggregate in rule.aggregates:
        _learn(shard, person, segment_set, aggregate, event, time_ms)


def count_event(
    shard: "Shard", rule: EventRule, event: Any, segment_set: SegmentSet, minute: int
) -> None:
    """Count what the event adds whoever it is of."""
    for one in rule.event_counters:
        segments = [
            shard.registry.own_segment(event.site, *own_segment)
            for own_segment in one.own_segments(event)
        ]
        for measure, count in one.counts(event):
            shard.counters.add(measure, segment_set, minute, count)
            for segment in segments:
                shard.counters.add(measure, segment, minute, count)


def _learn(
    shard: "Shard",
    person: Person,
    segment_set: SegmentSet,
    aggregate: Aggregate,
    event: Any,
    time_ms: int,
) -> None:
    """Add an event to what a theme knows of its person, and count what that changes."""
    kept = aggregate.entry(event)
    if kept is None:
        return
    if isinstance(aggregate, Daily):
        calendar = segment_set.calendar
        time_ms = calendar.day_start_ms(calendar.day_of(time_ms))
    settled_ms = _settled_ms(shard, time_ms)
    known = person.history.get(aggregate.name, ())
    new = (time_ms, segment_set.id, *kept)
    history, change, capped = learn(known, new, settled_ms, aggregate, shard.registry)
    person.history = {**person.history, aggregate.name: history}
    shard.history_capped += capped
    _count(shard, change)


def _settled_ms(shard: "Shard", time_ms: int) -> int:
    """No event before this instant can arrive after an event of `time_ms`."""
    # The shard's clock is at the end of the batch already, which may be months ahead of this event.
    return min(shard.oldest_ms(), time_ms - shard.rules.horizon_ms)


def _count(shard: "Shard", change: Contributions) -> None:
    for (measure, segment, grain, index), count in change.items():
        if count:
            shard.counters.add_in(grain, index, measure, segment, count)


def _subscribe(
    shard: "Shard", person: Person, segment_set: SegmentSet, kind: str, event: Any, time_ms: int
) -> None:
    """Add a subscription event to its customer, and count what that changes."""
    if event.subscription_id is None:
        return  # A renewal of who knows what changes nothing that is counted.
    rule = getattr(event, "plan", None)
    if rule and "plan" in shard.registry.dimensions and "plan" not in (event.context or {}):
        segment_set = shard.registry.segment_set_of(
            event.site, {**(event.context or {}), "plan": rule}
        )
    given = getattr(event, "effective_at", None)
    effective = None if given is None else min(epoch_ms(given), time_ms + _FAR_AHEAD_MS)
    involuntary = shard.rules.is_involuntary(getattr(event, "reason", None))
    at_once = kind == "cancelled" and shard.rules.cancels_at_once
    if involuntary and shard.rules.grace_ms:
        # As if they had cancelled for later: until then they are customers, and a renewal undoes it.
        ends = time_ms if at_once else max(effective or 0, time_ms)
        kind, effective = "cancelled", ends + shard.rules.grace_ms
    elif at_once:
        kind = CANCELLED_AT_ONCE
    new = SubscriptionEvent(
        time_ms,
        kind,
        event.subscription_id,
        round(getattr(event, "mrr", 0) * MICROS),
        bool(getattr(event, "trial", False)),
        effective,
        segment_set.id,
        involuntary,
    )
    before = [SubscriptionEvent(*fields) for fields in person.subscriptions]
    after = [*before, new]
    person.subscriptions = [tuple(event) for event in after]
    change = contributions(after, shard.registry)
    change.subtract(contributions(before, shard.registry))
    for (measure, segment, day), count in change.items():
        if count:
            shard.counters.add_range(Grain.DAY, measure, segment, day, day, count)
