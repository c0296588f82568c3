"""Followers: how many an account has on each network, by the last that was told of it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from stream.counters.segments import Segment, SegmentRegistry
from stream.history.events import Condensed, Contributions, HistoryEntry, on

#: Followers at the end of a day: of all accounts, and by network.
FOLLOWERS = "level_social_followers"


class Followers(Condensed):
    """Snapshots of the followers of an account: the last of a day holds until another day has one.

    Of two at one instant the higher counts. They count in the segments of the snapshot that holds.
    """

    name = "flw"
    types: Collection[str] = ("social_followers",)
    #: What is older can only be the last one of its network, which is kept whatever its age.
    keep_days = 2

    def entry(self, event: Any) -> Sequence[Any] | None:
        """The network and the number."""
        return event.network, event.count

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """What each day that has a snapshot adds to the followers of the day before."""
        counts: Contributions = Contributions()
        by_network: dict[str | None, list[HistoryEntry]] = {}
        for entry in self._last_of_days(history, registry):
            by_network.setdefault(entry[2], []).append(entry)
        for network, theirs in by_network.items():
            before: tuple[Iterable[Segment], int] = ((), 0)
            for time_ms, segment_set_id, _, count in theirs:
                segment_set = registry.by_id(segment_set_id)
                own_segments = (
                    []
                    if network is None
                    else [registry.own_segment(segment_set.site, "network", network)]
                )
                segments = (*segment_set.segments, *own_segments)
                day = segment_set.calendar.day_of(time_ms)
                for segment in before[0]:
                    on(counts, FOLLOWERS, segment, day, -before[1])
                for segment in segments:
                    on(counts, FOLLOWERS, segment, day, count)
                before = segments, count
        return counts

    def settled(
        self,
        history: Sequence[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,  # noqa: ARG002
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """The last of each day, and of those before `oldest_ms` the last of each network."""
        last = self._last_of_days(history, registry)
        base = {entry[2]: entry for entry in last if entry[0] < oldest_ms}
        return [entry for entry in last if entry[0] >= oldest_ms or entry is base[entry[2]]]

    def summary(self, history: Sequence[HistoryEntry], registry: SegmentRegistry) -> object:
        """The last of each day."""
        return self._last_of_days(history, registry)

    def _last_of_days(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> list[HistoryEntry]:
        last: dict[tuple[str | None, int], HistoryEntry] = {}
        # Facts come sorted, and equal ones of two profiles in the order of what these say.
        for entry in sorted(history, key=lambda entry: (entry[0], entry[3])):
            last[entry[2], registry.by_id(entry[1]).calendar.day_of(entry[0])] = entry
        return [*last.values()]
