"""The first session of each person: it counts as new, every other session as returning."""

from collections.abc import Sequence

from stream.counters.segments import SegmentRegistry
from stream.people.person import Person
from stream.sessions.counts import SessionCounts
from stream.sessions.session import Session
from stream.sessions.splitting import Fragments

#: Key of the first session in the person history; stored, so it keeps its name.
KIND = "first_visit"
#: (start in epoch ms, id of the segment set, minute in which it counts)
_First = tuple[int, int, int]


class FirstSessions:
    """Keeps the first session of each person up to date as sessions close and reopen."""

    def __init__(
        self, registry: SegmentRegistry, fragments: Fragments, counts: SessionCounts
    ) -> None:
        self._registry = registry
        self._fragments = fragments
        self._counts = counts

    def note(self, person: Person, session: Session, sign: int) -> None:
        """Update the first session after one was counted (sign 1) or taken back (sign -1).

        While the first session is taken back, the next one stands in for it. A pruned session cannot
        come first again: no acceptable event could have reopened it.
        """
        if not session.real:
            return
        this, first = self._of(session), _known(person)
        if sign > 0:
            if first is None or self._place(this) < self._place(first):
                self._replace(person, first, this)
        elif first == this:
            closed = [g for g in self._fragments.groups(person.sessions) if g[0].closed]
            others = [self._of(v) for v in (self._fragments.whole(g) for g in closed) if v.real]
            self._replace(person, first, min(others, key=self._place) if others else None)

    def _of(self, session: Session) -> _First:
        return session.start, session.segment_set_id, self._counts.minute_of(session)

    def _place(self, first: _First) -> tuple[int, Sequence[tuple[str, str]], int]:
        """Return a sort key that is equal in every shard and for any order of events."""
        return first[0], self._registry.by_id(first[1]).order, first[2]

    def _replace(self, person: Person, before: _First | None, now: _First | None) -> None:
        for first, sign in ((before, -1), (now, 1)):
            if first is not None:
                self._counts.add_first(self._registry.by_id(first[1]), first[2], sign)
        person.history = {**person.history, KIND: [] if now is None else [now]}


def _known(person: Person) -> _First | None:
    for start, segment_set_id, minute in person.history.get(KIND, ()):
        return start, segment_set_id, minute
    return None
