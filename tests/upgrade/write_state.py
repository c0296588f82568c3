"""Write `state_6131ed2.json.xz`: the state that a worker of commit 6131ed2 stored, and what it held.

The script runs in a worktree of that commit and imports its modules by their names of then. A
renaming must leave this file alone. Run it from the root, with the environment of `make test`:

    git worktree add --detach ../before 6131ed2
    PYTHONPATH=../before .venv/bin/python tests/upgrade/write_state.py
    git worktree remove ../before

The log comes from `invented_log.py`. Two runs differ only in what follows from the clock:
incarnations, epochs, and the sequences of the checkpoints.
"""

import asyncio
import json
import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from faust.types import TP
from invented_log import HALF_MS, PARTITIONS, Logged, step_ends, steps
from stream.cut import read_stored
from stream.fetch import Fetched
from stream.fingerprints import fingerprints
from stream.outgoing import LedgerPump, Outgoing
from stream.owner import Owner
from stream.published import PublishedState
from stream.publishing import Publisher
from stream.redis_client import connect_redis
from stream.rules import build_rules
from stream.shard import Shard
from stream.snapshot import encode_snapshot

from stream.metrics import catalogue
from stream.metrics.metric import required_grains
from stream.people import Person
from stream.sessions import Session
from stream.settings import definition_version, load_settings
from stream.store import Store
from tests.servers.redis_server import RedisServer

HERE = Path(__file__).parent
SEED = 6131
#: Settings file of this directory → generation of the state; "" is the first.
VARIANTS = {"usual": "", "detailed": "recount"}
#: The publisher runs on the last day only. Older dead letters count as sent.
LAST_DAY_MS = HALF_MS - 24 * 3_600_000


class LogRecord(NamedTuple):
    """Record as Kafka hands it out."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes


class MemoryLog:
    """Kafka as the shard owner sees it: every partition is read to its end."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.records: dict[TP, list[LogRecord]] = {
            TP(topic, p): [] for topic in topics for p in range(PARTITIONS)
        }
        self.positions: dict[TP, int] = {}
        self.now_ms = 0

    def append(self, step: Sequence[Logged], now_ms: int) -> None:
        """Add records, and move the clock of the broker."""
        self.now_ms = now_ms
        for topic, partition, timestamp, kind, key, text in step:
            log = self.records[TP(topic, partition)]
            raw_key = None if key is None else key.encode()
            log.append(LogRecord(len(log), timestamp, kind, raw_key, text.encode("latin-1")))

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        return dict.fromkeys(tps, 0), {tp: len(self.records[tp]) for tp in tps}

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        self.positions.update(offsets)

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        pass

    def read_to(self, tp: TP) -> tuple[int, int]:
        return len(self.records[tp]), self.now_ms


class OldWorker:
    """Both shards of an application, and its publisher."""

    def __init__(self, file: Path, url: str, generation: str) -> None:
        self.settings = load_settings(file, {"ENGAGE_REDIS_URL": url})
        self.client = connect_redis(self.settings)
        self.store = Store(self.client, self.settings.app, "the old worker", PARTITIONS)
        self.store.generation = generation
        self.log = MemoryLog(self.settings.topics.inputs)
        rules, metrics = build_rules(self.settings), catalogue(self.settings)
        # The pump never runs, so dead letters stay in Redis.
        pump = LedgerPump(self.store, Outgoing(self.settings), self.settings.topics.ledger)
        grains = required_grains(metrics)
        self.owner = Owner(
            self.settings, rules, grains, self.store, self.log, pump, _count_messages
        )
        self.state = PublishedState(self.client, self.store, self.settings.app, PARTITIONS)
        self.publisher = Publisher(self.state, metrics, rules, definition_version(self.settings))

    async def start(self) -> None:
        """Claim the shards."""
        if self.store.generation:
            await self.store.make_live()
        self.log.positions.update(await self.owner.assigned(set(self.log.records)))

    async def read(self, step: Sequence[Logged], now_ms: int) -> None:
        """Let a step of the log arrive, fold it, and store what it has changed."""
        self.log.append(step, now_ms)
        for tp, records in self.log.records.items():
            start = self.log.positions[tp]
            batch = Fetched(start, len(records), records[start:])
            await self.owner.consume(tp.topic, tp.partition, batch)
            self.log.positions[tp] = len(records)
        await self.owner.tick()

    async def forget_dead_letters(self) -> None:
        """Delete them, as the pump does once Kafka has them."""
        for partition in range(PARTITIONS):
            for sequence in await self.store.ledger_waiting(partition):
                await self.store.ledger_done(partition, sequence)

    async def publish(self, now_ms: int) -> int:
        """Publish once, as if Kafka took all records. Return the revision."""
        if self.publisher.progress is None:
            await self.state.note_definitions(fingerprints(self.settings), now_ms)
        snapshot = await self.publisher.refresh(now_ms)
        for _ in self.publisher.due_records(snapshot):
            pass
        self.publisher.acknowledged(snapshot)
        progress, claim = self.publisher.progress, self.owner.owned[0].claim
        assert progress is not None and claim is not None
        await self.state.publish(claim.epoch, progress, encode_snapshot(snapshot))
        return progress.revision

    async def held(self) -> list[Any]:
        """Describe the shards as they are in memory."""
        shards = [owned.shard for _, owned in sorted(self.owner.owned.items())]
        return [await _held(shard, self.store) for shard in shards if shard is not None]

    async def dump(self) -> Any:
        """Describe all keys of the database."""
        found = {key.decode("latin-1"): key for key in await self.client.keys("*")}
        return {name: await _dumped(self.client, found[name]) for name in sorted(found)}


