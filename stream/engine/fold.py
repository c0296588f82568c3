"""The hot loop: one batch of one topic, first admitted, then applied.

Everything here runs once an event. So it keeps to local names, plain attributes and few dictionary
look-ups; what is rare is a call away.
"""

from collections.abc import Sequence

from schemas.envelope import Context
from schemas.events import Event
from stream.counters.calendar import MINUTE_MS, SLOT_MS
from stream.counters.segments import SegmentSet
from stream.engine.accept import Accepted, accept
from stream.engine.event_rules import BOT, EventRule
from stream.engine.page_events import count_content
from stream.engine.person_events import apply_person_event, count_event
from stream.engine.record import Decoded, Record
from stream.engine.session_events import apply_session_event
from stream.engine.state import ShardState
from stream.engine.watermark import TopicState
from stream.people.activity import Activity
from stream.people.person import Person


def fold(
    state: ShardState,
    topic: TopicState,
    records: Sequence[Record],
    decoded: Sequence[Decoded],
    people: Sequence[Person | None],
    now_ms: int,
) -> None:
    """Count records in order. Each ends as exactly one of applied, rejected, duplicate or late."""
    accepted = accept(state, topic, records, decoded, people, now_ms)
    topic.counts["applied"] += len(accepted)
    state.topic_rank = state.topic_ranks[topic.topic]
    state.batch_oldest_ms = state.oldest_ms()
    _apply(state, accepted)


def _apply(state: ShardState, accepted: list[Accepted]) -> None:
    """Apply each event: to the counts of its segments, then to its person and its session."""
    event_rules, bot_rule = state.rules.event_rules, state.rules.bot_rule
    registry, activity = state.registry, state.activity
    collected, dirty, changes = state.collected, state.people.dirty, state.people.round
    slot: tuple[EventRule, int] = (BOT, -1)
    counts: dict[SegmentSet, int] = {}
    for event, time_ms, person, timely in accepted:
        segment_set = registry.lookup.get(event.site, _no_contexts).get(event.context)
        if segment_set is None:
            segment_set = registry.segment_set(event.site, event.context)
        rule = event_rules[event.__class__]
        if event.is_bot:
            rule = bot_rule or rule
        elif segment_set.rule is not None:
            rule = segment_set.rule
        elif rule.refine is not None:
            rule = rule.refine(event)
        minute = time_ms // MINUTE_MS
        if slot[0] is not rule or slot[1] != minute:
            slot = rule, minute
            counts = collected.setdefault(slot, {})
        counts[segment_set] = counts.get(segment_set, 0) + 1
        if rule.counts_by_itself:
            _count_by_itself(state, event, rule, segment_set, time_ms)
        if person is None or not rule.has_person:
            continue
        if person.changed_in != changes:
            # A look at the mapping costs more: it is far larger than the processor's caches.
            person.changed_in = changes
            dirty[person.key] = person
        _mark_active(activity, person, segment_set, rule, time_ms, timely)
        if rule.in_session:
            apply_session_event(state, person, event, rule, segment_set, time_ms)
        if rule.is_person_event:
            apply_person_event(state, person, segment_set, rule, event, time_ms)


def _count_by_itself(
    state: ShardState, event: Event, rule: EventRule, segment_set: SegmentSet, time_ms: int
) -> None:
    """Add the counts of an event that need no person, besides those of its rule."""
    if rule.impression or rule.click:
        count_content(state, event, rule, time_ms // MINUTE_MS)
    if rule.event_counters:
        count_event(state, rule, event, segment_set, time_ms)


def _mark_active(
    activity: Activity,
    person: Person,
    segment_set: SegmentSet,
    rule: EventRule,
    time_ms: int,
    timely: bool,
) -> None:
    """Mark the day and the minute of an event, unless the person's last event marked them."""
    if rule.active:
        slot = time_ms // SLOT_MS
        if person.active_slot != slot or person.active_segment_set is not segment_set:
            activity.mark_day(person, segment_set, segment_set.calendar.day_of(time_ms))
            if activity.hourly:
                activity.mark_hour(person, segment_set, time_ms)
            person.active_slot, person.active_segment_set = slot, segment_set
    minute = time_ms // MINUTE_MS
    is_new = person.live_minute != minute or person.live_segment_set is not segment_set
    if is_new and timely and rule.present:
        activity.mark_minute(person, segment_set, minute)
        person.live_minute, person.live_segment_set = minute, segment_set


_no_contexts: dict[Context | None, SegmentSet] = {}
