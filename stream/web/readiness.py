"""The checks of /readyz: partitions, shards, and the age of the snapshot."""

from collections.abc import Callable

from stream.worker.owner import ShardOwner


class Readiness:
    """Checks by name; the text says what is wrong and is empty if nothing is."""

    def __init__(
        self,
        owner: ShardOwner,
        snapshot_age_seconds: Callable[[], float | None],
        age_max_seconds: float,
    ) -> None:
        self._owner = owner
        self._age_seconds = snapshot_age_seconds
        self._age_max_seconds = age_max_seconds

    def checks(self) -> dict[str, str]:
        """Return every check as of now."""
        shards = [assigned.shard for assigned in self._owner.assigned_shards.values()]
        loading = sum(shard is None for shard in shards)
        age = self._age_seconds()
        is_fresh = age is not None and age <= self._age_max_seconds
        return {
            "partitions": self._owner.problem,
            "shards": f"{loading} of {len(shards)} shards are being loaded" if loading else "",
            "snapshot": "" if is_fresh else "no snapshot is new enough",
        }