async def write_variant(name: str, url: str, log_steps: Sequence[Sequence[Logged]]) -> Any:
    """Let a worker with these settings read the log up to HALF_MS. Describe its state."""
    file, ends = HERE / f"{name}.toml", step_ends()
    worker = OldWorker(file, url, VARIANTS[name])
    await worker.start()
    for step, end in zip(log_steps[: ends.index(HALF_MS) + 1], ends, strict=False):
        await worker.read(step, end)
        if end <= LAST_DAY_MS:
            await worker.forget_dead_letters()
        else:
            await worker.publish(end)
    await worker.owner.finish()
    revision = await worker.publish(HALF_MS)
    assert worker.owner.fatal is None and not worker.owner.problem
    held, keys = {"shards": await worker.held(), "revision": revision}, await worker.dump()
    await worker.client.flushall()
    await worker.client.aclose()
    return {"settings": file.read_text("utf-8"), "keys": keys, "held": held}


async def _count_messages(messages: Any) -> int:
    """Take the place of the producer of churn risks."""
    return len(list(messages))


async def _dumped(client: Any, key: bytes) -> Any:
    """Describe a key as JSON, bytes as Latin-1. The format of DUMP depends on the Redis version."""
    kind = (await client.type(key)).decode()
    if kind == "string":
        return (await client.get(key)).decode("latin-1")
    if kind == "zset":
        members = await client.zrange(key, 0, -1, withscores=True)
        return [[member.decode("latin-1"), int(score)] for member, score in members]
    assert kind == "hash", kind
    fields = await client.hgetall(key)
    return {f.decode("latin-1"): v.decode("latin-1") for f, v in sorted(fields.items())}


async def _held(shard: Shard, store: Store) -> Any:
    """Describe a shard in memory, and its people as the old code reads them."""
    meta = store.keys(shard.partition).meta
    raw = await store._client.execute_command("HGET", meta, "state")
    topics = read_stored(raw).topics
    keys = sorted({**shard.people.young, **shard.people.old})
    people = await store.read_people(shard.partition, keys)
    risk = shard.churn_risk
    assert risk is not None
    return {
        "sequence": shard.sequence,
        "watermark": shard.watermark,
        "open_sessions": shard.visits.open_count,
        "reopened": shard.visits.reopened,
        "topics": {
            name: [s.start, s.next, s.clock, topics[name].recall_offset,
                   topics[name].recall_clock, s.counts, s.reasons]
            for name, s in sorted(shard.topics.items())
        },
        "series": {str(i): list(one) for i, one in sorted(shard.names.series.items())},
        # In the texts and the order of the dump, so that both compress as one.
        "buckets": {
            f"{int(grain)}:{index}": dict(sorted((str(i), str(n)) for i, n in counts.items()))
            for grain, table in shard.counters.tables.items()
            for index, counts in sorted(table.items())
        },
        "people": {key: person_held(one) for key, one in zip(keys, people, strict=True)},
        "risk": msgspec.to_builtins(risk.stored()),
        "dead_letters": [
            entry.decode("latin-1")
            for sequence in await store.ledger_waiting(shard.partition)
            for entry in await store.ledger_entries(shard.partition, sequence)
        ],
    }  # fmt: skip


def person_held(person: Person) -> Any:
    """Describe everything that is stored of a person."""
    hours = person.hours
    marks = (person.active, person.live, person.clicked, *([] if hours is None else [hours]))
    return {
        "marks": [[[list(ids), *mark] for mark, ids in one.items()] for one in marks],
        "sessions": [session_held(session) for session in person.sessions],
        "subscriptions": person.subscriptions,
        "history": person.facts,
    }


def session_held(s: Session) -> Any:
    """Describe everything that is stored of a session."""
    trail = s.trail
    pings = None if trail is None else trail.pings
    return [
        s.sid.hex() if isinstance(s.sid, bytes) else s.sid,
        [s.start, s.end, s.profile_id, s.page_views, s.actions, s.marks],
        [s.interactive, s.real, s.closed, s.joined, s.platform, s.campaign],
        None if trail is None else [
            trail.entry_ms, trail.entry_page, trail.second_ms, trail.exit_ms, trail.exit_page,
            sorted(trail.looks.items()), sorted(trail.path),
        ],
        None if pings is None else [
            sorted(view.hex() for view in pings.views),
            sorted((view.hex(), page, time_ms) for view, page, time_ms in pings.beats),
            sorted((view.hex(), page, n) for (view, page), n in pings.depths.items()),
        ],
    ]  # fmt: skip


def main() -> None:
    """Write the fixture."""
    log_steps = steps(SEED)
    with RedisServer() as server:
        variants = {
            name: asyncio.run(write_variant(name, server.url, log_steps)) for name in VARIANTS
        }
    ends = step_ends()
    fixture = {
        "commit": "6131ed2",
        "seed": SEED,
        "ends": ends,
        "steps": log_steps,
        "read": ends.index(HALF_MS) + 1,
        "variants": variants,
    }
    text = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"), default=bytes.hex)
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (HERE / "state_6131ed2.json.xz").write_bytes(packed)
    print(f"{len(text)} characters, {len(packed)} bytes")


if __name__ == "__main__":
    main()
