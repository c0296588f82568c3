"""State of all workers, read from Redis when everything is quiet."""

import asyncio
import time
from typing import NamedTuple

from stream.configure.compile import build_rules
from stream.counters import measures
from stream.counters.measures import Grain
from stream.publish.merged_counts import MergedCounts
from stream.publish.snapshot import Snapshot, decode_snapshot
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.published import PublishedState
from stream.store.shards import Store
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.worker_process import TimedOut, wait_until

#: Totals that no later event lowers: only these are exact on the page.
_ONLY_GROWING = (measures.EVENTS, measures.PAGE_VIEWS, measures.CLICKS, measures.IMPRESSIONS)


class Counts(NamedTuple):
    """Merged counters of all shards by day and in total, and the published snapshot."""

    merged: MergedCounts
    snapshot: Snapshot | None

    def total(self, measure: str) -> int:
        """Return the count of a measure since counting began."""
        return self.merged.at((measure, ("default", "", "")), Grain.ALL, 0)

    def on(self, measure: str, day: int, country: str = "") -> int:
        """Return the count of a measure on a day, of the site or of one country."""
        segment = ("default", "country", country) if country else ("default", "", "")
        return self.merged.at((measure, segment), Grain.DAY, day)

    def level(self, measure: str, day: int) -> int:
        """Return a level at the end of a day."""
        return self.merged.level((measure, ("default", "", "")), day)


def read_counts(settings: Settings, partitions: int = PARTITIONS) -> Counts:
    """Read everything the shards have stored."""
    return asyncio.run(_read(settings, partitions))


async def _read(settings: Settings, partitions: int) -> Counts:
    client = connect_redis(settings)
    try:
        store = Store(client, settings.app, "a test", partitions)
        store.generation = await store.live_generation()
        state = PublishedState(client, store, settings.app, partitions)
        found = {b for p in range(partitions) for b in (await state.changed(p, -1))[1]}
        merged = MergedCounts(build_rules(settings).calendar_of, "")
        wanted = [b for b in found if b[0] >= Grain.DAY]
        parts = [await state.buckets(p, wanted) for p in range(partitions)]
        for bucket in wanted:
            merged.replace(bucket, [part[bucket] for part in parts])
        raw = await state.snapshot()
    finally:
        await client.aclose()
    return Counts(merged, decode_snapshot(raw) if raw else None)


def unaccounted(fleet: Fleet) -> dict[tuple[str, int], int]:
    """Return breaches of the conservation law: (topic, partition) → offsets advanced minus outcomes."""
    return {
        (name, partition): missing
        for partition, shard in fleet.stored().items()
        for name, t in shard.topics.items()
        if (missing := t.next - t.start - sum(t.counts.values()))
    }


def wait_published(fleet: Fleet, timeout: float = 60.0) -> Counts:
    """Wait until the published snapshot shows the stored counts; return them."""
    stored = read_counts(fleet.settings)
    expected = {measure: stored.total(measure) for measure in _ONLY_GROWING}
    shown: dict[str, int] = {}
    age = 0.0

    def is_published() -> bool:
        nonlocal stored, age
        stored = read_counts(fleet.settings)
        if stored.snapshot is not None:
            age = time.time() - stored.snapshot.taken_ms / 1000
            counts = {c.measure: c.value for c in stored.snapshot.counts if c.site == "default"}
            shown.update({measure: counts.get(measure, 0) for measure in _ONLY_GROWING})
        return shown == expected

    try:
        wait_until("the snapshot shows what is stored", is_published, timeout)
    except TimedOut as error:
        text = f"{error}: {shown} of {age:.1f} s ago, not {expected}"
        raise TimedOut(text) from None
    return stored
