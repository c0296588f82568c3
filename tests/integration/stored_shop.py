"""The state of a small shop with two sites, stored by a worker without Kafka."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import redis

from stream.configure.fingerprints import definition_version, fingerprints
from stream.people.keys import person_key, split_key
from stream.publish.snapshot import Snapshot, encode_snapshot
from stream.store.published import PublishedState
from stream.worker.publisher import Publisher
from tests.upgrade.held import people_held
from tests.upgrade.invented_log import Logged, step_ends, steps
from tests.upgrade.worker import PARTITIONS, InProcessWorker

#: Site → place of a number → its value.
Numbers = dict[str, dict[str, Any]]

SITES = ("default", "shop")
#: Steps of the log that make a state with every kind of key, with sessions open in the end.
READ = 60


@cache
def shop_log(seed: int = 3) -> list[tuple[list[Logged], int]]:
    """Return the log in steps, each with the time of its end in epoch ms."""
    return list(zip(steps(seed), step_ends(), strict=True))


@asynccontextmanager
async def stored_shop(
    url: str, directory: Path, *, cluster: bool = False, settings: str = "", read: int = READ
) -> AsyncIterator[InProcessWorker]:
    """Fold and store the first `read` steps; the worker is in memory still, and may go on."""
    text = f"{settings}\n[redis]\ncluster = {str(cluster).lower()}\n"
    async with InProcessWorker(text, url, directory) as worker:
        await worker.take_over()
        for step, end in shop_log()[:read]:
            await worker.read(step, end)
        yield worker


async def publish(worker: InProcessWorker) -> Snapshot:
    """Publish the snapshot of what is stored, as the owner of shard 0 does, and the definitions."""
    state = PublishedState(worker.client, worker.store, worker.settings.app, PARTITIONS)
    version = definition_version(worker.settings)
    publisher = Publisher(state, worker.metrics, worker.rules, version)
    snapshot = await publisher.refresh(shop_log()[READ - 1][1])
    assert publisher.progress is not None
    await state.publish(worker.claim(0).epoch, publisher.progress, encode_snapshot(snapshot))
    await state.note_definitions(fingerprints(worker.settings), 0)
    return snapshot


async def go_on(url: str, directory: Path, *, cluster: bool, app: str, until: int) -> Numbers:
    """Take over a stored app after `READ` steps, read up to `until`, and return its numbers."""
    text = f'app = "{app}"\n[redis]\ncluster = {str(cluster).lower()}\n'
    async with InProcessWorker(text, url, directory) as worker:
        for step, end in shop_log()[:READ]:
            worker.log.append(step, end)
        await worker.take_over()
        for step, end in shop_log()[READ:until]:
            await worker.read(step, end)
        return await numbers(worker)


async def numbers(worker: InProcessWorker) -> Numbers:
    """Read all that is stored of each site: counts by shard, bucket and series, and people by key."""
    found: Numbers = {site: {} for site in SITES}
    for place, counts in (await worker.stored_counts()).items():
        is_open = place.endswith("/open")
        for name, value in counts.items():
            site = split_key(name)[0] if is_open else json.loads(name)[2]
            found.setdefault(site, {})[f"{place}/{name}"] = value
    for site, keys in people_keys().items():
        for partition in range(PARTITIONS):
            for key, person in (await people_held(worker.store, partition, keys)).items():
                if any(any(kept) for kept in person.values()):
                    found[site][f"{partition}/{key}"] = _without_ids(person)
    return found


@cache
def people_keys() -> dict[str, list[str]]:
    """Return the keys of all people in the log, by site."""
    found: dict[str, set[str]] = {site: set() for site in SITES}
    for step, _ in shop_log():
        for record in step:
            try:
                event = json.loads(record.text.encode("latin-1"))
            except ValueError:
                continue
            site = event.get("site", "default")
            for field in ("user_id", "visitor_id"):
                if field in event:
                    found[site].add(person_key(site, event[field]))
    return {site: sorted(keys) for site, keys in found.items()}


def _without_ids(person: Any) -> Any:
    """Leave out the ids of segments and segment sets: they are numbers of the registry."""
    return {
        "marks": [[mark[1:] for mark in marks] for marks in person["marks"]],
        "sessions": [[s[0], s[1][:2], s[1][3:], *s[2:]] for s in person["sessions"]],
        "subscriptions": len(person["subscriptions"]),
        "history": {
            name: [[entry[0], *entry[2:]] for entry in kept]
            for name, kept in person["history"].items()
        },
    }


def dump(url: str, pattern: str = "*") -> dict[str, Any]:
    """Return everything in Redis by key."""
    found: dict[str, Any] = {}
    with redis.Redis.from_url(url) as client:
        for raw in client.scan_iter(pattern, count=1000):
            kind = client.type(raw)
            read = {b"hash": client.hgetall, b"string": client.get}.get(kind)
            value = read(raw) if read else client.zrange(raw, 0, -1, withscores=True)
            found[raw.decode()] = value
    return found


def look_abandoned(url: str) -> None:
    """Date every checkpoint and publication long ago, as if the workers had been stopped then."""
    with redis.Redis.from_url(url) as client:
        for pattern in ("*:meta", "*:publisher"):
            for key in client.scan_iter(pattern, count=1000):
                client.hset(key, "stored_at", 1_700_000_000)
