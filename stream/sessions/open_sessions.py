"""Open sessions of a shard: closes them on the watermark, reopens them for late events, counts both."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from stream.people.person import Person
from stream.sessions.counts import SessionCounts
from stream.sessions.expiry import SessionExpiry
from stream.sessions.first import FirstSessions
from stream.sessions.rules import SessionRules
from stream.sessions.session import ATTACHED, OVERDUE, Session, sid_digest
from stream.sessions.splitting import Fragments, last_ms

#: Outcomes of `close`: no session was due; the person must be stored; or the closing follows from the
#: expiry, so that the stored person stays as it is.
NOT_DUE, CLOSED, IMPLIED = range(3)


class OpenSessionChanges(NamedTuple):
    """People whose open sessions changed since the last checkpoint."""

    #: Person key → (time in epoch ms from which a session may close, number of open sessions)
    opened: dict[str, tuple[int, int]]
    #: Keys of people without an open session.
    closed: list[str]


class OpenSessions:
    """Sessions that the watermark has not closed. They live in their people."""

    def __init__(
        self,
        rules: SessionRules,
        fragments: Fragments,
        counts: SessionCounts,
        firsts: FirstSessions | None,
    ) -> None:
        self._rules = rules
        self._fragments = fragments
        self._counts = counts
        self._firsts = firsts
        self._expiry = SessionExpiry()
        #: Whether the closing of a person's only open session follows from its expiry.
        self._implies = firsts is None and not rules.include_open
        #: Keys of people whose open sessions changed since the last checkpoint.
        self._changed: set[str] = set()
        self.number = 0
        self.reopened = 0

    # ---- events

    def reopen(self, person: Person, group: list[Session]) -> None:
        """Subtract the counts of a closed session that a later event changes, and open it again."""
        if group[0].closed:
            for fragment in group:
                fragment.closed = False
            self._count(person, group, -1)
            self.number += 1
            self.reopened += not self._rules.include_open
            self._track(person, self.expires_ms(group))

    def began(self, person: Person, group: list[Session]) -> None:
        """Note a new session of a person."""
        self.number += 1
        expires_ms = self.expires_ms(group)
        self._note_overdue(person, expires_ms)
        self._track(person, expires_ms)

    def grew(self, person: Person, expires_ms: int) -> None:
        """Note a session of a person that reaches further than before."""
        self._note_overdue(person, expires_ms)

    def changed(self, person: Person, before: list[int], groups: list[list[Session]]) -> None:
        """Note the sessions of a person after an event; `before` are the expiries before it."""
        after = self._expiries(groups)
        self.number += len(after) - len(before)
        first_ms = min(after)
        self._note_overdue(person, first_ms)
        if len(after) != len(before) or first_ms < min(before):
            # Includes a split in two: the first part closes earlier than the whole did.
            self._track(person, first_ms)

    def expiries(self, person: Person) -> list[int]:
        """Return the instants from which the watermark may close each open session of a person."""
        opened = [session for session in person.sessions if not session.closed]
        if len(opened) < 2:  # Open fragments are no part of a session that has closed.
            return [self.expires_ms([session]) for session in opened]
        return self._expiries(self._fragments.groups(person.sessions))

    def expires_ms(self, group: list[Session]) -> int:
        """Return the instant from which the watermark may close a session."""
        rules = self._rules
        if rules.include_open:
            return 0  # At once: the next event reopens it and counts it again.
        if len(group) == 1 or group[0].sid is None:
            return last_ms(group) + rules.timeout_of(group[0])
        return max(session.end + rules.timeout_of(session) for session in group)

    # ---- time

    def take_due(self, watermark_ms: int, limit: int) -> list[str]:
        """Take up to `limit` people with a session that may close by the watermark."""
        return self._expiry.take_due(watermark_ms, limit)

    def close(self, person: Person, watermark_ms: int) -> int:
        """Close the person's sessions that ended more than the timeout before the watermark.

        Returns NOT_DUE, CLOSED or IMPLIED. Sessions extended since then stay in the index at their
        new time.
        """
        outcome, later_ms = NOT_DUE, 0
        only = self._only_open(person)
        groups = [[only]] if only is not None else self._fragments.groups(person.sessions)
        for group in groups:
            if group[0].closed:
                continue
            expires_ms = self.expires_ms(group)
            if expires_ms < watermark_ms:
                outcome = CLOSED
                if only is not None:
                    outcome = IMPLIED
                    self._expiry.imply(person.key, expires_ms)
                self._mark_closed(person, group)
                self.number -= 1
                self._count(person, group, 1)
                self._changed.add(person.key)
            elif not later_ms or expires_ms < later_ms:
                later_ms = expires_ms
        if later_ms:
            # One entry replaces the removed one, for any number of sessions.
            self._expiry.track(person.key, later_ms)
        self._expiry.is_done(person.key)
        return outcome

    def settle(self, person: Person) -> None:
        """Close the session of a person just read that has closed since the person was stored."""
        only = self._only_open(person)
        if only is not None and self.expires_ms([only]) < self._expiry.closed_to_ms:
            self._mark_closed(person, [only])

    # ---- checkpoints

    @property
    def closed_to_ms(self) -> int:
        """Instant before whose expiry every session has closed, unless it is stored as overdue."""
        return self._expiry.closed_to_ms

    def move_on(self, watermark_ms: int) -> list[str]:
        """Move `closed_to_ms` on; return the people who must be stored, as it does not cover them."""
        return self._expiry.move_on(watermark_ms)

    def take_changes(self, person: Callable[[str], Person]) -> OpenSessionChanges:
        """Give up the changes since the last call. `person` returns a person in memory by key.

        A stored expiry may be early: closing checks it again.
        """
        changes = OpenSessionChanges({}, [])
        for key in self._changed:
            expiries = self.expiries(person(key))
            if expiries:
                changes.opened[key] = (min(expiries), len(expiries))
            else:
                changes.closed.append(key)
        self._changed = set()
        return changes

    def load(self, opened: Mapping[str, tuple[int, int]], closed_to_ms: int, reopened: int) -> None:
        """Restore the stored index of open sessions, and the number of reopened ones."""
        self._expiry.load(opened, closed_to_ms)
        self.number += sum(sessions for _, sessions in opened.values())
        self.reopened = reopened

    def _expiries(self, groups: list[list[Session]]) -> list[int]:
        return [self.expires_ms(group) for group in groups if not group[0].closed]

    def _only_open(self, person: Person) -> Session | None:
        """Return the only open session of a person, if its closing follows from its expiry."""
        only: Session | None = None
        for session in person.sessions:
            if not session.closed:
                if only is not None:
                    return None
                only = session
        return None if only is None or only.traits & OVERDUE or not self._implies else only

    def _note_overdue(self, person: Person, expires_ms: int) -> None:
        """Mark the open sessions of a person of which one came too late to close with its like."""
        if expires_ms < self._expiry.closed_to_ms:
            for session in person.sessions:
                if not session.closed:
                    session.traits |= OVERDUE

    def _mark_closed(self, person: Person, group: list[Session]) -> None:
        """Mark the fragments of a session as counted together."""
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
            fragment.traits &= ~OVERDUE

    def _track(self, person: Person, expires_ms: int) -> None:
        self._expiry.track(person.key, expires_ms)
        self._changed.add(person.key)

    def _count(self, person: Person, group: list[Session], sign: int) -> None:
        session = self._fragments.whole(group)
        self._counts.add(session, sign)
        if self._firsts is not None:
            self._firsts.note(person, session, sign)
