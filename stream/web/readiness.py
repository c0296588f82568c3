"""The checks of /readyz: partitions, shards, and one for each reason why numbers are not live."""

from collections.abc import Callable

from stream.publish.staleness import Stale, StaleReason
from stream.worker.owner import ShardOwner


class Readiness:
    """Checks by name; the text says what is wrong and is empty if nothing is."""

    def __init__(self, owner: ShardOwner, stale: Callable[[], list[Stale]]) -> None:
        """`stale` returns the reasons why the numbers are not live."""
        self._owner = owner
        self._stale = stale

    def checks(self) -> dict[str, str]:
        """Return every check as of now."""
        shards = [assigned.shard for assigned in self._owner.assigned_shards.values()]
        loading = sum(shard is None for shard in shards)
        return {
            "partitions": self._owner.problem,
            "shards": f"{loading} of {len(shards)} shards are being loaded" if loading else "",
            **dict.fromkeys(map(str, StaleReason), ""),
            **{one.reason: one.text for one in self._stale()},
        }
