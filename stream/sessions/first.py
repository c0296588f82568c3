"""Which visit of a person is the first one ever: that one alone is new, all others are returning."""

from collections.abc import Sequence

from stream.counters.segments import SegmentRegistry
from stream.people.person import Person
from stream.sessions.counts import SessionCounts
from stream.sessions.page_path import Order
from stream.sessions.session import Session
from stream.sessions.splitting import Fragments, whole

#: Under this name a person keeps it.
KIND = "first_visit"
#: (start in epoch ms, profile id, minute at which it counts)
_First = tuple[int, int, int]


class FirstSessions:
    """Follows closed sessions: a late event may begin an earlier one, or take the first one back."""

    def __init__(
        self, registry: SegmentRegistry, fragments: Fragments, counts: SessionCounts, order: Order
    ) -> None:
        self._registry = registry
        self._fragments = fragments
        self._counts = counts
        self._order = order

    def note(self, person: Person, visit: Session, sign: int) -> None:
        """A session of a person has been counted, or taken back because it goes on.

        While the first one is taken back the next one stands in its place. None that is kept no more
        can come before: nothing could have taken back the one that was first then.
        """
        if not visit.real:
            return
        this, first = self._of(visit), _known(person)
        if sign > 0:
            if first is None or self._place(this) < self._place(first):
                self._replace(person, first, this)
        elif first == this:
            closed = [g for g in self._fragments.groups(person.sessions) if g[0].closed]
            others = [self._of(v) for v in (whole(g, self._order) for g in closed) if v.real]
            self._replace(person, first, min(others, key=self._place) if others else None)

    def _of(self, visit: Session) -> _First:
        return visit.start, visit.segment_set_id, self._counts.minute_of(visit)

    def _place(self, first: _First) -> tuple[int, Sequence[tuple[str, str]], int]:
        """Sorts the same way in every shard, and in any order of events."""
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
