"""Finds out whether the numbers are live, once a second: one state, shown the same way everywhere."""

import asyncio
import time
from collections.abc import Callable

from faust.types import TP

from stream.publish.snapshot import Snapshot
from stream.publish.staleness import OF_ONE_WORKER, Stale, StaleReason, is_withheld, joined
from stream.worker.clock import now_ms
from stream.worker.log import Log
from stream.worker.owner import ShardOwner
from stream.worker.staleness.rebuilding import is_behind, is_rebuilding

_LOOK_SECONDS = 1.0
#: Longest time without a fetch: a fetch returns within a second, also without records.
BROKER_SILENT_SECONDS = 15.0


class StaleWatch:
    """Holds the reasons that show on this worker, and adds those of the published snapshot."""

    def __init__(
        self,
        owner: ShardOwner,
        log: Log,
        snapshot: Callable[[], Snapshot | None],
        max_age_seconds: float,
    ) -> None:
        self._owner = owner
        self._log = log
        self._snapshot = snapshot
        self._max_age_ms = round(max_age_seconds * 1000)
        #: Shards that are being loaded or recall event ids → monotonic seconds of its beginning.
        self._loading: dict[int, float] = {}

    async def run(self) -> None:
        """Look once a second, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def current(self) -> list[Stale]:
        """Return every reason why the numbers are not live, the oldest first; empty if they are."""
        snapshot = self._snapshot()
        return joined([*self._owner.reasons.stale, *(snapshot.stale if snapshot else ())])

    def own(self) -> list[Stale]:
        """Return the reasons of this worker that make the numbers of all workers stale."""
        return [one for one in self._owner.reasons.stale if one.reason not in OF_ONE_WORKER]

    def is_withheld(self) -> bool:
        """Return whether the values are wrong or too old to be shown as live."""
        return is_withheld(self.current(), now_ms(), self._max_age_ms)

    def look(self) -> None:
        """Look at everything that can make the numbers stale."""
        self._look_at_snapshot()
        self._look_at_broker()
        self._look_at_shards()

    def _look_at_snapshot(self) -> None:
        snapshot, reasons = self._snapshot(), self._owner.reasons
        if snapshot is None or not self._owner.counts.assignments:
            reasons.hold(
                StaleReason.STARTING,
                "no partitions are assigned yet" if snapshot else "there is no snapshot yet",
            )
            return
        reasons.release(StaleReason.STARTING)
        age_ms = now_ms() - snapshot.taken_ms
        if age_ms > self._max_age_ms:
            limit = f"{self._max_age_ms / 1000:g}"
            text = f"no new numbers for over {limit} s; check Redis, and the owner of shard 0"
            reasons.hold(StaleReason.PUBLISHER_STUCK, text, snapshot.taken_ms)
        else:
            reasons.release(StaleReason.PUBLISHER_STUCK)

    def _look_at_broker(self) -> None:
        seen_ms = max(
            (
                seen
                for partition, assigned in list(self._owner.assigned_shards.items())
                if assigned.shard is not None
                for topic in assigned.shard.topics
                if (seen := self._log.read_to(TP(topic, partition))[1])
            ),
            default=0,
        )
        silent = (now_ms() - seen_ms) / 1000
        if seen_ms and silent > BROKER_SILENT_SECONDS:
            self._owner.reasons.hold(
                StaleReason.BROKER_AWAY,
                f"Kafka has not answered for over {BROKER_SILENT_SECONDS:g} s; check it, and "
                "kafka.bootstrap_servers",
                seen_ms,
            )
        elif seen_ms or not self._owner.assigned_shards:
            self._owner.reasons.release(StaleReason.BROKER_AWAY)

    def _look_at_shards(self) -> None:
        first: list[int] = []
        again: list[int] = []
        lasting: list[int] = []
        loading: dict[int, float] = {}
        # Once counting has stopped, no shard is on its way back.
        shards = {} if self._owner.is_halted else self._owner.assigned_shards
        for number, assigned in sorted(shards.items()):
            shard = assigned.shard
            if shard is not None and is_behind(shard):
                (again if shard.is_recount else first).append(number)
            elif is_rebuilding(assigned):
                # A rebalance loads shards in seconds. Only their time is lost, until it is long.
                loading[number] = self._loading.get(number, time.monotonic())
                if time.monotonic() - loading[number] > self._max_age_ms / 1000:
                    lasting.append(number)
        self._loading = loading
        reasons = self._owner.reasons
        text = f"shards {first} are counted for the first time; wait until they reach the log's end"
        reasons.note(StaleReason.FIRST_COUNT, text if first else "")
        parts = [
            *([f"shards {again} are counted again from Kafka"] if again else []),
            *([f"shards {lasting} are still being loaded"] if lasting else []),
        ]
        text = f"{' and '.join(parts)}; wait while topic:engagement_worker_lag_records:sum falls"
        reasons.note(StaleReason.SHARDS_REBUILDING, text if parts else "")
