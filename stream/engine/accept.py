"""Admission: decides for each record of a batch whether its event counts.

A decision depends only on the records before it in its partition, so a replay decides the same again.
"""

from collections.abc import Sequence

from schemas.codec import Reason, RejectedEvent
from schemas.events import Event
from stream.counters.calendar import DAY_MS
from stream.engine.record import Decoded, Record
from stream.engine.state import ShardState
from stream.engine.watermark import TopicState
from stream.history.events import HISTORY_MAX
from stream.people.person import Person

#: An accepted event, its time in epoch ms, its person, and whether it is within the allowed lateness.
Accepted = tuple[Event, int, Person | None, bool]


def accept(
    state: ShardState,
    topic: TopicState,
    records: Sequence[Record],
    decoded: Sequence[Decoded],
    people: Sequence[Person | None],
    now_ms: int,
) -> list[Accepted]:
    """Return the events to count; every other record is rejected with its reason.

    `now_ms` (wall clock) guards against the clocks of producers, if these set the record's timestamp.
    """
    rules, dead_letters = state.rules, state.dead_letters
    horizon_ms, skew_ms = rules.horizon_ms, rules.max_future_skew_ms
    lateness_ms, currency = rules.allowed_lateness_ms, rules.currency
    seen, clock = topic.seen, topic.clock
    accepted: list[Accepted] = []
    for record, item, person in zip(records, decoded, people, strict=True):
        if item.__class__ is RejectedEvent:
            dead_letters.reject(topic, record, item)
            continue
        event, time_ms = item  # type: ignore[misc]
        if person is None and _needs_person(state, event):
            dead_letters.reject_event(topic, record, Reason.NO_PERSON, time_ms)
            continue
        is_producers = not record.timestamp_type
        if time_ms > record.timestamp + skew_ms or (is_producers and time_ms > now_ms + skew_ms):
            dead_letters.reject_event(topic, record, Reason.FUTURE, time_ms)
            continue
        if currency is not None and is_other_currency(event, currency):
            dead_letters.reject_event(topic, record, Reason.CURRENCY, time_ms)
            continue
        if time_ms > clock:
            seen.advance(record.offset, clock, time_ms)
            clock = time_ms
        if seen.add(event.site, event.event_id, record.offset, clock):
            dead_letters.reject_event(topic, record, Reason.DUPLICATE, time_ms)
        elif time_ms < clock - horizon_ms:
            dead_letters.reject_event(topic, record, Reason.LATE, time_ms)
        elif person is not None and person.full and _is_crowded(state, person, event, time_ms):
            dead_letters.reject_event(topic, record, Reason.CROWDED, time_ms)
        else:
            accepted.append((event, time_ms, person, time_ms >= clock - lateness_ms))
    topic.clock = clock
    return accepted


def recall(
    state: ShardState,
    topic: TopicState,
    records: Sequence[Record],
    decoded: Sequence[Decoded],
) -> None:
    """Rebuild the set of seen ids from records that were counted before the last checkpoint.

    Whether an event has a person follows from its ids, so no person is read.
    """
    rules, seen = state.rules, topic.seen
    skew_ms, currency = rules.max_future_skew_ms, rules.currency
    for record, item in zip(records, decoded, strict=True):
        if isinstance(item, RejectedEvent):
            continue
        event, time_ms = item
        if _needs_person(state, event) and rules.is_personless(event):
            continue
        # Nothing beyond the stored log clock was accepted, whichever clock refused it.
        if time_ms > record.timestamp + skew_ms or time_ms > topic.clock:
            continue
        if currency is not None and is_other_currency(event, currency):
            continue
        if time_ms > topic.recall_clock:
            seen.advance(record.offset, topic.recall_clock, time_ms)
            topic.recall_clock = time_ms
        seen.add(event.site, event.event_id, record.offset, topic.recall_clock)


def _needs_person(state: ShardState, event: Event) -> bool:
    """Whether an event needs a person. Its ids may have been placeholders."""
    return state.rules.event_rules[event.__class__].has_person


def _is_crowded(state: ShardState, person: Person, event: Event, time_ms: int) -> bool:
    """Whether a history that an event extends is full, also without what no longer matters."""
    settled_ms = min(state.oldest_ms(), time_ms - state.rules.horizon_ms)
    for aggregate in state.rules.event_rules[event.__class__].aggregates:
        name = aggregate.name
        if name not in person.full:
            continue
        oldest_ms = settled_ms - aggregate.keep_days * DAY_MS
        known = person.history[name]
        kept = aggregate.settled(known, oldest_ms, settled_ms, state.registry)
        if len(kept) >= HISTORY_MAX:
            return True
        person.history = {**person.history, name: kept}
        person.indexes = {**person.indexes, name: None}
        person.full -= {name}
    return False


def is_other_currency(event: Event, currency: str) -> bool:
    """Whether an event names a currency, in letters of any case, that is not the configured one."""
    named = getattr(event, "currency", None)
    return named is not None and named != currency and named.upper() != currency
