"""Stand-ins for Redis and Kafka around real shards, as the parts of a shard owner see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from faust.types import TP
from msgspec.structs import replace

from stream.configure.compile import build_rules
from stream.engine.checkpoint import Checkpoint
from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.people.person import Person
from stream.settings.application import Settings
from stream.settings.intake import LedgerSettings
from stream.store.shards import CheckpointRefusedError, Claim
from stream.worker.owner import ShardOwner

TOPIC = "page-views"
SETTINGS = replace(Settings(), ledger=LedgerSettings(max_ratio=0.5, min_events=10))


def shard(partition: int = 0) -> Shard:
    return Shard(partition, SETTINGS.topics.inputs, build_rules(SETTINGS), {}, 1_000)


class Raw(NamedTuple):
    """Record as the log holds it."""

    offset: int
    timestamp: int
    value: bytes
    key: bytes | None = None
    timestamp_type: int = 1


def batch(start: int, count: int = 10, value: bytes = b"no event") -> Fetched:
    records: list[Any] = [Raw(start + n, 1_000, value) for n in range(count)]
    return Fetched(start, start + count, records)


@dataclass
class Log:
    """Log whose partitions begin at `first`; records every seek and commit."""

    first: int = 0
    rewinds: list[Mapping[TP, int]] = field(default_factory=list)
    commits: list[Mapping[TP, int]] = field(default_factory=list)
    #: Topic → (end of the log, epoch ms at which it was seen).
    ends: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: Offset committed for every partition; 0: none.
    committed_to: int = 0

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        return dict.fromkeys(tps, self.first), dict.fromkeys(tps, 1 << 40)

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        self.rewinds.append(dict(offsets))

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        self.commits.append(dict(offsets))

    async def committed(self, tps: set[TP]) -> Mapping[TP, int]:
        return {tp: self.committed_to for tp in tps if self.committed_to}

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        return self.ends.get(tp.topic, (None, None))


@dataclass
class Redis:
    """Store that answers each checkpoint with the next of `answers`, and then with OK."""

    answers: list[str] = field(default_factory=list)
    #: Exceptions of the next reads, in order.
    failures: list[Exception] = field(default_factory=list)
    stored: list[Checkpoint] = field(default_factory=list)
    loads: int = 0
    #: Stored epoch and position of each partition.
    claims: dict[int, tuple[int, str]] = field(default_factory=dict)
    #: Whether the next load finds no state.
    is_empty: bool = False
    generation: str = ""
    owner_name: str = "this worker"
    partitions: int = 16

    async def live_generation(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return ""

    async def load(self, partition: int) -> tuple[Claim, Shard]:
        """Stands in for a Loader as well."""
        self.loads += 1
        self.claims[partition] = self.loads, ""
        state = b"" if self.is_empty else b"state"
        return Claim("incarnation", self.loads, "", 0, state), shard(partition)

    async def owner(self, partition: int) -> tuple[str, int, str]:
        return self.owner_name, *self.claims.get(partition, (0, ""))

    async def store(self, claim: Claim, checkpoint: Checkpoint) -> None:
        if self.answers and (answer := self.answers.pop(0)) != "OK":
            raise CheckpointRefusedError(checkpoint.partition, answer)
        self.stored.append(checkpoint)
        self.claims[checkpoint.partition] = claim.epoch, checkpoint.reached

    async def read_people(self, partition: int, wanted: Iterable[str]) -> list[Person]:
        return [Person(key) for key in wanted]


class DeadLetters:
    """Accepts dead letters and keeps none."""

    async def take_over(self, partition: int) -> None: ...

    def put(self, partition: int, sequence: int, entries: list[bytes]) -> None: ...


def owner(store: Any, log: Any) -> ShardOwner:
    dead_letters: Any = DeadLetters()
    return ShardOwner(SETTINGS, store, store, log, dead_letters)


def partitions(*numbers: int) -> set[TP]:
    """Return these partitions of every input topic."""
    return {TP(topic, number) for topic in SETTINGS.topics.inputs for number in numbers}
