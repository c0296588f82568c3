"""Values of dimensions that a shard counts one by one; all others count as `other`."""

from collections.abc import Collection, Iterator, Mapping

from stream.counters.page_name import without_userinfo
from stream.counters.sites import NO_LIMIT, OTHER


class Values:
    """Known values by site and dimension: the first ones of the shard's log. A known one stays known."""

    def __init__(
        self,
        values_max: int,
        own_max: Mapping[str, int],
        segments_max: int = NO_LIMIT,
        fixed: Collection[str] = (),
    ) -> None:
        """`own_max` replaces `values_max` for its dimensions; `segments_max` is over all of them.

        The values of `fixed` dimensions are few, and known when counts are flushed. A replay flushes
        at other times, so they must not compete with the values of events for `segments_max`.
        """
        self._values_max = values_max
        self._own_max = own_max
        self._segments_max = segments_max
        self._fixed = fixed
        #: (site, dimension) → values
        self._known: dict[tuple[str, str], set[str]] = {}
        self._count = 0

    @property
    def fill(self) -> float:
        """Used share of `segments_max`."""
        return self._count / self._segments_max

    def fills(self) -> Iterator[tuple[str, str, float]]:
        """Yield (site, dimension, used share of its maximum of values); may be called from another thread."""
        for (site, dimension), known in list(self._known.items()):
            yield site, dimension, len(known) / self._own_max.get(dimension, self._values_max)

    def admit(self, site: str, dimension: str, value: str) -> str:
        """Return the name under which a value counts; it becomes known if there is room."""
        known = self._known.get((site, dimension), _NOTHING)
        if value in known:
            return value
        value = without_userinfo(value)
        if value in known:
            return value
        if len(known) >= self._own_max.get(dimension, self._values_max):
            return OTHER
        if self._count >= self._segments_max and dimension not in self._fixed:
            return OTHER
        self.load(site, dimension, value)
        return value

    def is_settled(self, site: str, dimension: str, value: str) -> bool:
        """Whether admitting a value changes nothing: it is known, or there is no room."""
        known = self._known.get((site, dimension), _NOTHING)
        return (
            value in known
            or without_userinfo(value) in known
            or len(known) >= self._own_max.get(dimension, self._values_max)
        )

    def knows(self, site: str, dimension: str, value: str) -> bool:
        """Whether a value is counted by its own name."""
        return value in self._known.get((site, dimension), _NOTHING)

    def load(self, site: str, dimension: str, value: str) -> None:
        """Know a value, also beyond a limit: it is stored."""
        known = self._known.get((site, dimension))
        if known is None:
            known = self._known[site, dimension] = set()
        if value not in known:
            known.add(value)
            self._count += dimension not in self._fixed


_NOTHING: frozenset[str] = frozenset()
