"""People in memory: a younger half, an older half, and people whose changes are not stored yet."""

from collections.abc import Mapping

from stream.people.person import Person


class PeopleCache:
    """People in memory in two generations; the older one is dropped when the younger is full.

    `dirty` holds the people changed since the last checkpoint, `in_flight` those of the checkpoint
    being stored. So an eviction never loses a change.
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
        #: Number of evictions of a whole generation: after one, people may be gone from memory.
        self.rotations = 0

    def get(self, key: str) -> Person | None:
        """Return a person in memory and make them young; None: they must be read, or are new."""
        person = self.young.get(key)
        if person is None:
            person = self.old.get(key) or self.dirty.get(key) or self.in_flight.get(key)
            if person is not None:
                self.put(person)
        return person

    def put(self, person: Person) -> None:
        """Add a person. Ask `get` first: what is read must not replace what is in memory."""
        self.young[person.key] = person

    def evict(self) -> None:
        """Drop the older half if the younger is full. Call it between batches only."""
        if len(self.young) > self._half:
            self.evictions += len(self.old)
            self.old, self.young = self.young, {}
            self.recent = {}
            self.rotations += 1

    def take_changes(self) -> Mapping[str, Person]:
        """Give up the people changed since the last call; they stay in memory until `settle`."""
        self.in_flight, self.dirty = self.dirty, {}
        return self.in_flight

    def load(self, evictions: int) -> None:
        """Restore the stored number of evictions."""
        self.evictions = evictions

    def settle(self) -> None:
        """Let go of the people of a checkpoint that is stored."""
        self.in_flight = {}
