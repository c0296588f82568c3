"""Workers as their reports show them: shards that no living worker has, reasons, and heavy people."""

from collections.abc import Mapping

from stream.publish.snapshot import HeavyPerson
from stream.publish.staleness import Stale
from stream.store.worker_reports import WorkerReport
from stream.worker.watch.heaviest import HEAVY_RATIO

#: A worker without a new report for this long has no shards, and a shard without a worker for this
#: long has no owner. A rebalance of living workers takes less.
SILENT_SECONDS = 5.0
#: Reports this old are deleted.
_GONE_SECONDS = 600.0


class Owners:
    """Follows the reports. Time is that of this process alone, in monotonic seconds."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        #: Worker → its newest report, and when it was first seen.
        self._seen: dict[str, tuple[WorkerReport, float]] = {}
        #: Partition → since when no living worker has it.
        self._free: dict[int, float] = {}

    def note(self, reports: Mapping[str, WorkerReport], now: float) -> None:
        """Take in the reports as they are stored now."""
        self._seen = {
            name: (report, now if self._beat(name) != report.beat else self._seen[name][1])
            for name, report in reports.items()
        }
        owned = {p for report in self._living(now).values() for p in report.partitions}
        self._free = {p: self._free.get(p, now) for p in range(self._partitions) if p not in owned}

    def without_owner(self, now: float) -> list[int]:
        """Return the partitions that no living worker has had for a while."""
        return [p for p, since in self._free.items() if now - since >= SILENT_SECONDS]

    def silent(self, now: float) -> list[str]:
        """Return the workers that have stopped reporting without a word."""
        return sorted(map(_place, self._seen.keys() - self._living(now).keys()))

    def gone(self, now: float) -> list[str]:
        """Return the workers whose reports are to be deleted."""
        return [name for name, (_, at) in self._seen.items() if now - at > _GONE_SECONDS]

    def stale(self, now: float) -> list[Stale]:
        """Return the reasons that living workers report, with the names of the workers."""
        return [
            Stale(one.reason, one.since_ms, f"{one.text} (worker {_place(name)})")
            for name, report in self._living(now).items()
            for one in report.stale
        ]

    def heaviest(self, now: float) -> list[HeavyPerson]:
        """Return the people with a heavy share of their shard, the one with the most events first."""
        reported = {
            one.partition: one
            for report in self._living(now).values()
            for one in report.heaviest
            if one.ratio >= HEAVY_RATIO
        }
        return sorted(reported.values(), key=lambda one: -one.per_second)

    def _living(self, now: float) -> dict[str, WorkerReport]:
        return {
            name: report for name, (report, at) in self._seen.items() if now - at < SILENT_SECONDS
        }

    def _beat(self, name: str) -> int:
        return self._seen[name][0].beat if name in self._seen else -1


def _place(name: str) -> str:
    """Return host and process id of a worker, without the moment of its start."""
    return name.rsplit(":", 1)[0]
