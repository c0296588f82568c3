"""Followers of accounts on each network, by the last snapshot of each day."""

from collections.abc import Collection, Sequence
from typing import Any

from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.history.aggregates.aggregate import Aggregate
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry, Index
from stream.history.order import EntryOrder
from stream.history.recount import Recount

#: Followers at the end of a day: of all accounts, and by network.
FOLLOWERS = "level_social_followers"


class Followers(Aggregate):
    """Aggregate of an account's followers: the last snapshot of a day holds until that of a later day.

    Of two at one instant the higher counts. They count in the segments of the snapshot that holds.
    """

    name = "flw"
    types: Collection[str] = ("social_followers",)
    #: The last snapshot of each network is kept at any age.
    keep_days = 2
    condenses = True

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the network and the number."""
        return event.network, event.count

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index that counts the few kept snapshots anew."""

        def contribute(history: Sequence[HistoryEntry], counts: Contributions, by: int) -> None:
            self._contribute(history, registry, counts, by)

        return Recount(contribute, EntryOrder(registry, self.in_order))

    def _contribute(
        self,
        history: Sequence[HistoryEntry],
        registry: SegmentRegistry,
        counts: Contributions,
        by: int,
    ) -> None:
        """Count what each day with a snapshot adds to the followers of the day before."""
        before: dict[str | None, tuple[SegmentSet, int]] = {}
        for time_ms, segment_set_id, network, count in self._last_of_days(history, registry):
            segment_set = registry.by_id(segment_set_id)
            day = segment_set.calendar.day_of(time_ms)
            for held, number in (before.get(network), -1), ((segment_set, count), 1):
                if held is not None:
                    counts.on(FOLLOWERS, held[0], day, by * number * held[1])
                    if network is not None:
                        own = registry.own_segment(segment_set.site, "network", network)
                        counts.on(FOLLOWERS, own, day, by * number * held[1])
            before[network] = segment_set, count

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

    def _last_of_days(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> list[HistoryEntry]:
        last: dict[tuple[str | None, int], HistoryEntry] = {}
        # Entries come sorted; equal ones of two segment sets, by the segments in these.
        for entry in sorted(history, key=lambda entry: (entry[0], entry[3])):
            last[entry[2], registry.by_id(entry[1]).calendar.day_of(entry[0])] = entry
        return [*last.values()]
