"""The meta hash of a stored shard: who owns it, what stored it, and why a worker refuses to take it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from stream.engine.checkpoint import READ_VERSIONS, read_stored
from stream.engine.stored.shard import StoredShard
from stream.settings.application import Settings
from stream.store.connection import RedisClient

#: A checkpoint younger than this says that its owner is at work; see `alive_seconds`.
ALIVE_SECONDS = 15.0


class StoredMeta(NamedTuple):
    """Fields of a shard's meta hash, and what is read from its state."""

    version: str
    partitions: str
    epoch: int
    owner: str
    position: str
    sequence: int
    #: The change that a command has begun and not finished; workers refuse the shard meanwhile.
    held: str
    #: Epoch seconds of the last checkpoint, by Redis' clock; None if an earlier version stored it.
    stored_at: float | None
    watermark_ms: int | None
    open_sessions: int
    #: All fields, as they are stored.
    raw: Mapping[bytes, bytes]


async def read_meta(client: RedisClient, key: str) -> StoredMeta | None:
    """Return a shard's meta; None if the shard is not stored."""
    raw = await client.execute_command("HGETALL", key)
    return parse_meta(raw) if raw else None


def parse_meta(raw: Mapping[bytes, bytes]) -> StoredMeta:
    """Return a meta hash as its fields; those that it lacks are empty."""
    text = {name.decode(): value.decode() for name, value in raw.items() if name != b"state"}
    version, at = text.get("version", ""), text.get("stored_at", "")
    shard = _state(version, raw.get(b"state", b""))
    return StoredMeta(
        version=version,
        partitions=text.get("partitions", ""),
        epoch=int(text.get("epoch") or 0),
        owner=text.get("owner", ""),
        position=text.get("position", ""),
        sequence=int(text.get("sequence") or 0),
        held=text.get("held", ""),
        stored_at=float(at) if at else None,
        watermark_ms=shard.watermark if shard else None,
        open_sessions=shard.open_sessions if shard else 0,
        raw=raw,
    )


def alive_seconds(settings: Settings) -> float:
    """Return the longest time between two checkpoints or snapshots of a worker that is well."""
    publish = settings.publish
    return max(ALIVE_SECONDS, 3 * max(publish.cut_seconds, publish.snapshot_seconds))


def is_alive(meta: StoredMeta, now: float, seconds: float = ALIVE_SECONDS) -> bool:
    """Whether the owner of a shard has stored a checkpoint just now; `now` is the time of Redis."""
    return bool(meta.owner) and meta.stored_at is not None and now - meta.stored_at < seconds


def _state(version: str, state: bytes) -> StoredShard | None:
    """Return the state that this version can read, else None."""
    if not state or version not in READ_VERSIONS:
        return None
    try:
        return read_stored(state)
    except msgspec.MsgspecError:
        return None


def refusal(app: str, partition: int, field: str, stored: str, wanted: Any) -> str:
    """Return why a worker refuses a stored shard, and the way on."""
    where = f"shard {partition} of app {app!r}"
    if field == "held":
        return (
            f"{where} is being changed by `engage state {stored}`, which has not finished. Wait for "
            "it, or run the same command again: it goes on where it stopped."
        )
    return (
        f"{where} was stored with {field} = {stored}; this worker has {wanted}. Use the old {field}, "
        "or another `app` name to count from the log again."
    )
