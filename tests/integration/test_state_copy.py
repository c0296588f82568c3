"""`engage state copy` gives another app the same state, each shard as of one checkpoint, without an owner."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import redis

from agents.commands.state.copy_state import run_copy
from stream.settings.application import Settings
from stream.store import keys
from stream.store.holding import Hold
from stream.store.keys import ShardKeys
from stream.store.published import PublishedState
from stream.store.shards import ClaimRefusedError
from tests.integration.stored_shop import (
    READ,
    dump,
    go_on,
    look_abandoned,
    publish,
    shop_log,
    stored_shop,
)
from tests.upgrade.worker import PARTITIONS, InProcessWorker

APP = Settings().app
#: Fields of a meta hash or a publisher that are its owner's.
OWN = {b"owner", b"epoch", b"incarnation", b"held"}


def state_of(url: str, app: str) -> dict[str, Any]:
    """Return everything that an app has in Redis, but for its owner."""
    found = {}
    for key, value in dump(url).items():
        if key.startswith((f"{{engage:{app}}}", f"{{engage:{app}:")):
            plain = isinstance(value, dict) and key.endswith((":meta", ":publisher"))
            kept = {f: v for f, v in value.items() if f not in OWN} if plain else value
            found[key.replace(f"engage:{app}", "engage:X", 1)] = kept
    return found


async def copied(settings: Settings, target: str) -> int:
    return await asyncio.to_thread(run_copy, settings, target)


async def test_a_copy_holds_the_same_and_is_counted_on_like_the_original(
    redis_address: tuple[str, bool], tmp_path: Path
) -> None:
    url, cluster = redis_address
    async with stored_shop(url, tmp_path, cluster=cluster) as worker:
        await publish(worker)
    before = state_of(url, APP)
    assert await copied(worker.settings, "rehearsal") == 0
    assert state_of(url, "rehearsal") == before == state_of(url, APP)
    client = redis.Redis.from_url(url)
    for partition in range(PARTITIONS):
        meta = client.hgetall(ShardKeys("rehearsal", partition).meta)
        assert meta[b"owner"] == b"" and b"held" not in meta
        assert meta[b"incarnation"] != client.hget(ShardKeys(APP, partition).meta, "incarnation")
    until = READ + 10
    expected = await go_on(url, tmp_path, cluster=cluster, app=APP, until=until)
    found = await go_on(url, tmp_path, cluster=cluster, app="rehearsal", until=until)
    assert found == expected


async def test_the_owner_of_a_copy_publishes_on_after_the_original(
    redis_url: str, tmp_path: Path
) -> None:
    async with stored_shop(redis_url, tmp_path) as worker:
        snapshot = await publish(worker)
        assert await copied(worker.settings, "rehearsal") == 0
    async with InProcessWorker('app = "rehearsal"', redis_url, tmp_path) as worker:
        for step, end in shop_log()[:READ]:
            worker.log.append(step, end)
        await worker.take_over()
        state = PublishedState(worker.client, worker.store, "rehearsal", PARTITIONS)
        progress = await state.progress()
        assert progress.revision >= snapshot.revision
        progress.revision += 1
        await state.publish(worker.claim(0).epoch, progress, b"of the copy")
        assert await state.snapshot() == b"of the copy"


async def test_shards_are_copied_as_of_one_checkpoint_while_a_worker_counts(
    redis_url: str, tmp_path: Path
) -> None:
    #: Shard and position → what was stored of the shard at that position.
    known: dict[tuple[int, bytes], Any] = {}
    client = redis.Redis.from_url(redis_url)

    async def keep_counting(worker: InProcessWorker) -> None:
        for step, end in shop_log()[READ:]:
            await worker.read(step, end)
            note_stored()
            await asyncio.sleep(0.01)

    def note_stored() -> None:
        for partition in range(PARTITIONS):
            known[head(APP, partition)] = shard_of(redis_url, APP, partition)

    def head(app: str, partition: int) -> tuple[int, bytes]:
        position = client.hget(ShardKeys(app, partition).meta, "position")
        assert isinstance(position, bytes)
        return partition, position

    copies = [f"copy{number}" for number in range(3)]
    async with stored_shop(redis_url, tmp_path) as worker:
        note_stored()
        counting = asyncio.create_task(keep_counting(worker))
        for app in copies:
            assert await copied(worker.settings, app) == 0
        assert not counting.done()
        counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await counting
        note_stored()
        assert worker.owner.counts.fenced == worker.owner.counts.conflicts == 0
    for app in copies:
        for partition in range(PARTITIONS):
            assert shard_of(redis_url, app, partition) == known[head(app, partition)]
    assert len({head(app, 0) for app in copies}) > 1


def shard_of(url: str, app: str, partition: int) -> dict[str, Any]:
    """Return everything stored of one shard, but for its owner and keys that a copy has frozen."""
    tag = f"engage:X:{partition}}}"
    return {k: v for k, v in state_of(url, app).items() if tag in k and not keys.is_frozen(k)}


async def test_an_existing_app_is_never_overwritten(
    redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stored_shop(redis_url, tmp_path, read=3) as worker:
        settings = worker.settings
    client = redis.Redis.from_url(redis_url)
    client.hset(keys.definitions("taken"), "dau", "{}")
    client.hset(ShardKeys("old.g1700000001", 0).meta, "epoch", 1)
    for target, said in (
        ("taken", "exists"), ("old", "exists"), (APP, "exists"), ("Upper", "no name"),
        ("a.g1700000001", "no name"), ("a:b", "no name"),
    ):  # fmt: skip
        before = dump(redis_url)
        assert await copied(settings, target) == 1
        assert said in capsys.readouterr().err
        assert dump(redis_url) == before


async def test_an_interrupted_copy_cannot_be_claimed_and_a_repetition_finishes_it(
    redis_address: tuple[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, cluster = redis_address
    async with stored_shop(url, tmp_path, cluster=cluster) as worker:
        settings = worker.settings
    change, done = Hold._change, 0

    async def breaks(self: Hold, *arguments: Any) -> None:
        nonlocal done
        done += 1
        if done > 150:
            raise OSError("the connection is gone")
        await change(self, *arguments)

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(Hold, "_change", breaks)
        await copied(settings, "rehearsal")
    text = f'app = "rehearsal"\n[redis]\ncluster = {str(cluster).lower()}\n'
    async with InProcessWorker(text, url, tmp_path) as other:
        with pytest.raises(ClaimRefusedError, match="engage state copy rehearsal"):
            await other.take_over()
    # A process that was killed has left what it had frozen as well.
    client = redis.Redis.from_url(url)
    client.hset(keys.frozen(ShardKeys(APP, 0).meta), "left", "over")
    look_abandoned(url)
    assert await copied(settings, "rehearsal") == 0
    assert state_of(url, "rehearsal") == state_of(url, APP)
    assert not any(map(keys.is_frozen, dump(url)))
