"""The hot loop: folds one batch of decoded records of one topic into a shard.

Everything here runs once an event, so it keeps to local names, plain attribute access and few
dictionary look-ups; what is rare is a call away.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from schemas.codec import Reason, RejectedEvent
from schemas.envelope import Context
from schemas.events import Event
from stream.counters.calendar import MINUTE_MS, SLOT_MS
from stream.counters.segments import SegmentSet
from stream.engine.event_rules import BOT, EventRule
from stream.engine.page_events import count_content, page_of, see
from stream.engine.person_events import count_event, count_more
from stream.engine.watermark import TopicState
from stream.people.activity import Activity
from stream.people.person import Person
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, marked, session_keeper
from stream.sessions.splitting import NO_SPLIT_KEY, split_key_of

if TYPE_CHECKING:
    from stream.engine.shard import Shard

#: A record decoded: the event with its time in epoch ms, or why it was refused.
Decoded = tuple[Event, int] | RejectedEvent

#: An accepted event, its time in epoch ms, its person, and whether it came in allowed lateness.
Accepted = tuple[Event, int, Person | None, bool]


class Record(Protocol):
    """What the engine needs of a Kafka record (aiokafka's ConsumerRecord fits)."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Epoch ms; by the producer (type 0) or by the broker (type 1)."""

    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


def recall(
    shard: "Shard", topic: TopicState, records: Sequence[Record], decoded: Sequence[Decoded]
) -> None:
    """Rebuild the set of seen ids from records that were counted before the last cut."""
    seen = topic.seen
    skew, currency = shard.rules.future_skew_ms, shard.rules.currency
    for record, item in zip(records, decoded, strict=True):
        if isinstance(item, RejectedEvent):
            continue
        event, time_ms = item
        # Beyond the stored log clock nothing was accepted, whatever clock had refused it.
        if time_ms > record.timestamp + skew or time_ms > topic.clock:
            continue
        if currency is not None and getattr(event, "currency", None) not in (None, currency):
            continue
        if time_ms > topic.recall_clock:
            seen.advance(record.offset, topic.recall_clock, time_ms)
            topic.recall_clock = time_ms
        seen.add(event.event_id, record.offset, topic.recall_clock)


def fold(
    shard: "Shard",
    topic: TopicState,
    records: Sequence[Record],
    decoded: Sequence[Decoded],
    people: Sequence[Person | None],
    now_ms: int,
) -> None:
    """Apply records in order. Each ends as exactly one of applied, rejected, duplicate or late.

    `now_ms` (wall clock) only guards topics whose timestamps the producers set.
    """
    accepted = _admit(shard, topic, records, decoded, people, now_ms)
    topic.counts["applied"] += len(accepted)
    _apply(shard, accepted)


def _admit(
    shard: "Shard",
    topic: TopicState,
    records: Sequence[Record],
    decoded: Sequence[Decoded],
    people: Sequence[Person | None],
    now_ms: int,
) -> list[Accepted]:
    """The events to count: decided by the records before them in their partition, and nothing else."""
    rules = shard.rules
    horizon, skew, lateness = rules.horizon_ms, rules.future_skew_ms, rules.lateness_ms
    seen, window = topic.seen, rules.dedupe_ms or 1
    ids_max, currency = seen.ids_max, rules.currency
    current, previous = seen.current, seen.previous
    clock = topic.clock
    generation = clock // window
    accepted: list[Accepted] = []
    for record, item, person in zip(records, decoded, people, strict=True):
        if item.__class__ is RejectedEvent:
            shard.reject(topic, record, item)
            continue
        event, time_ms = item  # type: ignore[misc]
        if time_ms > record.timestamp + skew or (
            not record.timestamp_type and time_ms > now_ms + skew
        ):
            shard.reject_event(topic, record, Reason.FUTURE, time_ms)
            continue
        if currency is not None and getattr(event, "currency", None) not in (None, currency):
            shard.reject_event(topic, record, Reason.CURRENCY, time_ms)
            continue
        if time_ms > clock:
            if time_ms // window != generation:
                generation = time_ms // window
                seen.advance(record.offset, clock, time_ms)
                current, previous = seen.current, seen.previous
            clock = time_ms
        is_known = False
        if ids_max:
            event_id = event.event_id
            # Sets are far larger than the processor's caches: each look costs, so there is one.
            known_ids = len(current)
            current.add(event_id)
            is_known = len(current) == known_ids or event_id in previous
            if len(current) >= ids_max:
                seen.rotate_full(record.offset, clock)
                current, previous = seen.current, seen.previous
        if is_known:
            shard.reject_event(topic, record, Reason.DUPLICATE, time_ms)
            continue
        if time_ms >= clock - horizon:
            accepted.append((event, time_ms, person, time_ms >= clock - lateness))
        else:
            shard.reject_event(topic, record, Reason.LATE, time_ms)
    topic.clock = clock
    return accepted


def _apply(shard: "Shard", accepted: list[Accepted]) -> None:
    event_rules, registry, dirty = shard.rules.event_rules, shard.registry, shard.people.dirty
    bot_rule = shard.rules.bot_rule
    collected, activity = shard.collected, shard.activity
    counted: tuple[EventRule, int] = (BOT, -1)
    counts: dict[SegmentSet, int] = {}
    for event, time_ms, person, timely in accepted:
        segment_set = registry.lookup.get(event.site, _unknown).get(event.context)
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
        if counted[0] is not rule or counted[1] != minute:
            counted = rule, minute
            counts = collected.setdefault(counted, {})
        counts[segment_set] = counts.get(segment_set, 0) + 1
        if rule.impression or rule.click:
            count_content(shard, event, rule, minute)
        if rule.event_counters:
            count_event(shard, rule, event, segment_set, minute)
        if person is None or not rule.has_person:
            continue
        dirty[person.key] = person
        _mark(activity, person, segment_set, rule, time_ms, timely)
        if rule.in_session:
            _visit(shard, person, event, rule, segment_set, time_ms)
        if rule.more:
            count_more(shard, person, segment_set, rule, event, time_ms)


def _mark(
    activity: Activity,
    person: Person,
    segment_set: SegmentSet,
    rule: EventRule,
    time_ms: int,
    timely: bool,
) -> None:
    """Remember the day and the minute of the event, unless the person's last event did."""
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


def _visit(
    shard: "Shard",
    person: Person,
    event: Event,
    rule: EventRule,
    segment_set: SegmentSet,
    time_ms: int,
) -> None:
    """Count the event in its session."""
    of_page = rule.page_view or rule.look
    page = page_of(shard, event, rule, time_ms) if of_page else 0
    rules = shard.sessions.rules
    sid = event.session_id if rules.source_has_ids else None
    if sid is None:
        if not rules.source_has_gaps:
            return
    elif rules.id_scope_is_site or (event.visitor_id is not None and event.user_id is not None):
        person = _holder(shard, person, event, sid)
    if rules.id_max_ms and sid is not None and shard.sessions.is_over(person, sid, time_ms):
        return
    split_key, reach_ms = NO_SPLIT_KEY, rules.reach_ms if sid is None else rules.id_reach_ms
    if sid is None and rules.has_split_keys:
        split_key = split_key_of(event.context, rules)
        reach_ms = rules.reach_of(split_key[0])
    session = person.tail
    if (
        session is None
        or session.closed
        or session.sid != sid
        or (rules.has_split_keys and session.platform != split_key[0])
        or time_ms <= session.start
        or time_ms > session.until
        or time_ms > session.end + reach_ms
    ):
        session = shard.sessions.find(person, sid, time_ms, segment_set, split_key)
    elif time_ms > session.end:
        session.end = time_ms
    if of_page:
        see(shard, session, event, rule, page, time_ms)
    _note(session, event, rule, rules)


def _note(session: Session, event: Event, rule: EventRule, rules: SessionRules) -> None:
    """What an event says of its session, beside its pages."""
    if rule.interactive:
        session.interactive = True
        if rules.keep_actions:
            session.actions += 1
    if rule.real:
        session.real = True
    if rule.session_marks is not None:
        session.marks = marked(session.marks, rule.session_marks(event))


def _holder(shard: "Shard", person: Person, event: Event, sid: str) -> Person:
    """Who keeps the session of an id: the visitor (the browser), whoever has logged in there, or nobody."""
    if shard.sessions.rules.id_scope_is_site:
        key = session_keeper(event.site, sid)
    elif shard.rules.by_user:
        key = f"{event.site}\x1f{event.visitor_id}"
    else:
        return person
    holder = shard.person(key)
    shard.people.dirty[key] = holder
    return holder


_unknown: dict[Context | None, SegmentSet] = {}
