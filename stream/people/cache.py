"""People in memory: the younger half, the older half, and those whose changes are not stored yet."""

from collections.abc import Mapping

from stream.people.person import Person


class PeopleCache:
    """People in memory: two generations, of which the older is dropped when the younger is full.

    A person whose changes are not in Redis yet is held by `dirty` (changed since the last cut) or
    `in_flight` (in the cut under way) and so is never lost by an eviction.
    """

    def __init__(self, cached_max: int) -> None:
        self._half = max(cached_max // 2, 1)
        self.young: dict[str, Person] = {}
        #: Site → id → person, of the young: spares the usual event from building a key.
        self.recent: dict[str, dict[str, Person]] = {}
        self.old: dict[str, Person] = {}
        self.dirty: dict[str, Person] = {}
        self.in_flight: Mapping[str, Person] = {}
        self.evictions = 0
        #: How often the old ones were let go: who was in memory before may not be any more.
        self.rotations = 0

    def get(self, key: str) -> Person | None:
        """A person in memory, now among the young; None when they must be read (or are new)."""
        person = self.young.get(key)
        if person is None:
            person = self.old.get(key) or self.dirty.get(key) or self.in_flight.get(key)
            if person is not None:
                self.put(person)
        return person

    def put(self, person: Person) -> None:
        """Take a person in. What was read must never replace what is here: ask `get` first."""
        self.young[person.key] = person

    def settle(self) -> None:
        """Evict, if it is time: between batches only, so that no one admitted for a batch goes missing."""
        if len(self.young) > self._half:
            self.evictions += len(self.old)
            self.old, self.young = self.young, {}
            self.recent = {}
            self.rotations += 1
