"""Index of all sessions of a shard: finds, merges, closes on the watermark, reopens for late events."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.counters.table import Counters
from stream.people.person import Person
from stream.sessions.affected import At, affected
from stream.sessions.bounds import on_this_side, set_bound
from stream.sessions.counts import SessionCounts
from stream.sessions.first import FirstSessions
from stream.sessions.last_group import LastGroups
from stream.sessions.newest import goes_on_beside, may_go_on_alone
from stream.sessions.pages import Pages
from stream.sessions.rules import SessionRules
from stream.sessions.session import (
    ATTACHED,
    Session,
    comes_first,
    merge,
    new_session,
    reached,
    sid_digest,
)
from stream.sessions.splitting import NO_SPLIT_KEY, Fragments, SplitKey, last_ms


class OpenSessionChanges(NamedTuple):
    """People whose open sessions changed since the last checkpoint."""

    #: Person key → (time in epoch ms from which a session may close, number of open sessions)
    opened: dict[str, tuple[int, int]]
    #: Keys of people without an open session.
    closed: list[str]


class SessionIndex:
    """Index of the sessions' expiry. The sessions themselves live in their people."""

    def __init__(
        self, rules: SessionRules, registry: SegmentRegistry, pages: Pages, counters: Counters
    ) -> None:
        self.rules = rules
        self._registry = registry
        self._fragments = Fragments(rules, registry)
        self._last = LastGroups(rules, self._fragments)
        self.counts = SessionCounts(rules, registry, pages, counters)
        self._firsts = (
            FirstSessions(registry, self._fragments, self.counts)
            if rules.new_basis_is_session
            else None
        )
        #: (time from which the session may close, person's key); entries may be stale.
        self._expiry: list[tuple[int, str]] = []
        #: Keys of people whose open sessions changed since the last checkpoint.
        self._open_changed: set[str] = set()
        self.open_count = 0
        self.reopened = 0

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
            followed = self._follow(
                person, new_session(sid, time_ms, segment_set.id, split_key, alone)
            )
            if followed is not None:
                return followed
        self._last.forget(person)
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
            self._open(person, group)
        before = self.expiries(person)
        if not found:
            session = new_session(sid, time_ms, segment_set.id, split_key, alone)
            person.sessions.append(session)
        else:
            session = self._joined(person, found)
            self._extend(session, sid, time_ms, segment_set)
        if bound:
            set_bound(session, time_ms, bound)
        groups = self._fragments.groups(person.sessions)
        after = self._expiries(groups)
        self.open_count += len(after) - len(before)
        if len(after) != len(before) or min(after) < min(before):
            # Includes a split in two: the first part closes earlier than the whole did.
            self._track(person, min(after))
        if alone:
            self._keep_tail(person, time_ms)
            self._last.remember(person, groups)
            return session
        person.tail = session if may_go_on_alone(self.rules, person.sessions, session) else None
        if person.tail is not None:
            session.until = self._fragments.until(session, person.sessions)
        return session

    def _follow(self, person: Person, session: Session) -> Session | None:
        """Add a fragment alone after all others of its person; None: they must be looked at."""
        group = self._last.place(person, session)
        if group is None:
            return None
        if len(group) == 1:
            self.open_count += 1
            self._track(person, self._expires_ms(group))
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
        """Begin a person's first session, the most frequent case: there are no others to compare with."""
        session = person.tail = new_session(sid, time_ms, segment_set.id, split_key, alone)
        person.sessions.append(session)
        if bound:
            set_bound(session, time_ms, bound)
        session.until = self._fragments.until(session, person.sessions)
        self._track(person, self._expires_ms([session]))
        self.open_count += 1
        return session

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

    def due(self, watermark_ms: int, limit: int) -> Iterator[str]:
        """Yield the keys of people with a session that may close by the watermark, and remove them from the index."""
        for _ in range(limit):
            if not self._expiry or self._expiry[0][0] >= watermark_ms:
                return
            yield heapq.heappop(self._expiry)[1]

    def close(self, person: Person, watermark_ms: int) -> bool:
        """Close the person's sessions that ended more than the timeout before the watermark.

        Returns whether one was closed. Sessions extended since then stay in the index at their new
        time.
        """
        closed = False
        expires_ms = 0
        for group in self._fragments.groups(person.sessions):
            if group[0].closed:
                continue
            group_expires_ms = self._expires_ms(group)
            if group_expires_ms < watermark_ms:
                closed = True
                self._close(person, group)
                self._open_changed.add(person.key)
            elif not expires_ms or group_expires_ms < expires_ms:
                expires_ms = group_expires_ms
        if expires_ms:
            # One entry replaces the removed one, for any number of sessions.
            heapq.heappush(self._expiry, (expires_ms, person.key))
        return closed

    def expiries(self, person: Person) -> list[int]:
        """Return the instants from which the watermark may close each open session of a person."""
        return self._expiries(self._fragments.groups(person.sessions))

    def _expiries(self, groups: list[list[Session]]) -> list[int]:
        return [self._expires_ms(group) for group in groups if not group[0].closed]

    def _expires_ms(self, group: list[Session]) -> int:
        if self.rules.include_open:
            return 0  # At once: the next event reopens it and counts it again.
        if len(group) == 1 or group[0].sid is None:
            return last_ms(group) + self.rules.timeout_of(group[0])
        return max(session.end + self.rules.timeout_of(session) for session in group)

    def take_changes(self, person: Callable[[str], Person]) -> OpenSessionChanges:
        """Give up the changes since the last call. `person` returns a person in memory by key.

        A stored expiry may be early: closing checks it again.
        """
        changes = OpenSessionChanges({}, [])
        for key in self._open_changed:
            expiries = self.expiries(person(key))
            if expiries:
                changes.opened[key] = (min(expiries), len(expiries))
            else:
                changes.closed.append(key)
        self._open_changed = set()
        return changes

    def load(self, opened: Mapping[str, tuple[int, int]], reopened: int) -> None:
        """Restore the stored index of open sessions, and the number of reopened ones."""
        for key, (expires_ms, sessions) in opened.items():
            heapq.heappush(self._expiry, (expires_ms, key))
            self.open_count += sessions
        self.reopened = reopened

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

    def _close(self, person: Person, group: list[Session]) -> None:
        first, begin = group[0], [group[0]]
        if first.sid is not None and len(group) > 1:
            owners = [session for session in person.sessions if session.sid is not None]
            begin += [run.fragments[0] for run in self._fragments.runs(person.sessions, owners)]
        for fragment in group:
            fragment.closed = True
            fragment.joined = fragment not in begin
            if isinstance(fragment.sid, str):
                fragment.sid = sid_digest(fragment.sid)
            elif fragment.sid is None and first.sid is not None:
                fragment.traits |= ATTACHED
            elif fragment.traits:
                fragment.traits &= ~ATTACHED
        self.open_count -= 1
        self._count(person, group, 1)

    def _open(self, person: Person, group: list[Session]) -> None:
        """Subtract the counts of a closed session that a later event changes, and open it again."""
        if group[0].closed:
            for fragment in group:
                fragment.closed = False
            self._count(person, group, -1)
            self.open_count += 1
            self.reopened += not self.rules.include_open
            self._track(person, self._expires_ms(group))

    def _track(self, person: Person, expires_ms: int) -> None:
        heapq.heappush(self._expiry, (expires_ms, person.key))
        self._open_changed.add(person.key)

    def _count(self, person: Person, group: list[Session], sign: int) -> None:
        session = self._fragments.whole(group)
        self.counts.add(session, sign)
        if self._firsts is not None:
            self._firsts.note(person, session, sign)
