"""`engage state remove` takes away a site, a generation or an app, and nothing else, whatever interrupts it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from agents.cli.main import main
from agents.commands.state.remove_state import Removal, run_remove
from stream.publish.snapshot import decode_snapshot
from stream.settings.application import Settings
from stream.store import keys
from stream.store.holding import Hold
from stream.store.keys import ShardKeys
from stream.store.shards import ClaimRefusedError
from tests.integration.stored_shop import (
    READ,
    dump,
    go_on,
    look_abandoned,
    numbers,
    people_keys,
    publish,
    shop_log,
    stored_shop,
)
from tests.upgrade.worker import PARTITIONS, InProcessWorker

APP = Settings().app


async def removed(settings: Settings, removal: Removal) -> int:
    return await asyncio.to_thread(run_remove, settings, removal, yes=True, dry_run=False)


async def store(url: str, directory: Path, *, cluster: bool = False) -> Settings:
    """Store the shop and its snapshot; nobody owns it."""
    async with stored_shop(url, directory, cluster=cluster) as worker:
        await publish(worker)
    look_abandoned(url)
    return worker.settings


async def test_a_removed_site_leaves_no_trace_and_every_other_number_as_it_was(
    redis_address: tuple[str, bool], tmp_path: Path
) -> None:
    url, cluster = redis_address
    async with stored_shop(url, tmp_path, cluster=cluster) as worker:
        before = await publish(worker)
        kept = await numbers(worker)
    assert kept["shop"] and {gauge.site for gauge in before.gauges} == {"default", "shop"}
    look_abandoned(url)
    assert await removed(worker.settings, Removal(site="shop")) == 0

    client = redis.Redis.from_url(url)
    raw = client.get(keys.snapshot(APP))
    assert isinstance(raw, bytes)
    after = decode_snapshot(raw)
    assert after.gauges == [gauge for gauge in before.gauges if gauge.site == "default"]
    assert after.counts == [count for count in before.counts if count.site == "default"]
    people = 0
    for partition in range(PARTITIONS):
        shard = ShardKeys(APP, partition)
        assert not any(b'"shop"' in name for name in client.hvals(shard.names))
        people += client.hlen(shard.people)
        assert client.hget(shard.meta, "held") is None
    now = await go_on(url, tmp_path, cluster=cluster, app=APP, until=READ)
    assert now == {"default": kept["default"], "shop": {}}
    known = set(people_keys()["default"])
    assert people == sum(place.split("/", 1)[1] in known for place in now["default"])


async def test_after_a_removal_the_other_sites_are_counted_on_exactly(
    redis_url: str, tmp_path: Path
) -> None:
    settings = await store(redis_url, tmp_path)
    before = dump(redis_url)
    expected = await go_on(redis_url, tmp_path, cluster=False, app=APP, until=READ + 30)
    restore(redis_url, before)
    assert await removed(settings, Removal(site="shop")) == 0
    found = await go_on(redis_url, tmp_path, cluster=False, app=APP, until=READ + 30)
    assert found["default"] == expected["default"]
    # The site comes back with its later events.
    assert 0 < len(found["shop"]) < len(expected["shop"])


def restore(url: str, stored: dict[str, object]) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushall()
        for key, value in stored.items():
            if isinstance(value, dict):
                client.hset(key, mapping=value)
            elif isinstance(value, list):
                client.zadd(key, dict(value))
            else:
                client.set(key, value)  # type: ignore[arg-type]


async def test_an_interrupted_removal_keeps_workers_out_until_it_is_finished(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = await store(redis_url, tmp_path)
    kept = (await go_on(redis_url, tmp_path, cluster=False, app=APP, until=READ))["default"]
    look_abandoned(redis_url)
    for stops_after in (3, 40, 400):
        done = 0
        change = Hold._change

        async def breaks(self: Hold, *arguments: object) -> None:
            nonlocal done
            done += 1
            if done > stops_after:  # noqa: B023
                raise OSError("the connection is gone")
            await change(self, *arguments)  # type: ignore[arg-type]  # noqa: B023

        with monkeypatch.context() as patched, pytest.raises(OSError):
            patched.setattr(Hold, "_change", breaks)
            await removed(settings, Removal(site="shop"))
        async with InProcessWorker("", redis_url, tmp_path) as worker:
            with pytest.raises(ClaimRefusedError, match="engage state remove --site shop"):
                await worker.take_over()
    assert await removed(settings, Removal(site="default")) == 1  # Another removal is refused.
    assert await removed(settings, Removal(site="shop")) == 0
    now = await go_on(redis_url, tmp_path, cluster=False, app=APP, until=READ)
    assert now == {"default": kept, "shop": {}}


async def test_it_is_refused_while_a_worker_counts(
    redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stored_shop(redis_url, tmp_path, read=20) as worker:
        counting = asyncio.create_task(keep_counting(worker))
        for removal in (Removal(site="shop"), Removal(app=APP)):
            assert await removed(worker.settings, removal) == 1
            assert "the new worker is counting" in capsys.readouterr().err
        counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await counting
        assert worker.owner.counts.fenced == 0
    assert ShardKeys(APP, 0).meta in dump(redis_url)


async def keep_counting(worker: InProcessWorker) -> None:
    for step, end in shop_log()[20:]:
        await worker.read(step, end)
        await asyncio.sleep(0.1)


async def test_a_worker_that_comes_back_during_a_removal_is_fenced_and_refused(
    redis_url: str, tmp_path: Path
) -> None:
    async with stored_shop(redis_url, tmp_path, read=20) as worker:
        look_abandoned(redis_url)  # It has stalled, and seems to be gone.
        before = dump(redis_url, "*:people")
        hold = Hold(worker.client, APP, "remove --site shop")
        await hold.take(range(PARTITIONS))
        step, end = shop_log()[20]
        await worker.read(step, end)
        assert worker.owner.counts.fenced == PARTITIONS
        assert dump(redis_url, "*:people") == before
        async with InProcessWorker("", redis_url, tmp_path) as other:
            with pytest.raises(ClaimRefusedError, match="remove --site shop"):
                await other.take_over()


async def test_only_a_generation_that_is_not_live_is_removed(
    redis_address: tuple[str, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, cluster = redis_address
    settings = await store(url, tmp_path, cluster=cluster)
    live = dump(url)
    name = f"{APP}.g1700000001"
    client = redis.Redis.from_url(url)
    client.hset(
        ShardKeys(name, 0).meta, mapping={"epoch": 1, "version": "2", "owner": "backfill:1"}
    )
    for number in range(1200):
        client.hset(f"{ShardKeys(name, 0).meta.removesuffix('meta')}c:m{number}", "1", 1)
    client.hset(ShardKeys(name, 1).people, "someone", "left without a meta hash")
    look_abandoned(url)
    live = {key: value for key, value in dump(url).items() if name not in key}
    assert await removed(settings, Removal(generation="first")) == 1
    assert "is live" in capsys.readouterr().err
    assert await removed(settings, Removal(generation="g1700000009")) == 1
    assert await removed(settings, Removal(generation="g1700000001")) == 0
    assert dump(url) == live


@pytest.mark.parametrize("live", ["", "g1700000001"])
async def test_a_removed_app_leaves_nothing_and_other_apps_alone(
    live: str, redis_address: tuple[str, bool], tmp_path: Path
) -> None:
    url, cluster = redis_address
    settings = await store(url, tmp_path, cluster=cluster)
    client = redis.Redis.from_url(url)
    for other in (f"{APP}.g1700000001", f"{APP}2", "other", f"{APP}2.g1700000001"):
        client.hset(ShardKeys(other, 0).meta, mapping={"epoch": 1, "version": "2"})
    if live:
        client.set(keys.generation(APP), live)
    assert await removed(settings, Removal(app=APP)) == 0
    assert set(dump(url)) == {
        ShardKeys(other, 0).meta for other in (f"{APP}2", "other", f"{APP}2.g1700000001")
    }
    assert await removed(settings, Removal(app=APP)) == 1


async def test_a_dry_run_and_a_no_change_nothing(redis_url: str, tmp_path: Path) -> None:
    await store(redis_url, tmp_path)
    before = dump(redis_url)
    environ = {"ENGAGE_REDIS_URL": redis_url}
    run: Callable[..., Awaitable[object]] = asyncio.to_thread
    for options, answer, code, said in (
        (["--site", "shop", "--dry-run"], "", 0, "site shop"),
        (["--app", APP], "n\n", 1, "2 sites"),
        (["--site", "nowhere", "--yes"], "", 1, "default, shop"),
        (["--site", "shop", "--app", APP], "", 2, "give one of"),
        ([], "", 2, "give one of"),
    ):
        line = ["state", "remove", *options]
        result = await run(CliRunner().invoke, main, line, input=answer, env=environ)
        assert result.exit_code == code, result.output  # type: ignore[attr-defined]
        assert said in result.output  # type: ignore[attr-defined]
    assert dump(redis_url) == before
