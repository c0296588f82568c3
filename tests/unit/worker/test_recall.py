"""Taking over a shard: its seen ids are rebuilt from counted records, without reading their people."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from stream.engine.duplicates import SeenIds
from stream.kafka.fetch import Fetched
from stream.people.person import Person
from tests.unit.worker import stand_ins
from tests.unit.worker.stand_ins import SETTINGS, TOPIC, Log, Raw, Redis, owner, partitions

TIME_MS = 1_000_000_000_000


class CountingRedis(Redis):
    """Redis that notes the keys of all people it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    async def read_people(self, partition: int, wanted: Iterable[str]) -> list[Person]:
        keys = list(wanted)
        self.read += keys
        return await super().read_people(partition, keys)


def view(event_id: str, user: str | None, site: str = "shop", visitor: str | None = None) -> bytes:
    event = {"type": "page_view", "event_id": event_id, "event_time": TIME_MS, "site": site,
             "user_id": user, "visitor_id": visitor, "page_url": "/"}  # fmt: skip
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


COUNTED = [
    view("once", "u1"),
    view("nobody", "undefined"),
    view("nobody at all", None, visitor="NULL"),
    view("visitor", "undefined", visitor="v1"),
    view("of a folded site", "u2", site="the second site"),
    view("of a folded site", "u2", site="the third site"),
    b"no event",
]
NEXT = [
    view("once", "u1"),
    view("nobody", "u3"),
    view("nobody at all", "u4"),
    view("visitor", "u5"),
    view("of a folded site", "u6", site="the third site"),
    view("of a folded site", "u6", site="the fourth site"),
    view("new", "u7"),
]


def batch(start: int, values: list[bytes]) -> Fetched:
    records: list[Any] = [Raw(start + n, TIME_MS, value) for n, value in enumerate(values)]
    return Fetched(start, start + len(values), records)


async def outcomes(redis: CountingRedis, *, restarts: bool) -> dict[str, int]:
    """Count both parts; before the second one, forget and rebuild the seen ids if asked for."""
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    shard = one.assigned_shards[0].shard
    assert shard is not None
    await one.consume(TOPIC, 0, batch(0, COUNTED))
    if restarts:
        topic, redis.read = shard.topics[TOPIC], []
        topic.seen, topic.expected = SeenIds(600_000, 1_000), 0
        topic.recall_clock = 0
        shard.people.young.clear()
        shard.people.dirty.clear()
        shard.people.recent.clear()
        await one.consume(TOPIC, 0, batch(0, COUNTED))
        assert topic.expected == topic.next == len(COUNTED)
        assert redis.read == [], "people of counted records were read"
    await one.consume(TOPIC, 0, batch(len(COUNTED), NEXT))
    return dict(shard.outcomes())


async def test_a_shard_taken_over_knows_the_same_ids_without_reading_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = replace(SETTINGS.limits, sites_max=2)
    ledger = replace(SETTINGS.ledger, min_events=1_000)
    monkeypatch.setattr(stand_ins, "SETTINGS", replace(SETTINGS, limits=limits, ledger=ledger))
    straight = await outcomes(CountingRedis(), restarts=False)
    assert straight["duplicate"] == 3
    assert straight["rejected"] == 3
    assert await outcomes(CountingRedis(), restarts=True) == straight
