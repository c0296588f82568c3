"""People in memory: objects in two generations, then packed people in two more."""

from collections.abc import Callable, Iterable, Mapping

from stream.people.person import Person


class PeopleCache:
    """People in memory; of each pair of generations the older is dropped when the younger is full.

    Objects that are dropped stay as a checkpoint packed them, in a quarter of the memory. Three
    mappings hold people whom no eviction drops: `dirty` those changed since the last checkpoint,
    `in_flight` those of the checkpoint being stored, `unchanged` those with a closed session that the
    next checkpoint need not store.
    """

    def __init__(
        self, cached_max: int, packed_max: int, restore: Callable[[str, bytes], Person]
    ) -> None:
        """`restore` unpacks a person and brings them up to date."""
        self._half = max(cached_max // 2, 1)
        self._packed_half = packed_max // 2
        self._restore = restore
        self.young: dict[str, Person] = {}
        #: Site → id → person, of the young: spares the usual event from building a key.
        self.recent: dict[str, dict[str, Person]] = {}
        self.old: dict[str, Person] = {}
        self._packed_young: dict[str, bytes] = {}
        self._packed_old: dict[str, bytes] = {}
        self.dirty: dict[str, Person] = {}
        self.unchanged: dict[str, Person] = {}
        self.in_flight: Mapping[str, Person] = {}
        #: Number of the round of changes: `take_changes` begins another.
        self.round = 0
        #: Number of people who have left the memory.
        self.evictions = 0
        #: Number of evictions of a whole generation: after one, people may be gone from memory.
        self.rotations = 0

    @property
    def held(self) -> int:
        """Number of people who stay in memory until the next checkpoint."""
        return len(self.dirty) + len(self.unchanged)

    def get(self, key: str) -> Person | None:
        """Return a person in memory and make them young; None: they must be read, or are new."""
        person = self.young.get(key)
        if person is None:
            person = self.old.get(key)
            if person is None:
                raw = self._take_packed(key)
                if not raw:
                    return None
                person = self._restore(key, raw)
            self.young[key] = person
        return person

    def put(self, person: Person) -> None:
        """Add a person. Ask `get` first: what is read must not replace what is in memory."""
        self.young[person.key] = person

    def peek(self, key: str) -> Person | None:
        """Return a person in memory without making them young: closing a session is no visit.

        Call `hold` if the person changes.
        """
        person = self.young.get(key) or self.old.get(key)
        if person is None:
            raw = self._packed_young.get(key) or self._packed_old.get(key)
            person = self._restore(key, raw) if raw else None
        return person

    def hold(self, person: Person, held: dict[str, Person]) -> None:
        """Keep a person from `peek` in `dirty` or `unchanged`."""
        held[person.key] = person
        if person.key not in self.young:
            self._take_packed(person.key)
            self.old[person.key] = person

    def evict(self) -> None:
        """Drop the older half if the younger is full. Call it between batches only.

        Closed sessions bring people into the older half: twice its size is full too.
        """
        if len(self.young) > self._half or len(self.old) > 2 * self._half:
            dropped, self.old, self.young = self.old, self.young, {}
            self.recent = {}
            self.rotations += 1
            self._drop(dropped.values())

    def keeps(self, rotations: int) -> bool:
        """Whether everybody who was young at this number of rotations is still in memory."""
        return self.rotations - rotations <= 1

    def take_changes(self) -> Mapping[str, Person]:
        """Give up the people changed since the last call; they stay in memory until `settle`."""
        self.in_flight, self.dirty, self.unchanged = self.dirty, {}, {}
        self.round += 1
        return self.in_flight

    def load(self, evictions: int) -> None:
        """Restore the stored number of evictions."""
        self.evictions = evictions

    def settle(self) -> None:
        """Let go of the people of a checkpoint that is stored."""
        self.in_flight = {}

    def _take_packed(self, key: str) -> bytes:
        """Take a person out of the packed ones; empty: they are not among them."""
        # Of both: an older form must not come back once the newer one has gone.
        raw, old = self._packed_young.pop(key, b""), self._packed_old.pop(key, b"")
        return raw or old

    def _drop(self, people: Iterable[Person]) -> None:
        """Drop objects that are not held, and keep their packed forms."""
        old, packed = self.old, self._packed_young
        dirty, in_flight, unchanged = self.dirty, self.in_flight, self.unchanged
        for person in people:
            key = person.key
            if key in old:
                continue
            if key in dirty or key in unchanged or key in in_flight:
                old[key] = person
            elif person.packed and self._packed_half:
                packed[key] = person.packed
            else:
                self.evictions += 1
        if len(packed) > self._packed_half:
            self.evictions += len(self._packed_old)
            self._packed_old, self._packed_young = packed, {}
