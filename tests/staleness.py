"""Stand-in for the watch over staleness: the numbers are live, or not for the given reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from stream.publish.staleness import Stale


@dataclass(frozen=True)
class Known:
    """Reasons that are known already; `withheld` says whether values are shown."""

    reasons: Sequence[Stale] = ()
    withheld: bool = False

    def current(self) -> list[Stale]:
        """Return the given reasons."""
        return list(self.reasons)

    def is_withheld(self) -> bool:
        """Return what was given."""
        return self.withheld


LIVE = Known()
