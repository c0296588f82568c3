"""Every Redis key, one property or function per key.

All keys of a shard share the hash tag `{engage:<app>:<p>}`, so they live in one slot of a cluster.
"""

from stream.counters.measures import Grain
from stream.counters.table import BucketKey

_GRAIN_LETTERS = {Grain.MINUTE: "m", Grain.HOUR: "h", Grain.DAY: "d", Grain.ALL: "a"}
_GRAINS = {letter: grain for grain, letter in _GRAIN_LETTERS.items()}

_FROZEN = "copy:"


class ShardKeys:
    """The keys of one shard; `app` is the name of the state, see `state_name`."""

    def __init__(self, app: str, partition: int) -> None:
        self._tag = f"{{engage:{app}:{partition}}}"

    @property
    def meta(self) -> str:
        """Hash: incarnation, epoch, owner, position, sequence, state, version, partitions, stored_at.

        The id of the cluster, and `topic:` and the name of each topic with its id: see `log_identity`.
        `held` names the command that changes the shard; workers refuse it meanwhile.
        """
        return f"{self._tag}:meta"

    @property
    def people(self) -> str:
        """Hash: digest of a person's key → packed person."""
        return f"{self._tag}:people"

    @property
    def names(self) -> str:
        """Hash: id → JSON name of a segment or of a series."""
        return f"{self._tag}:names"

    @property
    def opened(self) -> str:
        """Hash: person's key → "earliest expiry in epoch ms;number" of their open sessions."""
        return f"{self._tag}:open"

    @property
    def changed(self) -> str:
        """Sorted set: bucket → sequence of the checkpoint that changed it last. Lists all buckets."""
        return f"{self._tag}:changed"

    @property
    def ledger(self) -> str:
        """Hash: sequence of a checkpoint → its dead letters (msgpack array, zstd), until Kafka has them."""
        return f"{self._tag}:ledger"

    def bucket(self, key: BucketKey) -> str:
        """Hash: series id → count, in one time bucket."""
        return f"{self._tag}:c:{bucket_name(key)}"


def bucket_name(key: BucketKey) -> str:
    """Return the name of a bucket in keys and in the sorted set `changed`."""
    grain, index = key
    return f"{_GRAIN_LETTERS[grain]}{index}"


def frozen(key: str) -> str:
    """Return the key beside a shard's key under which `engage state copy` freezes it."""
    tag, _, rest = key.partition("}:")
    return f"{tag}}}:{_FROZEN}{rest}"


def is_frozen(key: str) -> bool:
    """Whether a key is one of `frozen`, left over by a copy that was interrupted."""
    return f"}}:{_FROZEN}" in key


def parse_bucket(name: str) -> BucketKey:
    """Return the bucket of a `bucket_name`. Raises KeyError or ValueError for any other text."""
    return _GRAINS[name[0]], int(name[1:])


def generation(app: str) -> str:
    """String: the live generation of the state; absent for the first."""
    return f"{{engage:{app}}}:generation"


def state_name(app: str, generation: str) -> str:
    """Return the name that stands for the app in the keys of one generation of its state."""
    return f"{app}.{generation}" if generation else app


def snapshot(app: str) -> str:
    """String: the snapshot as msgpack, written by the owner of shard 0, read by all workers."""
    return f"{{engage:{app}}}:snapshot"


def publisher(app: str) -> str:
    """Hash: epoch, owner, revision and progress of the publisher."""
    return f"{{engage:{app}}}:publisher"


def workers(app: str) -> str:
    """Hash: name of a worker → msgpack of its last report."""
    return f"{{engage:{app}}}:workers"


def definitions(app: str) -> str:
    """Hash: metric → JSON of the definition its counts were made with."""
    return f"{{engage:{app}}}:definitions"


def published(app: str) -> tuple[str, ...]:
    """All keys of an app or generation beside its shards and the pointer. They share a slot."""
    return publisher(app), snapshot(app), definitions(app), workers(app)
