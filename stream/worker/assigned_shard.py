"""A partition number assigned to this worker, and the shard loaded for it."""

import asyncio
from dataclasses import dataclass, field

from stream.engine.shard import Shard
from stream.engine.watermark import IdleHold
from stream.store.shards import Claim
from stream.worker.contiguity import ContiguityGuard
from stream.worker.rejection_limit import RejectionLimit
from stream.worker.watch.heaviest import HeaviestPerson
from stream.worker.watch.topics import IdleWatch, StallWatch


@dataclass(slots=True, eq=False)
class LoadedShard:
    """A shard in memory, the claim that makes it this worker's, and the watches over its reading.

    One object from loading until the shard is given up: code that has waited compares identities.
    """

    shard: Shard
    claim: Claim
    guard: ContiguityGuard
    rejections: RejectionLimit
    idle: IdleWatch
    stalls: StallWatch
    #: Position and watermark of the last stored checkpoint.
    position: str
    stored_watermark: int | None
    heaviest: HeaviestPerson = field(default_factory=HeaviestPerson)


@dataclass(slots=True, eq=False)
class AssignedShard:
    """A partition number that is this worker's; `loaded` is None until its shard is in memory."""

    partition: int
    loaded: LoadedShard | None = None
    #: Why the shard cannot be loaded; empty otherwise.
    load_problem: str = ""
    #: Generation of the state, and how far its checkpoints reached while this worker had the shard.
    reached: tuple[str, dict[str, int]] = field(default_factory=lambda: ("", {}))
    #: Monotonic seconds at which the shard was given up; 0 while it is loaded.
    given_up_at: float = 0.0
    #: Set while batches need not wait: the shard is loaded, or is not coming back.
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    #: Held while a checkpoint is stored or the shard is loaded.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    idle_hold: IdleHold = field(default_factory=IdleHold)

    @property
    def shard(self) -> Shard | None:
        """The shard in memory."""
        return self.loaded.shard if self.loaded else None

    @property
    def claim(self) -> Claim | None:
        """The claim on the shard in memory."""
        return self.loaded.claim if self.loaded else None

    @property
    def problem(self) -> str:
        """Why events of this partition are not counted; empty if they are."""
        return self.load_problem or (self.loaded.rejections.problem if self.loaded else "")

    def begin(self, loaded: LoadedShard) -> None:
        """Hold a shard that was just loaded, and let batches in."""
        self.loaded, self.load_problem, self.given_up_at = loaded, "", 0.0
        self.ready.set()

    def give_up(self) -> None:
        """Forget the shard in memory; batches wait until it is loaded again."""
        self.ready.clear()
        self.loaded = None

    def release(self) -> None:
        """Forget the shard for good; batches that waited find none and are dropped."""
        self.loaded, self.load_problem = None, ""
        self.ready.set()
