"""Reports to the publisher once a second, and so finds out whether Redis answers."""

import asyncio
import contextlib
from collections.abc import Callable

from stream.publish.snapshot import HeavyPerson
from stream.publish.staleness import Stale, StaleReason
from stream.store.worker_reports import WorkerReport, WorkerReports
from stream.worker.clock import now_ms
from stream.worker.errors import UNREACHABLE
from stream.worker.staleness.holds import Holds

REPORT_SECONDS = 1.0
_FORGET_SECONDS = 1.0


class Reporter:
    """Writes the report of this worker. The publisher shows its reasons on all workers."""

    def __init__(
        self,
        reports: WorkerReports,
        partitions: Callable[[], list[int]],
        stale: Callable[[], list[Stale]],
        heaviest: Callable[[], list[HeavyPerson]] = list,
    ) -> None:
        """`partitions` returns the shards of this worker, `stale` the reasons to report.

        `heaviest` returns the heaviest person of each shard.
        """
        self._reports = reports
        self._partitions = partitions
        self._stale = stale
        self._heaviest = heaviest
        self._beat = 0
        self._answered_ms = now_ms()
        self.reasons = Holds()

    async def run(self) -> None:
        """Report once a second, for ever."""
        while True:
            await self.report()
            await asyncio.sleep(REPORT_SECONDS)

    async def report(self) -> None:
        """Report once; hold the reason if Redis does not take the report."""
        self._beat += 1
        report = WorkerReport(self._beat, self._partitions(), self._stale(), self._heaviest())
        try:
            await self._reports.write(report)
        except UNREACHABLE as error:
            text = f"Redis does not answer, or refuses; check it, and redis.url: {error}"
            self.reasons.hold(StaleReason.REDIS_AWAY, text, self._answered_ms)
        else:
            self._answered_ms = now_ms()
            self.reasons.release(StaleReason.REDIS_AWAY)

    async def stop(self) -> None:
        """Withdraw the report, so that the shards count as free at once."""
        if StaleReason.REDIS_AWAY in self.reasons:
            return
        with contextlib.suppress(*UNREACHABLE):
            await asyncio.wait_for(self._reports.forget_own(), _FORGET_SECONDS)
