"""Open and closed sessions of all people: finds, merges, closes on the watermark, reopens for late events."""

import heapq
from collections.abc import Iterator

from stream.counters import Counters
from stream.names import Names, Profile
from stream.pages import Pages
from stream.people import Person
from stream.session_counts import SessionCounts
from stream.sessions import Session, SessionRules, comes_first, merge, reached, sid_digest


class Visits:
    """All sessions of a shard. Sessions live in their people; here is the index of when they expire."""

    def __init__(self, rules: SessionRules, names: Names, pages: Pages, counters: Counters) -> None:
        self.rules = rules
        self._names = names
        self._pages = pages
        self.counts = SessionCounts(rules, names, pages, counters)
        #: (time from which the session may close, person's key); entries may be stale.
        self._expiry: list[tuple[int, str]] = []
        #: Person's key → how many of their sessions are open, for those whose number has changed.
        self.open_changed: set[str] = set()
        self.open_count = 0
        self.reopened = 0

    def find(self, person: Person, sid: str | None, time_ms: int, profile: Profile) -> Session:
        """The session an event belongs to, extended to its time: new, found, or merged from several."""
        if not self.rules.use_ids:
            sid = None
        found = reached(person.sessions, sid, time_ms, self.rules.reach_ms)
        if not found:
            session = Session(sid, time_ms, profile.id)
            person.sessions.append(session)
            self._track(person, session)
            self.open_count += 1
        else:
            session = self._joined(person, found)
            session.sid = sid
            if time_ms <= session.start and comes_first(
                time_ms, profile, session.start, self._names.by_id(session.profile_id)
            ):
                session.profile_id = profile.id
            session.start = min(session.start, time_ms)
            session.end = max(session.end, time_ms)
        # Only the newest may be extended without looking at the others: it can reach none of them.
        is_newest = all(
            other.start <= session.start or other.sid != session.sid for other in person.sessions
        )
        person.tail = session if is_newest else None
        return session

    def due(self, watermark_ms: int, limit: int) -> Iterator[str]:
        """Keys of people with a session that may close by the watermark, taken out of the index."""
        for _ in range(limit):
            if not self._expiry or self._expiry[0][0] >= watermark_ms:
                return
            yield heapq.heappop(self._expiry)[1]

    def close(self, person: Person, watermark_ms: int) -> bool:
        """Close the person's sessions that ended more than the timeout before the watermark.

        True when one was closed. Sessions that went on since stay in the index at their new time.
        """
        closed = False
        expires_ms = 0
        for session in person.sessions:
            if session.closed:
                continue
            if session.end + self.rules.timeout_ms < watermark_ms:
                session.closed = closed = True
                if isinstance(session.sid, str):
                    session.sid = sid_digest(session.sid)
                self.open_count -= 1
                self.open_changed.add(person.key)
                self._count(session, 1)
            elif not expires_ms or session.end + self.rules.timeout_ms < expires_ms:
                expires_ms = session.end + self.rules.timeout_ms
        if expires_ms:
            # One entry for the one that was taken out, whatever the number of sessions.
            heapq.heappush(self._expiry, (expires_ms, person.key))
        return closed

    def resume(self, key: str, expires_ms: int, sessions: int) -> None:
        """Take up stored open sessions of a person."""
        heapq.heappush(self._expiry, (expires_ms, key))
        self.open_count += sessions

    def requeue(self, key: str, expires_ms: int) -> None:
        """Put a person back that `due` has given."""
        heapq.heappush(self._expiry, (expires_ms, key))

    def _joined(self, person: Person, found: list[Session]) -> Session:
        into, *others = found
        for other in others:
            self._open(person, other)
            by_id = self._names.by_id
            earlier = comes_first(
                other.start, by_id(other.profile_id), into.start, by_id(into.profile_id)
            )
            self._open(person, into)
            merge(into, other, earlier, self._pages.order)
            person.sessions.remove(other)
            self.open_count -= 1
            self.open_changed.add(person.key)
        self._open(person, into)
        return into

    def _open(self, person: Person, session: Session) -> None:
        """Take back what a closed session counted: a later event changes it."""
        if session.closed:
            self._count(session, -1)
            session.closed = False
            self.open_count += 1
            self.reopened += 1
            self._track(person, session)

    def _track(self, person: Person, session: Session) -> None:
        heapq.heappush(self._expiry, (session.end + self.rules.timeout_ms, person.key))
        self.open_changed.add(person.key)

    def _count(self, session: Session, sign: int) -> None:
        self.counts.add(session, sign)
