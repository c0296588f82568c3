"""People of a report: those of late in memory, all others packed as a checkpoint stores them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from stream.engine.checkpoint import take_people
from stream.engine.pruning import people_bounds
from stream.engine.record import Decoded, Record
from stream.engine.shard import Shard
from stream.people.person import Person, pack, unpack

#: People in memory: the caches of all shards hold these, and as many again may be changed.
PEOPLE_IN_MEMORY = 50_000
#: Events after which the counts of what has been collected are made.
_EVENTS_MAX = 50_000
#: Topic of a report's shards.
TOPIC = "files"


class Line(NamedTuple):
    """Line of a file as a record of the log."""

    offset: int
    timestamp: int
    value: bytes
    timestamp_type: int = 0
    key: bytes | None = None


class PackedPeople:
    """Takes the place of Redis: people that leave the shard's memory, by key.

    Packing forgets what no later event can change, except active days: triangles need all of them.
    """

    def __init__(self, shard: Shard, in_memory: int = PEOPLE_IN_MEMORY) -> None:
        self._shard = shard
        self._changed_max = in_memory // 2
        self._packed: dict[str, bytes] = {}
        self._events = 0

    def count(self, records: Sequence[Record], decoded: Sequence[Decoded], now_ms: int) -> None:
        """Count the next records of the shard's only topic, with their people."""
        shard = self._shard
        people, missing = shard.prepare(decoded)
        if missing:
            shard.admit(self.load(missing))
            turned = shard.people.rotations
            people, _ = shard.complete(decoded, people, missing, turned)
        shard.apply(TOPIC, records, decoded, people, now_ms)
        shard.dead_letters.clear()
        self.settle(len(records))

    def load(self, keys: Iterable[str]) -> Iterator[Person]:
        """Yield the people with these keys, unpacked or new."""
        for key in keys:
            raw = self._packed.get(key)
            yield Person(key) if raw is None else unpack(key, raw)

    def settle(self, events: int) -> None:
        """Note that `events` were counted; once there are enough, do what a checkpoint does."""
        self._events += events
        if self._events < _EVENTS_MAX and self._shard.people.held < self._changed_max:
            return
        self._events = 0
        self._shard.advance()
        self.close_sessions()
        self._shard.count_collected()
        self._shard.counters.changed.clear()
        if self._shard.people.held >= self._changed_max:
            self._pack()

    def close_sessions(self) -> None:
        """Close all sessions that are due by the watermark."""
        shard = self._shard
        while True:
            due, absent = shard.close_sessions()
            if not due:
                return
            if absent:
                shard.close_sessions_of(self.load(absent))
            if shard.people.held >= 2 * self._changed_max:
                self._pack()

    def everyone(self) -> Iterator[Person]:
        """Yield all people."""
        people = self._shard.people
        here = {**people.old, **people.young}
        yield from here.values()
        yield from self.load(key for key in self._packed if key not in here)

    def _pack(self) -> None:
        """Pack the people that have changed, so that the cache may drop them."""
        bounds = people_bounds(self._shard)._replace(day=0)
        for key, person in take_people(self._shard).items():
            self._packed[key] = pack(person, *bounds)
        self._shard.people.settle()
