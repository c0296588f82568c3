"""Loading a shard waits for Redis a few times, not once a bucket: a busy worker does other work in each wait."""

import json
from typing import Any

from msgspec.structs import replace

from schemas.codec import parse
from stream.configure.compile import build_rules
from stream.counters.measures import Grain
from stream.engine.checkpoint import restore, take_checkpoint
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.people.person import Person
from stream.report.file_report import Line
from stream.settings.application import Settings
from stream.settings.connections import RedisSettings
from stream.store.connection import connect_redis
from stream.store.shards import Store

DAYS, DAY_MS, BEGIN_MS = 300, 86_400_000, 1_700_000_000_000


class Counted:
    """A client that counts how often its callers wait."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.waits = 0

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        self.waits += 1
        return self._client.execute_command(*arguments, **options)

    def pipeline(self, transaction: Any) -> Any:
        self.waits += 1
        return self._client.pipeline(transaction=transaction)


def shard(settings: Settings) -> Shard:
    grains = required_grains(catalogue(settings))
    return Shard(0, ["page-views"], build_rules(settings), grains, 1_000)


def count_a_view_each_day(one: Shard) -> None:
    views = [
        json.dumps(
            {"type": "page_view", "event_id": f"e{day}", "event_time": BEGIN_MS + day * DAY_MS, "visitor_id": "v",
             "page_url": f"/{day}"}
        ).encode()
        for day in range(DAYS)
    ]  # fmt: skip
    end_ms = BEGIN_MS + DAYS * DAY_MS
    lines = [Line(day, end_ms, view, 1) for day, view in enumerate(views)]
    decoded = [parse(view) for view in views]
    _, missing = one.prepare(decoded)
    one.admit(Person(key) for key in missing)
    people, _ = one.prepare(decoded)
    one.apply("page-views", lines, decoded, people, end_ms)


async def test_a_shard_with_many_days_is_loaded_with_few_waits(
    redis_address: tuple[str, bool],
) -> None:
    url, is_cluster = redis_address
    settings = replace(Settings(), redis=RedisSettings(url=url, cluster=is_cluster))
    client = connect_redis(settings)
    counted = Counted(client)
    store = Store(counted, "app", "a worker", 1)
    claim = await store.claim(0)
    stored = shard(settings)
    count_a_view_each_day(stored)
    await store.store(claim, take_checkpoint(stored, claim.position))

    taken = await store.claim(0)
    counted.waits = 0
    parts = await store.load(0)
    assert len(parts.buckets) > DAYS
    assert counted.waits < len(parts.buckets) / 20
    again = shard(settings)
    restore(again, taken.sequence, taken.state, parts.names, parts.buckets, parts.opened)
    assert again.counters.tables == stored.counters.tables
    assert len(again.counters.tables[Grain.DAY]) >= DAYS
    await client.aclose()
