"""Answers stay right while checkpoints are written, shards change hands, and states are replaced."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from stream.store.column_cache import ColumnCache
from tests.queries.service import Service
from tests.queries.test_refusals import DAY_MS, NOW_MS, view

Client = TestClient[Any, Any]
ASKED = "/api/query?metric=page_views&from=2026-10-20&site=shop"


@pytest.fixture
async def service(redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with Service(redis_url, tmp_path, 'app = "consistency"\n') as service:
        await service.count([view(number, days_ago=10 - number) for number in range(11)], NOW_MS)
        yield service


async def values(client: Client, asked: str) -> dict[tuple[str, str], float]:
    """Return (day, country) → value."""
    body = await (await client.get(asked)).json()
    return {
        (r["window"]["start"][:10], r["dimensions"].get("country", "")): r["value"]
        for r in body["records"]
    }


async def test_a_bucket_is_read_before_or_after_a_checkpoint(service: Service) -> None:
    """The countries of a day add up to the day, in every answer during a thousand events."""
    client = await service.client()
    is_over = asyncio.Event()

    async def write() -> None:
        for number in range(100, 1100, 20):
            events = [view(number + n, days_ago=n % 3 / 2) for n in range(20)]
            for n, event in enumerate(events):
                event["context"] = {"country": f"C{(number + n) % 60}"}
            await service.count(sorted(events, key=lambda e: e["event_time"]), NOW_MS + number)
            await asyncio.sleep(0.002)
        is_over.set()

    writing = asyncio.create_task(write())
    totals = []
    while not is_over.is_set():
        both = await values(client, f"{ASKED}&metric=sessions")
        assert both
        shown = await values(client, ASKED + "&by=country")
        whole = await (await client.get(f"{ASKED}&by=country&step=all")).json()
        assert whole["records"]
        totals.append(sum(shown.values()))
    await writing
    assert totals == sorted(totals)
    assert len(set(totals)) > 5
    whole_days = await values(client, ASKED)
    shown = await values(client, ASKED + "&by=country")
    assert sum(whole_days.values()) == sum(shown.values()) == 1011


async def test_counts_kept_in_memory_are_renewed(service: Service) -> None:
    client = await service.client()
    first = await values(client, ASKED)
    await service.count([view(50), view(51)], NOW_MS + 1000)
    second = await values(client, ASKED)
    changed = {key: second[key] - first[key] for key in second if second[key] != first[key]}
    assert changed == {("2026-11-04", ""): 2}


async def test_a_new_value_of_a_dimension_appears(service: Service) -> None:
    client = await service.client()
    assert {country for _, country in await values(client, ASKED + "&by=country")} == {"DE"}
    event = view(60)
    event["context"] = {"country": "FR"}
    await service.count([event], NOW_MS + 1000)
    assert {country for _, country in await values(client, ASKED + "&by=country")} == {"DE", "FR"}


async def test_a_shard_that_is_claimed_again_is_read_anew(service: Service) -> None:
    client = await service.client()
    first = await values(client, ASKED)
    for partition in range(2):
        await service.worker.store.claim(partition)
    assert await values(client, ASKED) == first


async def test_another_generation_of_the_state_is_read_anew(service: Service) -> None:
    client = await service.client()
    assert sum((await values(client, ASKED)).values()) == 11
    service.worker.store.generation = "next"
    assert sum((await values(client, ASKED)).values()) == 0


async def test_levels_are_right_after_days_are_dropped(redis_url: str, tmp_path: Path) -> None:
    """A level of a dropped day is in the oldest one kept: it counts once, also from memory."""
    settings = 'app = "levels"\n[time]\nday_retention_days = 70\n'
    async with Service(redis_url, tmp_path, settings) as service:
        client = await service.client()

        def started(number: int, days: int) -> dict[str, Any]:
            return {
                "type": "subscription_started", "event_id": f"s{number}", "user_id": f"u{number}",
                "event_time": NOW_MS + days * DAY_MS, "site": "shop", "subscription_id": f"i{number}",
                "mrr": 10,
            }  # fmt: skip

        asked = "/api/query?metric=mrr,active_customers&step=day"
        for number in range(0, 150, 3):
            await service.count([started(number, number)], NOW_MS + number * DAY_MS)
            body = await (await client.get(asked)).json()
            newest = {r["metric"]: r["value"] for r in body["records"]}
            assert newest == {"mrr": 10 * (number // 3 + 1), "active_customers": number // 3 + 1}
            assert service.snapshot is not None
            shown = {
                g.metric: g.value
                for g in service.snapshot.gauges
                if g.metric in newest and g.window == "day" and not g.dimension
            }
            assert shown == newest, "the publisher reads them too"


def test_the_cache_drops_what_is_unused_longest() -> None:
    from stream.counters.measures import Grain
    from stream.publish.query import Column

    column = Column("page_views", "shop", "", None)
    segment = ("shop", "", "")
    cache = ColumnCache(bytes_max=1_500)
    for day in range(3):
        cache.put((Grain.DAY, day), {column: {segment: {"page_views": day}}})
    assert cache.rows((Grain.DAY, 0), [column]) == {segment: {"page_views": 0}}
    cache.put((Grain.DAY, 3), {column: {segment: {"page_views": 3}}})
    cache.trim()
    kept = [day for day in range(4) if not cache.missing((Grain.DAY, day), [column])]
    assert kept == [0, 2, 3] or kept == [0, 3]
    assert 0 < cache.bytes <= 1_500
