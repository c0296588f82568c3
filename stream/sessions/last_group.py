"""Gap session of a person's last order or the like: the next one after it needs no look at the others."""

from collections.abc import Sequence

from stream.people.person import Person
from stream.sessions.rules import SessionRules
from stream.sessions.session import ALONE, Session
from stream.sessions.splitting import NOT_ENDED, Fragments, ended_ms, last_ms

_PEOPLE_MAX = 10_000


class LastGroup:
    """Fragments of one of a person's gap sessions, as long as nothing but the tail has changed."""

    __slots__ = ("end_ms", "ended_ms", "fragments", "newest", "next_ms", "number", "tail")

    def __init__(self, person: Person, fragments: list[Session], next_ms: int) -> None:
        self.fragments = fragments
        #: Start of the session after it: topics are read at different paces.
        self.next_ms = next_ms
        #: Last instant, and that of the first session_end.
        self.end_ms = last_ms(fragments)
        self.ended_ms = min(ended_ms(fragment) for fragment in fragments)
        self.note(person)

    def note(self, person: Person) -> None:
        """Note by which the state of the person is known again."""
        self.number, self.newest, self.tail = len(person.sessions), person.sessions[-1], person.tail

    def is_of(self, person: Person) -> bool:
        """Return whether no session of the person came or went since."""
        sessions = person.sessions
        return (
            len(sessions) == self.number
            and sessions[-1] is self.newest
            and person.tail is self.tail
        )


class LastGroups:
    """The gap session that was looked at last, of people without session ids, by their keys."""

    def __init__(self, rules: SessionRules, fragments: Fragments) -> None:
        self._rules = rules
        self._fragments = fragments
        self._known: dict[str, LastGroup] = {}

    def forget(self, person: Person) -> None:
        """Forget a person whose sessions change in any other way."""
        if self._known:
            self._known.pop(person.key, None)

    def remember(self, person: Person, groups: Sequence[list[Session]], time_ms: int) -> None:
        """Remember the session of an instant, given all sessions as their fragments in order."""
        if groups[0][0].sid is not None:
            return
        if self._rules.has_split_keys or self._rules.include_open:
            return  # Another order of fragments, or sessions that are counted at once.
        if len(self._known) >= _PEOPLE_MAX:
            self._known.clear()
        number = len(groups) - 1
        while number and groups[number][0].start > time_ms:
            number -= 1
        next_ms = NOT_ENDED if number == len(groups) - 1 else groups[number + 1][0].start
        self._known[person.key] = LastGroup(person, groups[number], next_ms)

    def knows(self, person: Person) -> bool:
        """Return whether a gap session of the person is remembered."""
        last = self._known.get(person.key) if self._known else None
        return last is not None and last.is_of(person)

    def at(self, person: Person, time_ms: int) -> Session | None:
        """Return the fragment of an instant if it is the last of all and open; it may hold more events."""
        newest = self._known[person.key].fragments[-1]
        is_plain = newest.traits == ALONE and not newest.closed
        return newest if is_plain and newest.start == time_ms else None

    def expires_ms(self, person: Person) -> int:
        """Return the instant from which the watermark may close the last session."""
        last = self._known[person.key]
        return last.end_ms + self._rules.timeout_of(last.fragments[0])

    def place(self, person: Person, session: Session) -> list[Session] | None:
        """Add a fragment after those of the session; return its session, which may be that fragment.

        None: the person's other sessions must be looked at. Call `noted` after the last change.
        """
        last = self._known[person.key]
        if session.start <= last.fragments[-1].start:
            return None
        if session.start + self._fragments.longest_reach_ms >= last.next_ms:
            return None  # It may reach the session after it.
        end_ms, tail = last.end_ms, last.tail
        if tail is not None and tail.start < last.next_ms:
            end_ms = max(end_ms, tail.end)
        if last.fragments[0].closed and session.start <= end_ms + self._rules.reach_ms:
            return None  # It is opened again.
        if self._fragments.goes_on(last.fragments, end_ms, last.ended_ms, session, None):
            last.fragments.append(session)
            last.end_ms = max(end_ms, session.end)
        else:
            last.fragments, last.end_ms, last.ended_ms = [session], session.end, NOT_ENDED
        person.sessions.append(session)
        return last.fragments

    def noted(self, person: Person) -> None:
        """Take the person's sessions as they are now for known."""
        self._known[person.key].note(person)
