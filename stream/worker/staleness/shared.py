"""Reasons that the publisher puts into the snapshot, so that every worker shows them."""

import time
from collections.abc import Collection

from stream.publish.snapshot import HeavyPerson
from stream.publish.staleness import Stale, StaleReason, joined
from stream.store.worker_reports import WorkerReports
from stream.worker.staleness.holds import Holds
from stream.worker.staleness.owners import Owners


class SharedReasons:
    """Joins what the publisher sees in Redis with what all workers report."""

    def __init__(self, reports: WorkerReports, partitions: int) -> None:
        self._reports = reports
        self._partitions = partitions
        self.forget()

    def forget(self) -> None:
        """Begin anew: another worker publishes, or the state is another one."""
        self._owners = Owners(self._partitions)
        self._holds = Holds()

    @property
    def heaviest(self) -> list[HeavyPerson]:
        """The heavy people that living workers report."""
        return self._owners.heaviest(time.monotonic())

    async def look(self, incomplete: Collection[int]) -> list[Stale]:
        """Return all reasons; `incomplete` are the partitions of which Redis has lost checkpoints.

        Raises the errors of Redis.
        """
        now, owners = time.monotonic(), self._owners
        owners.note(await self._reports.read(), now)
        await self._reports.forget(owners.gone(now))
        lost = (
            f"Redis has lost checkpoints of shards {sorted(incomplete)}; wait until their logs are "
            "counted again, or restore the backup of Redis"
        )
        self._holds.note(StaleReason.SHARDS_REBUILDING, lost if incomplete else "")
        free, silent = owners.without_owner(now), owners.silent(now)
        text = f"no worker has shards {free}; start the missing worker, or wait for the rebalance"
        text += f" (silent: {', '.join(silent)})" if silent else ""
        self._holds.note(StaleReason.SHARDS_WITHOUT_OWNER, text if free else "")
        return joined([*self._holds.stale, *owners.stale(now)])
