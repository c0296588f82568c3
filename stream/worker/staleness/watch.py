"""Finds out whether the numbers are live, once a second: one state, shown the same way everywhere."""

import asyncio
import time
from collections.abc import Callable

from stream.publish.snapshot import Snapshot
from stream.publish.staleness import OF_ONE_WORKER, Stale, StaleReason, is_withheld, joined
from stream.worker.clock import now_ms
from stream.worker.owner import ShardOwner
from stream.worker.staleness.holds import Holds
from stream.worker.staleness.outputs import Outputs
from stream.worker.staleness.rebuilding import is_behind, is_recalling
from stream.worker.staleness.watermarks import WatermarkWatch

_LOOK_SECONDS = 1.0


class StaleWatch:
    """Joins the reasons of this worker's parts with those of the published snapshot."""

    def __init__(
        self,
        owner: ShardOwner,
        outputs: Outputs,
        watermarks: WatermarkWatch,
        snapshot: Callable[[], Snapshot | None],
        max_age_seconds: float,
    ) -> None:
        """`snapshot` returns the newest snapshot."""
        self._owner = owner
        self._outputs = outputs
        self._parts = [owner.reasons, outputs.reasons]
        self._watermarks = watermarks
        self._snapshot = snapshot
        self._max_age_ms = round(max_age_seconds * 1000)
        #: Shards that are being loaded or recall event ids → monotonic seconds of its beginning.
        self._loading: dict[int, float] = {}

    async def run(self) -> None:
        """Look once a second, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def add(self, part: Holds) -> None:
        """Show the reasons of another part as well."""
        self._parts.append(part)

    def current(self) -> list[Stale]:
        """Return every reason why the numbers are not live, the oldest first; empty if they are."""
        snapshot = self._snapshot()
        return joined([*self._own(), *(snapshot.stale if snapshot else ())])

    def reported(self) -> list[Stale]:
        """Return the reasons of this worker that make the numbers of all workers stale."""
        return [one for one in self._own() if one.reason not in OF_ONE_WORKER]

    def is_withheld(self) -> bool:
        """Return whether the values are wrong or too old to be shown as live."""
        return is_withheld(self.current(), now_ms(), self._max_age_ms)

    def look(self) -> None:
        """Look at the snapshot, the shards and their watermarks."""
        if self._owner.is_halted:
            return  # That is why nothing moves.
        self._look_at_snapshot()
        self._look_at_shards()
        self._watermarks.look()
        self._outputs.look(is_kafka_there=StaleReason.BROKER_AWAY not in self._owner.reasons)

    def _own(self) -> list[Stale]:
        return [one for part in self._parts for one in part.stale]

    def _look_at_snapshot(self) -> None:
        snapshot, reasons = self._snapshot(), self._owner.reasons
        text = "" if snapshot else "there is no snapshot yet"
        if not self._owner.counts.assignments:
            text = "no partitions are assigned yet"
        reasons.note(StaleReason.STARTING, text)
        if snapshot is None:
            return
        limit = f"{self._max_age_ms / 1000:g}"
        text = f"no new numbers for over {limit} s; check Redis, and the worker that owns shard 0"
        is_old = now_ms() - snapshot.taken_ms > self._max_age_ms
        reasons.note(StaleReason.PUBLISHER_STUCK, text if is_old else "", snapshot.taken_ms)

    def _look_at_shards(self) -> None:
        first: list[int] = []
        again: list[int] = []
        loading: dict[int, float] = {}
        now = time.monotonic()
        for number, assigned in sorted(self._owner.assigned_shards.items()):
            shard = assigned.shard
            if shard is not None and is_behind(shard):
                (again if shard.is_recount else first).append(number)
            elif shard is None or is_recalling(shard):
                loading[number] = self._loading.get(number, now)
        self._loading = loading
        # A rebalance loads shards in seconds. Only their time is lost, until it is long.
        long = [p for p, since in loading.items() if (now - since) * 1000 > self._max_age_ms]
        reasons = self._owner.reasons
        text = f"shards {first} count their log for the first time; wait until they reach its end"
        reasons.note(StaleReason.FIRST_COUNT, text if first else "")
        parts = [
            *([f"shards {again} are counted again from Kafka"] if again else []),
            *([f"shards {long} are still being loaded"] if long else []),
        ]
        text = f"{' and '.join(parts)}; wait while topic:engagement_worker_lag_records:sum falls"
        reasons.note(StaleReason.SHARDS_REBUILDING, text if parts else "")
