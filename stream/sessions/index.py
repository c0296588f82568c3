"""Finds the session of an event: begins, extends, joins or reopens sessions."""

from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.counters.table import Counters
from stream.people.person import Person
from stream.sessions.affected import At, affected
from stream.sessions.bounds import on_this_side, set_bound
from stream.sessions.counts import SessionCounts
from stream.sessions.first import FirstSessions
from stream.sessions.last_group import LastGroups
from stream.sessions.newest import goes_on_beside, may_go_on_alone
from stream.sessions.open_sessions import OpenSessions
from stream.sessions.pages import Pages
from stream.sessions.rules import SessionRules
from stream.sessions.session import (
    Session,
    comes_first,
    merge,
    new_session,
    reached,
    sid_digest,
)
from stream.sessions.splitting import NO_SPLIT_KEY, Fragments, SplitKey


class SessionIndex:
    """All sessions of a shard, which live in their people."""

    def __init__(
        self, rules: SessionRules, registry: SegmentRegistry, pages: Pages, counters: Counters
    ) -> None:
        self.rules = rules
        self._registry = registry
        self._fragments = Fragments(rules, registry)
        self._last = LastGroups(rules, self._fragments)
        self.counts = SessionCounts(rules, registry, pages, counters)
        firsts = None
        if rules.new_basis_is_session:
            firsts = FirstSessions(registry, self._fragments, self.counts)
        self.open = OpenSessions(rules, self._fragments, self.counts, firsts)

    def find(
        self,
        person: Person,
        sid: str | None,
        time_ms: int,
        segment_set: SegmentSet,
        split_key: SplitKey = NO_SPLIT_KEY,
        alone: bool = False,
        bound: int = 0,
    ) -> Session:
        """Return the session of an event, extended to its time: new, found, or merged from several.

        `alone`: the event counts for the session of its instant, whatever gap session it is in.
        `bound`: BEGUN for a session_start, ENDED for a session_end.
        """
        if not self.rules.source_has_ids:
            sid = None
        if not person.sessions:
            return self._begin(person, sid, time_ms, segment_set, split_key, alone, bound)
        if alone and not bound and self._last.knows(person):
            followed = self._follow(person, sid, time_ms, segment_set, split_key)
            if followed is not None:
                return followed
        self._last.forget(person)
        if sid is None and not alone and not bound and self._is_after_all(person, time_ms):
            return self._begin(person, sid, time_ms, segment_set, split_key, alone, bound)
        found = [
            session
            for session in reached(person.sessions, sid, time_ms, self._reach_ms(sid, split_key))
            if self._fragments.is_fragment(session, sid, time_ms, split_key, alone)
        ]
        if found:
            found = on_this_side(found, time_ms, bound)
        # Subtract the counts of closed sessions before they change.
        event = At(sid, time_ms, split_key[0], bound != 0)
        for group in affected(self._fragments, person.sessions, found, event):
            self.open.reopen(person, group)
        before = self.open.expiries(person)
        if not found:
            session = new_session(sid, time_ms, segment_set.id, split_key, alone)
            person.sessions.append(session)
        else:
            session = self._joined(person, found)
            self._extend(session, sid, time_ms, segment_set)
        if bound:
            set_bound(session, time_ms, bound)
        groups = self._fragments.groups(person.sessions)
        self.open.changed(person, before, groups)
        if alone:
            self._keep_tail(person, time_ms)
            self._last.remember(person, groups, time_ms)
            return session
        person.tail = session if may_go_on_alone(self.rules, person.sessions, session) else None
        if person.tail is not None:
            session.until = self._fragments.until(session, person.sessions)
        return session

    def _follow(
        self,
        person: Person,
        sid: str | None,
        time_ms: int,
        segment_set: SegmentSet,
        split_key: SplitKey,
    ) -> Session | None:
        """Return the fragment alone of an event after, or with, the one before it; None: look at all."""
        newest = self._last.at(person, time_ms)
        if newest is not None:
            self._extend(newest, sid, time_ms, segment_set)
            return newest
        session = new_session(sid, time_ms, segment_set.id, split_key, True)
        group = self._last.place(person, session)
        if group is None:
            return None
        if len(group) == 1:
            self.open.began(person, group)
        else:
            self.open.grew(person, self._last.expires_ms(person))
        self._keep_tail(person, session.start)
        self._last.noted(person)
        return session

    def _keep_tail(self, person: Person, time_ms: int) -> None:
        """Drop the tail if it may not go on alone beside the fragment of an instant."""
        if person.tail is not None and not goes_on_beside(self.rules, person.tail, time_ms):
            person.tail = None

    def is_over(self, person: Person, sid: str, time_ms: int) -> bool:
        """Return whether an event comes too long after the first one of its session id.

        An event that would become the first one is rejected as late before that: see the checks of
        the settings.
        """
        return any(
            time_ms > session.start + self.rules.id_max_ms
            for session in person.sessions
            if session.sid is not None and session.sid in (sid, sid_digest(sid))
        )

    def _reach_ms(self, sid: str | None, split_key: SplitKey) -> int:
        return self.rules.reach_of(split_key[0]) if sid is None else self.rules.id_reach_ms

    def _begin(
        self,
        person: Person,
        sid: str | None,
        time_ms: int,
        segment_set: SegmentSet,
        split_key: SplitKey,
        alone: bool,
        bound: int,
    ) -> Session:
        """Begin a session that no other one of its person reaches, the most frequent case."""
        session = person.tail = new_session(sid, time_ms, segment_set.id, split_key, alone)
        person.sessions.append(session)
        if bound:
            set_bound(session, time_ms, bound)
        session.until = self._fragments.until(session, [session])
        self.open.began(person, [session])
        if alone and not bound:
            self._last.remember(person, [[session]], time_ms)
        return session

    def _is_after_all(self, person: Person, time_ms: int) -> bool:
        """Whether an event without an id comes after all reach of its person's sessions, none by id."""
        before_ms = time_ms - self._fragments.longest_reach_ms
        return all(s.sid is None and s.end < before_ms for s in person.sessions)

    def _extend(
        self, session: Session, sid: str | None, time_ms: int, segment_set: SegmentSet
    ) -> None:
        session.sid = sid
        if time_ms <= session.start and comes_first(
            time_ms, segment_set, session.start, self._registry.by_id(session.segment_set_id)
        ):
            session.segment_set_id = segment_set.id
        session.start = min(session.start, time_ms)
        session.end = max(session.end, time_ms)

    def _joined(self, person: Person, found: list[Session]) -> Session:
        into, *others = found
        by_id = self._registry.by_id
        for other in others:
            earlier = comes_first(
                other.start, by_id(other.segment_set_id), into.start, by_id(into.segment_set_id)
            )
            merge(into, other, earlier)
            person.sessions.remove(other)
        return into
