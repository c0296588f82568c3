"""Page pings: page views by id, and the heartbeats that trackers send while a page is in view."""

from typing import Any

#: (digest of the page view, page, epoch ms)
Beat = tuple[bytes, int, int]


class PagePings:
    """Single page views and heartbeats of one session, for settings that need each of them."""

    __slots__ = ("beats", "depths", "views")

    def __init__(self) -> None:
        #: Digests of page view ids, if page views are counted by id.
        self.views: set[bytes] = set()
        self.beats: set[Beat] = set()
        #: (digest of the page view, page) → greatest scroll depth in 1/100 %.
        self.depths: dict[tuple[bytes, int], int] = {}

    def scroll(self, view: bytes, page: int, depth: int) -> None:
        """Keep the greatest scroll depth of a page view, in 1/100 %."""
        self.depths[view, page] = max(self.depths.get((view, page), 0), depth)

    def join(self, other: "PagePings") -> None:
        """Add the page pings of a session that was merged into this one."""
        self.views |= other.views
        self.beats |= other.beats
        for (view, page), depth in other.depths.items():
            self.scroll(view, page, depth)

    def engaged_ms(self, interval_ms: int, least_ms: int, most_ms: int) -> dict[int, int]:
        """Return page → engaged time in ms, over all page views with a heartbeat.

        The first heartbeat of a page view counts `least_ms`. Every further slot of `interval_ms` with
        a heartbeat, counted from the epoch, counts one interval. An interval counts at most `most_ms`.
        This is Snowplow's engaged time:
        https://docs.snowplow.io, dbt-snowplow-web 0.15, "engaged_time_in_s".
        """
        slots: dict[tuple[bytes, int], set[int]] = {}
        for view, page, time_ms in self.beats:
            slots.setdefault((view, page), set()).add(time_ms // interval_ms)
        next_ms = min(interval_ms, most_ms)
        engaged: dict[int, int] = {}
        for (_, page), met in slots.items():
            engaged[page] = engaged.get(page, 0) + least_ms + (len(met) - 1) * next_ms
        return engaged

    def first_ms(self) -> int | None:
        """Return the time of the earliest heartbeat in epoch ms; None without one."""
        return min((time_ms for _, _, time_ms in self.beats), default=None)

    def pack(self, start: int) -> list[Any]:
        """Return the stored form, sorted, so that the order of events leaves no trace."""
        beats = [part for view, page, t in sorted(self.beats) for part in (view, page, t - start)]
        packed: list[Any] = [sorted(self.views), beats]
        if self.depths:
            far = sorted(self.depths.items())
            packed.append([part for (view, page), depth in far for part in (view, page, depth)])
        return packed

    @staticmethod
    def unpack(packed: list[Any], start: int) -> "PagePings":
        """Restore the page pings that `pack` wrote."""
        page_pings = PagePings()
        views, beats, *rest = packed
        page_pings.views = set(views)
        page_pings.beats = {
            (beats[at], beats[at + 1], start + beats[at + 2]) for at in range(0, len(beats), 3)
        }
        for depths in rest:
            for at in range(0, len(depths), 3):
                page_pings.depths[depths[at], depths[at + 1]] = depths[at + 2]
        return page_pings
