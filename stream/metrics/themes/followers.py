"""Followers of accounts on each network, by the last snapshot of each day."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from stream.counters.segments import Segment, SegmentRegistry
from stream.history.events import Condensed, Contributions, HistoryEntry, on

#: Followers at the end of a day: of all accounts, and by network.
FOLLOWERS = "level_social_followers"


class Followers(Condensed):
    """Aggregate of an account's followers: the last snapshot of a day holds until that of a later day.

    Of two at one instant the higher counts. They count in the segments of the snapshot that holds.
    """

    name = "flw"
    types: Collection[str] = ("social_followers",)
    #: The last snapshot of each network is kept at any age.
    keep_days = 2

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the network and the number."""
        return event.network, event.count

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Count what each day with a snapshot adds to the followers of the day before."""
        counts: Contributions = Contributions()
        by_network: dict[str | None, list[HistoryEntry]] = {}
        for entry in self._last_of_days(history, registry):
            by_network.setdefault(entry[2], []).append(entry)
        for network, of_network in by_network.items():
            before: tuple[Iterable[Segment], int] = ((), 0)
            for time_ms, segment_set_id, _, count in of_network:
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
        """Keep the last of each day, and before `oldest_ms` the last of each network."""
        last = self._last_of_days(history, registry)
        base = {entry[2]: entry for entry in last if entry[0] < oldest_ms}
        return [entry for entry in last if entry[0] >= oldest_ms or entry is base[entry[2]]]

    def summary(self, history: Sequence[HistoryEntry], registry: SegmentRegistry) -> object:
        """Return the last of each day."""
        return self._last_of_days(history, registry)

    def _last_of_days(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> list[HistoryEntry]:
        last: dict[tuple[str | None, int], HistoryEntry] = {}
        # Entries come sorted; equal ones of two segment sets, by the segments in these.
        for entry in sorted(history, key=lambda entry: (entry[0], entry[3])):
            last[entry[2], registry.by_id(entry[1]).calendar.day_of(entry[0])] = entry
        return [*last.values()]
