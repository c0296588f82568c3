"""Adds an event to the session it belongs to."""

from schemas.events import Event
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import CROWDED_EVENTS
from stream.counters.segments import SegmentSet
from stream.engine.event_rules import EventRule
from stream.engine.page_events import add_page, page_of
from stream.engine.pruning import people_bounds
from stream.engine.rules import Rules
from stream.engine.state import ShardState
from stream.people.keys import person_key, session_key
from stream.people.person import Person
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, marked, sid_digest
from stream.sessions.splitting import NO_SPLIT_KEY, SplitKey, split_key_of

#: Most sessions by id that are kept of one person. Events of further ids count, but for no session.
SESSIONS_MAX = 2_000


def keeper_key(rules: Rules, event: Event) -> str | None:
    """Return the key of the record that keeps an event's session id; None: its person does.

    With session.id_scope = "site" that is a record of the id itself. Else it is the visitor's record:
    a session goes on in its browser when somebody logs in.
    """
    if rules.sessions.id_scope_is_site:
        return session_key(event.site, event.session_id or "")
    if not rules.identity_is_user or event.user_id is None:
        return None
    visitor = event.visitor_id
    return None if visitor in (None, event.user_id) else person_key(event.site, visitor)


def apply_session_event(
    state: ShardState,
    person: Person,
    event: Event,
    rule: EventRule,
    segment_set: SegmentSet,
    time_ms: int,
) -> None:
    """Find the session of an event, by its id or by gaps, extend it and add the event to it."""
    shows_page = rule.page_view or rule.page_ping
    page = page_of(state, event, rule, segment_set, time_ms) if shows_page else 0
    rules = state.sessions.rules
    sid = event.session_id if rules.source_has_ids else None
    split_key, reach_ms = NO_SPLIT_KEY, rules.reach_ms
    if sid is None:
        if not rules.source_has_gaps:
            return
        if rules.has_split_keys:
            split_key = split_key_of(event.context, rules)
            reach_ms = rules.reach_of(split_key[0])
    else:
        reach_ms = rules.id_reach_ms
        owners = state.id_changes.sessions
        if owners.young.get(sid) is not person.key:
            owners.note(sid, person.key)
        keeper = keeper_key(state.rules, event)
        if keeper is not None:
            person = state.people.dirty[keeper] = state.person(keeper)
        if rules.id_max_ms and state.sessions.is_over(person, sid, time_ms):
            return
    session = person.tail
    if (
        session is None
        or rule.is_placed
        or not _continues(session, sid, split_key, time_ms, reach_ms)
    ):
        if (
            sid is not None
            and len(person.sessions) >= SESSIONS_MAX
            and _is_crowded(state, person, sid)
        ):
            state.counters.add(CROWDED_EVENTS, segment_set, time_ms // MINUTE_MS, 1)
            return
        alone = rule.alone and sid is None and rules.joins_ids
        session = state.sessions.find(
            person, sid, time_ms, segment_set, split_key, alone, rule.bound
        )
        if rule.bound and rules.keep_real_span:
            session.add_real(time_ms)
    elif time_ms > session.end:
        session.end = time_ms
    if shows_page:
        add_page(state, session, event, rule, page, time_ms)
    _add_interaction(session, event, rule, rules, time_ms)


def _is_crowded(state: ShardState, person: Person, sid: str) -> bool:
    """Whether a session id is new and its person has SESSIONS_MAX sessions that still matter.

    Each session of a person makes all their events dearer: one id for everybody would stop the shard.
    """
    if any(session.sid == sid for session in person.sessions):
        return False
    digest = sid_digest(sid)
    if any(session.sid == digest for session in person.sessions):
        return False
    # By the log and not by what a checkpoint has forgotten, so that a replay decides the same.
    oldest_ms = people_bounds(state).session_ms
    return sum(session.end >= oldest_ms for session in person.sessions) >= SESSIONS_MAX


def _continues(
    session: Session, sid: str | None, split_key: SplitKey, time_ms: int, reach_ms: int
) -> bool:
    """Whether an event extends its person's newest session without a look at the others.

    It does if the session is open, has the event's id (or platform), and the event comes after its
    start, before its last instant (`until`), and within `reach_ms` of its end. Every other event may
    begin, reopen, join or split sessions.
    """
    return (
        not session.closed
        and session.sid == sid
        and session.platform == split_key[0]
        and session.start < time_ms <= session.until
        and time_ms <= session.end + reach_ms
    )


def _add_interaction(
    session: Session, event: Event, rule: EventRule, rules: SessionRules, time_ms: int
) -> None:
    """Add an interaction, and the marks of an event, to its session."""
    if rule.interactive:
        session.interactive = True
        if rules.keep_actions:
            session.actions += 1
    if rule.real:
        session.real = True
        if rules.keep_real_span:
            session.add_real(time_ms)
    if rule.session_marks is not None:
        session.marks = marked(session.marks, rule.session_marks(event))
