"""Sites that a shard counts one by one; all others count together."""

from collections.abc import Iterable

#: Value that counts all values beyond the cap of a dimension, and site that counts all other sites.
OTHER = "other"
NO_LIMIT = 1 << 62


class Sites:
    """Known sites of a shard: those that the settings name, and the first ones of its log.

    A site once known stays known. So a replay, and a shard in another worker's hands, knows the same.
    """

    def __init__(self, named: Iterable[str] = (), first_max: int = NO_LIMIT) -> None:
        """`first_max` is the number of sites that become known besides the named ones."""
        #: Read once an event.
        self.known: set[str] = {OTHER, *named}
        self._first_max = first_max
        #: Known sites that are not named.
        self._first = 0

    @property
    def fill(self) -> float:
        """Used share of `first_max`; 0 if only named sites are known."""
        return self._first / self._first_max if self._first_max else 0.0

    def admit(self, site: str) -> bool:
        """Return whether a site is known; it becomes known if there is room."""
        if site in self.known:
            return True
        if self._first >= self._first_max:
            return False
        self._first += 1
        self.known.add(site)
        return True

    def load(self, site: str) -> None:
        """Restore a stored site; with only named sites, the others are not known any more."""
        if self._first_max and site not in self.known:
            self._first += 1
            self.known.add(site)
