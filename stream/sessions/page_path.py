"""The page path of a session: entry and exit page, time and scroll depth by page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mypy_extensions import mypyc_attr

from stream.sessions.page_pings import PagePings

#: (time, page, rank of its topic)
View = tuple[int, int, int]

#: Scroll depth of a page without one.
_UNKNOWN = -1
#: Most sessions have no heartbeat, and no path is kept: they share these, which are never written to.
_NO_LOOKS: dict[int, list[int]] = {}
_NO_VIEWS: list[View] = []


@mypyc_attr(acyclic=True)
class PagePath:
    """Page views and heartbeats of one session. Pages are ids, 0 for none; times are epoch ms.

    Views of one millisecond follow each other by the rank of their topic, and within a topic as
    they stand in its log. So a replay in other batches finds the same entry and exit.
    """

    __slots__ = (
        "entry_ms",
        "entry_page",
        "entry_rank",
        "exit_ms",
        "exit_page",
        "exit_rank",
        "looks",
        "page_pings",
        "path",
        "second_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entry_ms = self.exit_ms = self.second_ms = -1
        self.entry_page = self.exit_page = 0
        self.entry_rank = self.exit_rank = 0
        #: Page → [engaged ms, greatest scroll depth in 1/100 %, below 0 if unknown].
        self.looks: dict[int, list[int]] = _NO_LOOKS
        #: Every page view as (time, page, rank), if the settings need the whole path.
        self.path: list[View] = _NO_VIEWS
        #: Page views by id and single heartbeats; None if the settings do not need them.
        self.page_pings: PagePings | None = None

    def view(self, page: int, time_ms: int, rank: int) -> None:
        """Add a page view of a topic with this rank. Earlier ones of its topic are in already."""
        if time_ms > self.exit_ms:
            if self.entry_ms < 0:
                self.entry_ms, self.entry_page, self.entry_rank = time_ms, page, rank
            elif self.second_ms < 0:
                self.second_ms = time_ms
            self.exit_ms, self.exit_page, self.exit_rank = time_ms, page, rank
            return
        if time_ms == self.exit_ms and rank >= self.exit_rank:
            self.exit_page, self.exit_rank = page, rank
        if time_ms < self.entry_ms:
            self.second_ms = self.entry_ms
            self.entry_ms, self.entry_page, self.entry_rank = time_ms, page, rank
            return
        if time_ms == self.entry_ms and rank < self.entry_rank:
            self.entry_page, self.entry_rank = page, rank
        if self.second_ms < 0 or time_ms < self.second_ms:
            self.second_ms = time_ms

    def step(self, page: int, time_ms: int, rank: int) -> None:
        """Keep a page view, for settings that need the whole path."""
        if self.path is _NO_VIEWS:
            self.path = []
        self.path.append((time_ms, page, rank))

    def look(self, page: int, engaged_ms: int, scroll: float | None) -> None:
        """Add a heartbeat: engaged time on a page, and its scroll depth in percent."""
        depth = _UNKNOWN if scroll is None else round(scroll * 100)
        look = self.looks.get(page)
        if look is None:
            if self.looks is _NO_LOOKS:
                self.looks = {}
            self.looks[page] = [engaged_ms, depth]
            return
        look[0] += engaged_ms
        if depth > look[1]:
            look[1] = depth

    def join(self, other: "PagePath") -> None:
        """Add the page path of a session that was merged into this one.

        At one instant and rank, the views of the other path follow those of this one.
        """
        if other.entry_ms >= 0:
            # These hold the two earliest views and the latest of both paths; nothing else is read.
            self.view(other.entry_page, other.entry_ms, other.entry_rank)
            if other.second_ms >= 0:
                self._second(other.second_ms)
                self._exit(other.exit_page, other.exit_ms, other.exit_rank)
        for page, (engaged_ms, depth) in other.looks.items():
            self.look(page, engaged_ms, None)
            self.looks[page][1] = max(self.looks[page][1], depth)
        if other.path:
            self.path = [*self.path, *other.path]
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

    def pauses(self, most_ms: int) -> Iterator[tuple[int, int]]:
        """Yield (page, ms until the next view) for every view but the last; needs the whole path."""
        views = self.views()
        for number in range(len(views) - 1):
            time_ms, page, _ = views[number]
            yield page, min(views[number + 1][0] - time_ms, most_ms)

    def views(self) -> list[View]:
        """Return every view in order; needs the whole path."""
        return sorted(self.path, key=_time_and_rank)

    def pack_into(self, packed: list[Any], views: int, start: int, end: int) -> None:
        """Add the stored form to that of the session: few and small numbers, relative to it."""
        if views:
            packed.append(self.entry_page)
            packed.append(self.entry_ms - start)
        if views > 1:
            packed.append(self.second_ms - self.entry_ms)
            packed.append(self.exit_page)
            packed.append(end - self.exit_ms)
        has_more = bool(self.path) or self.page_pings is not None
        if self.looks or has_more:
            packed.append([n for page, look in self.looks.items() for n in (page, *look)])
        if has_more:
            packed.append([n for time_ms, page, _ in self.path for n in (time_ms - start, page)])
        if self.page_pings is not None:
            packed.append(self.page_pings.pack(start))

    @staticmethod
    def unpack(packed: Sequence[Any], views: int, start: int, end: int) -> "PagePath":
        """Restore the page path that `pack_into` wrote."""
        page_path, at = PagePath(), 0
        if views:
            page_path.entry_page = page_path.exit_page = packed[0]
            page_path.entry_ms = page_path.exit_ms = start + packed[1]
            at = 2
        if views > 1:
            page_path.second_ms = page_path.entry_ms + packed[2]
            page_path.exit_page, page_path.exit_ms = packed[3], end - packed[4]
            at = 5
        rest = len(packed) - at
        if rest:
            numbers = packed[at]
            page_path.looks = {
                numbers[n]: [numbers[n + 1], numbers[n + 2]] for n in range(0, len(numbers), 3)
            }
        if rest > 1:
            numbers = packed[at + 1]
            page_path.path = [
                (start + numbers[n], numbers[n + 1], 0) for n in range(0, len(numbers), 2)
            ]
        if rest > 2:
            page_path.page_pings = PagePings.unpack(packed[at + 2], start)
        return page_path

    def ranks(self) -> list[int]:
        """Return the ranks of entry, exit and every view of the path; empty if all are 0."""
        ranks = [self.entry_rank, self.exit_rank, *(rank for _, _, rank in self.path)]
        return ranks if any(ranks) else []

    def put_ranks(self, ranks: Sequence[int]) -> None:
        """Restore what `ranks` returned."""
        self.entry_rank, self.exit_rank, *others = ranks
        self.path = [
            (time_ms, page, rank)
            for (time_ms, page, _), rank in zip(self.path, others, strict=True)
        ]

    def _second(self, time_ms: int) -> None:
        if self.second_ms < 0 or time_ms < self.second_ms:
            self.second_ms = time_ms

    def _exit(self, page: int, time_ms: int, rank: int) -> None:
        if time_ms > self.exit_ms or (time_ms == self.exit_ms and rank >= self.exit_rank):
            self.exit_ms, self.exit_page, self.exit_rank = time_ms, page, rank


def _time_and_rank(view: View) -> tuple[int, int]:
    return view[0], view[2]
