"""The page path of a session: entry and exit page, time and scroll depth by page, for any order of events."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stream.sessions.page_pings import PagePings

#: Page id → sort key that is equal in every shard.
Order = Callable[[int], str]

#: Scroll depth of a page without one.
_UNKNOWN = -1


class PagePath:
    """Page views and heartbeats of one session. Pages are ids, 0 for none; times are epoch ms."""

    __slots__ = (
        "entry_ms",
        "entry_page",
        "exit_ms",
        "exit_page",
        "looks",
        "page_pings",
        "path",
        "second_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        # Among page views at one instant, the entry sorts first and the exit sorts last.
        self.entry_ms = self.exit_ms = self.second_ms = -1
        self.entry_page = self.exit_page = 0
        #: Page → [engaged ms, greatest scroll depth in 1/100 %, below 0 if unknown].
        self.looks: dict[int, list[int]] = {}
        #: Every page view as (time, page), if the settings need the whole path.
        self.path: list[tuple[int, int]] = []
        #: Page views by id and single heartbeats; None if the settings do not need them.
        self.page_pings: PagePings | None = None

    def view(self, page: int, time_ms: int, order: Order) -> None:
        """Add a page view."""
        if time_ms > self.exit_ms:
            if self.entry_ms < 0:
                self.entry_ms, self.entry_page = time_ms, page
            elif self.second_ms < 0:
                self.second_ms = time_ms
            self.exit_ms, self.exit_page = time_ms, page
            return
        if time_ms == self.exit_ms and order(page) > order(self.exit_page):
            self.exit_page = page
        if time_ms < self.entry_ms:
            self.second_ms = self.entry_ms
            self.entry_ms, self.entry_page = time_ms, page
            return
        if time_ms == self.entry_ms and order(page) < order(self.entry_page):
            self.entry_page = page
        if self.second_ms < 0 or time_ms < self.second_ms:
            self.second_ms = time_ms

    def look(self, page: int, engaged_ms: int, scroll: float | None) -> None:
        """Add a heartbeat: engaged time on a page, and its scroll depth in percent."""
        depth = _UNKNOWN if scroll is None else round(scroll * 100)
        look = self.looks.get(page)
        if look is None:
            self.looks[page] = [engaged_ms, depth]
            return
        look[0] += engaged_ms
        if depth > look[1]:
            look[1] = depth

    def join(self, other: "PagePath", order: Order) -> None:
        """Add the page path of a session that was merged into this one."""
        if other.entry_ms >= 0:
            # These hold the two earliest views and the latest of both paths; nothing else is read.
            self.view(other.entry_page, other.entry_ms, order)
            if other.second_ms >= 0:
                self._second(other.second_ms)
                self._exit(other.exit_page, other.exit_ms, order)
        for page, (engaged_ms, depth) in other.looks.items():
            self.look(page, engaged_ms, None)
            self.looks[page][1] = max(self.looks[page][1], depth)
        self.path += other.path
        if other.page_pings is not None:
            if self.page_pings is None:
                self.page_pings = PagePings()
            self.page_pings.join(other.page_pings)

    def landing_ms(self, most_ms: int, engaged: Mapping[int, int]) -> int | None:
        """Return the time on the entry page: until the second view, or engaged there; None if unknown."""
        if self.second_ms >= 0:
            return min(self.second_ms - self.entry_ms, most_ms)
        return engaged.get(self.entry_page) or None if self.entry_page else None

    def engaged(self) -> dict[int, int]:
        """Return page → engaged time in ms, summed over heartbeats."""
        return {page: look[0] for page, look in self.looks.items()}

    def pauses(self, order: Order, most_ms: int) -> Iterator[tuple[int, int]]:
        """Yield (page, ms until the next view) for every view but the last; needs the whole path."""
        views = sorted(self.path, key=lambda view: (view[0], order(view[1])))
        for number in range(len(views) - 1):
            time_ms, page = views[number]
            yield page, min(views[number + 1][0] - time_ms, most_ms)

    def last_view(self, order: Order) -> tuple[int, int] | None:
        """Return (time, page) of the last view; needs the whole path."""
        return max(self.path, key=lambda view: (view[0], order(view[1])), default=None)

    def pack(self, views: int, start: int, end: int) -> list[Any]:
        """Return the stored form: few and small numbers, relative to the session."""
        packed: list[Any] = []
        if views:
            packed += (self.entry_page, self.entry_ms - start)
        if views > 1:
            packed += (self.second_ms - self.entry_ms, self.exit_page, end - self.exit_ms)
        if self.looks or self.path or self.page_pings is not None:
            packed.append([n for page, look in self.looks.items() for n in (page, *look)])
        if self.path or self.page_pings is not None:
            packed.append([n for time_ms, page in self.path for n in (time_ms - start, page)])
        if self.page_pings is not None:
            packed.append(self.page_pings.pack(start))
        return packed

    @staticmethod
    def unpack(packed: list[Any], views: int, start: int, end: int) -> "PagePath":
        """Restore the page path that `pack` wrote."""
        page_path, rest = PagePath(), list(packed)
        if views:
            page, after = rest[:2]
            page_path.entry_page = page_path.exit_page = page
            page_path.entry_ms = page_path.exit_ms = start + after
            rest = rest[2:]
        if views > 1:
            gap, page, before = rest[:3]
            page_path.second_ms = page_path.entry_ms + gap
            page_path.exit_page, page_path.exit_ms = page, end - before
            rest = rest[3:]
        if rest:
            numbers = rest[0]
            for at in range(0, len(numbers), 3):
                page_path.looks[numbers[at]] = [numbers[at + 1], numbers[at + 2]]
        if len(rest) > 1:
            numbers = rest[1]
            page_path.path = [
                (start + numbers[n], numbers[n + 1]) for n in range(0, len(numbers), 2)
            ]
        if len(rest) > 2:
            page_path.page_pings = PagePings.unpack(rest[2], start)
        return page_path

    def _second(self, time_ms: int) -> None:
        if self.second_ms < 0 or time_ms < self.second_ms:
            self.second_ms = time_ms

    def _exit(self, page: int, time_ms: int, order: Order) -> None:
        if time_ms > self.exit_ms or (
            time_ms == self.exit_ms and order(page) > order(self.exit_page)
        ):
            self.exit_ms, self.exit_page = time_ms, page
