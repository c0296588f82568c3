"""`engage state list` and `engage check` say what is stored, on a server and on a cluster."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import redis

from agents.commands.check_state import state_findings
from agents.commands.state.list_states import run_state_list
from stream.configure.load import load_settings
from stream.engine.checkpoint import STATE_VERSION
from stream.settings.application import Settings
from stream.store.keys import ShardKeys, generation
from tests.integration.stored_shop import SITES, stored_shop
from tests.upgrade.worker import PARTITIONS, InProcessWorker

APP = Settings().app


def listed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run_state_list(settings, "json", False) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


async def store_shop(url: str, directory: Path, is_cluster: bool) -> Settings:
    async with stored_shop(url, directory, cluster=is_cluster) as worker:
        return worker.settings


def test_the_list_names_states_sites_sizes_and_owners(
    redis_address: tuple[str, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, is_cluster = redis_address
    settings = asyncio.run(store_shop(url, tmp_path, is_cluster))
    client = redis.Redis.from_url(url)
    client.set("{engage:else}:not-ours", 1)
    client.set("another program's key", 1)
    (other, state) = listed(settings, capsys)
    assert other["app"] == "else" and other["shards"] == 0
    assert (state["app"], state["generation"], state["standing"]) == (APP, "", "live")
    assert (state["shards"], state["partitions"], state["version"]) == (
        PARTITIONS,
        "2",
        str(STATE_VERSION),
    )
    assert list(state["sites"]) == list(SITES) and all(state["sites"].values())
    assert state["owners"] == ["the new worker"]
    assert 0 <= state["last_checkpoint_seconds_ago"] < 600
    assert state["counted_to"].startswith("2025-")
    stored = list(client.scan_iter(f"{{engage:{APP}*", count=1000))
    assert state["keys"] == len(stored) > 100
    sizes = sum(client.memory_usage(key) or 0 for key in stored)
    assert state["bytes_sampled"] == pytest.approx(sizes, rel=0.2)

    assert run_state_list(settings, "table", False) == 0
    shown = capsys.readouterr().out
    assert "live" in shown and "samples" in shown and "the new work" in shown
    assert run_state_list(settings, "table", True) == 0
    assert "shop" in capsys.readouterr().out


def test_old_and_unfinished_generations_are_told_apart(
    redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client, settings = redis.Redis.from_url(redis_url), settings_of(redis_url)
    for name in (APP, f"{APP}.g1700000001", f"{APP}.g1700000002", "b.g1700000009"):
        client.hset(ShardKeys(name, 0).meta, mapping={"epoch": 1, "version": "2"})
    client.set(generation(APP), "g1700000001")
    found = {(row["app"], row["generation"]): row["standing"] for row in listed(settings, capsys)}
    assert found == {
        (APP, ""): "old",
        (APP, "g1700000001"): "live",
        (APP, "g1700000002"): "unfinished",
        ("b", "g1700000009"): "unfinished",
    }
    warned = [f for f in state_findings(settings) if f.level == "warning"]
    assert [f.advice for f in warned] == [
        "engage state remove --generation first",
        "engage state remove --generation g1700000002",
    ]


def settings_of(url: str) -> Settings:
    return load_settings(None, {"ENGAGE_REDIS_URL": url})


@pytest.mark.parametrize(("field", "stored"), [("version", "1"), ("held", "remove --site x")])
async def test_check_says_before_the_start_what_a_worker_would_refuse(
    field: str, stored: str, redis_url: str, tmp_path: Path
) -> None:
    async with stored_shop(redis_url, tmp_path, read=3) as worker:
        settings = worker.settings
    client = redis.Redis.from_url(redis_url)
    before = await asyncio.to_thread(lambda: list(state_findings(settings)))
    assert {finding.level for finding in before} == {"ok"}
    client.hset(ShardKeys(APP, 0).meta, field, stored)
    found = await asyncio.to_thread(lambda: list(state_findings(settings)))
    (error,) = [finding for finding in found if finding.level == "error"]
    async with InProcessWorker("", redis_url, tmp_path) as worker:
        with pytest.raises(Exception, match="shard 0"):
            await worker.take_over()
        assert worker.owner.problem == f"{error.found}. {error.advice}"


async def test_check_names_the_owners_that_are_counting(redis_url: str, tmp_path: Path) -> None:
    async with stored_shop(redis_url, tmp_path, read=3) as worker:
        settings = worker.settings
    found = await asyncio.to_thread(lambda: [f.found for f in state_findings(settings)])
    assert found == ["2 shards, counted now by the new worker"]
    client = redis.Redis.from_url(redis_url)
    for partition in range(PARTITIONS):
        client.hset(ShardKeys(APP, partition).meta, "stored_at", 1_700_000_000)
    found = await asyncio.to_thread(lambda: [f.found for f in state_findings(settings)])
    assert found == ["2 shards, no worker is counting"]
