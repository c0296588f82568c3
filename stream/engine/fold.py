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
from stream.counters.segments import Profile
from stream.engine.event_rules import BOT, Plan
from stream.engine.page_events import count_content, page_of, see
from stream.engine.person_events import count_more, tally
from stream.engine.watermark import TopicState
from stream.people.activity import Activity
from stream.people.person import Person
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, marked, session_keeper
from stream.sessions.splitting import NO_LANE, lane_of

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
            shard.set_aside(topic, record, Reason.FUTURE, time_ms)
            continue
        if currency is not None and getattr(event, "currency", None) not in (None, currency):
            shard.set_aside(topic, record, Reason.CURRENCY, time_ms)
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
            shard.set_aside(topic, record, Reason.DUPLICATE, time_ms)
            continue
        if time_ms >= clock - horizon:
            accepted.append((event, time_ms, person, time_ms >= clock - lateness))
        else:
            shard.set_aside(topic, record, Reason.LATE, time_ms)
    topic.clock = clock
    return accepted


def _apply(shard: "Shard", accepted: list[Accepted]) -> None:
    plans, names, dirty = shard.rules.plans, shard.names, shard.people.dirty
    bot_plan = shard.rules.bot_plan
    collected, activity = shard.collected, shard.activity
    counted: tuple[Plan, int] = (BOT, -1)
    counts: dict[Profile, int] = {}
    for event, time_ms, person, timely in accepted:
        profile = names.lookup.get(event.site, _unknown).get(event.context)
        if profile is None:
            profile = names.profile(event.site, event.context)
        plan = plans[event.__class__]
        if event.is_bot:
            plan = bot_plan or plan
        elif profile.plan is not None:
            plan = profile.plan
        elif plan.refine is not None:
            plan = plan.refine(event)
        minute = time_ms // MINUTE_MS
        if counted[0] is not plan or counted[1] != minute:
            counted = plan, minute
            counts = collected.setdefault(counted, {})
        counts[profile] = counts.get(profile, 0) + 1
        if plan.impression or plan.click:
            count_content(shard, event, plan, minute)
        if plan.tallies:
            tally(shard, plan, event, profile, minute)
        if person is None or not plan.has_person:
            continue
        dirty[person.key] = person
        _mark(activity, person, profile, plan, time_ms, timely)
        if plan.in_session:
            _visit(shard, person, event, plan, profile, time_ms)
        if plan.more:
            count_more(shard, person, profile, plan, event, time_ms)


def _mark(
    activity: Activity, person: Person, profile: Profile, plan: Plan, time_ms: int, timely: bool
) -> None:
    """Remember the day and the minute of the event, unless the person's last event did."""
    if plan.active:
        slot = time_ms // SLOT_MS
        if person.active_slot != slot or person.active_profile is not profile:
            activity.mark_day(person, profile, profile.calendar.day_of(time_ms))
            if activity.hourly:
                activity.mark_hour(person, profile, time_ms)
            person.active_slot, person.active_profile = slot, profile
    minute = time_ms // MINUTE_MS
    is_new = person.live_minute != minute or person.live_profile is not profile
    if is_new and timely and plan.present:
        activity.mark_minute(person, profile, minute)
        person.live_minute, person.live_profile = minute, profile


def _visit(
    shard: "Shard",
    person: Person,
    event: Event,
    plan: Plan,
    profile: Profile,
    time_ms: int,
) -> None:
    """Count the event in its session."""
    of_page = plan.page_view or plan.look
    page = page_of(shard, event, plan, time_ms) if of_page else 0
    rules = shard.visits.rules
    sid = event.session_id if rules.use_ids else None
    if sid is None:
        if not rules.use_gaps:
            return
    elif rules.ids_of_site or (event.visitor_id is not None and event.user_id is not None):
        person = _holder(shard, person, event, sid)
    if rules.id_max_ms and sid is not None and shard.visits.is_over(person, sid, time_ms):
        return
    lane, reach_ms = NO_LANE, rules.reach_ms if sid is None else rules.id_reach_ms
    if sid is None and rules.has_lanes:
        lane = lane_of(event.context, rules)
        reach_ms = rules.reach_of(lane[0])
    session = person.tail
    if (
        session is None
        or session.closed
        or session.sid != sid
        or (rules.has_lanes and session.platform != lane[0])
        or time_ms <= session.start
        or time_ms > session.until
        or time_ms > session.end + reach_ms
    ):
        session = shard.visits.find(person, sid, time_ms, profile, lane)
    elif time_ms > session.end:
        session.end = time_ms
    if of_page:
        see(shard, session, event, plan, page, time_ms)
    _note(session, event, plan, rules)


def _note(session: Session, event: Event, plan: Plan, rules: SessionRules) -> None:
    """What an event says of its session, beside its pages."""
    if plan.interactive:
        session.interactive = True
        if rules.keep_actions:
            session.actions += 1
    if plan.real:
        session.real = True
    if plan.session_marks is not None:
        session.marks = marked(session.marks, plan.session_marks(event))


def _holder(shard: "Shard", person: Person, event: Event, sid: str) -> Person:
    """Who keeps the session of an id: the visitor (the browser), whoever has logged in there, or nobody."""
    if shard.visits.rules.ids_of_site:
        key = session_keeper(event.site, sid)
    elif shard.rules.by_user:
        key = f"{event.site}\x1f{event.visitor_id}"
    else:
        return person
    holder = shard.person(key)
    shard.people.dirty[key] = holder
    return holder


_unknown: dict[Context | None, Profile] = {}
