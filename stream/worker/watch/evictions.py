"""Holds the numbers while Redis may evict counters."""

from collections.abc import Mapping

from stream.publish.staleness import StaleReason
from stream.worker.status import OwnerStatus


class EvictionWatch:
    """Notes in `status` what the memory watch finds."""

    def __init__(self, status: OwnerStatus) -> None:
        self._status = status

    def note(self, policies: Mapping[str, str]) -> None:
        """Take the maxmemory-policy of each server that has another than noeviction."""
        listed = ", ".join(f"{node} has {policy}" for node, policy in sorted(policies.items()))
        text = (
            f"maxmemory-policy: {listed}: Redis may evict counters, and the numbers go wrong. CONFIG "
            "SET maxmemory-policy noeviction, and set it in the server's configuration"
        )
        self._status.reasons.note(StaleReason.REDIS_EVICTS, text if policies else "")
