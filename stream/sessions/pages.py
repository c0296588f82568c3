"""Pages and content: the page that a URL names, and how often each page and content was seen."""

from collections.abc import Mapping
from zlib import crc32

from stream.counters.measures import (
    CONTENT_CLICKS,
    CONTENT_IMPRESSIONS,
    VIEWS_OF_PAGE,
)
from stream.counters.page_name import NAME_MAX, URL_CACHED_MAX, page_names
from stream.counters.segments import JOINT, Segment, SegmentRegistry
from stream.counters.sites import OTHER
from stream.counters.table import Counters
from stream.settings.pages import PageSettings

PAGE, CONTENT = "page", "content"
#: URLs cached: queries make their number unbounded.
_CACHE_MAX = 20_000


class Page:
    """One page of a site. Its id is its segment's, or negative if the site has too many pages."""

    __slots__ = ("id", "is_cut", "segment")

    def __init__(self, page_id: int, segment: Segment, is_cut: bool = False) -> None:
        self.id = page_id
        self.segment = segment
        #: Whether its name was too long, and ends early.
        self.is_cut = is_cut


class Pages:
    """Pages and content of a shard, with the counts since the last checkpoint."""

    def __init__(self, registry: SegmentRegistry, settings: PageSettings) -> None:
        self._registry = registry
        self._names = page_names(settings)
        #: Site → URL → page: read once a page view.
        self.lookup: dict[str, dict[str, Page]] = {}
        self._contents: dict[str, dict[str, Segment]] = {}
        self._cached = 0
        #: (measure, epoch minute) → segment → count
        self.collected: dict[tuple[str, int], dict[Segment, int]] = {}

    def of(self, site: str, url: str) -> Page:
        """Return the page of a URL. Pages beyond `pages.values_max` count as `other`."""
        whole = self._names.whole(url)
        name = whole[:NAME_MAX]
        segment = self._registry.own_segment(site, PAGE, name)
        # Their digests keep them apart: a session may see several of them.
        page_id = segment.id if segment.value == name else -1 - crc32(name.encode())
        page = Page(page_id, segment, len(whole) > NAME_MAX)
        if len(url) <= URL_CACHED_MAX:
            self._make_room()
            self.lookup.setdefault(site, {})[url] = page
        return page

    def segment(self, site: str, page_id: int) -> Segment:
        """Return the segment in which a page counts, by page id."""
        if page_id > 0:
            return self._registry.segment(page_id)
        return self._registry.own_segment(site, PAGE, OTHER)

    def view(self, page: Page, minute: int) -> None:
        """Count a view of a page."""
        self._count(VIEWS_OF_PAGE, page.segment, minute)

    def content(self, site: str, content_id: str, clicked: bool, minute: int) -> None:
        """Count an impression of content, or a click on it."""
        segment = self._contents.get(site, _NONE).get(content_id)
        if segment is None:
            segment = self._registry.own_segment(site, CONTENT, content_id.replace(JOINT, ""))
            self._make_room()
            self._contents.setdefault(site, {})[content_id] = segment
        self._count(CONTENT_CLICKS if clicked else CONTENT_IMPRESSIONS, segment, minute)

    def flush(self, counters: Counters) -> None:
        """Turn the collected views, impressions and clicks into counts."""
        for (measure, minute), segments in self.collected.items():
            for segment, count in segments.items():
                counters.add(measure, segment, minute, count)
        self.collected.clear()

    def _count(self, measure: str, segment: Segment, minute: int) -> None:
        counts = self.collected.get((measure, minute))
        if counts is None:
            counts = self.collected[measure, minute] = {}
        counts[segment] = counts.get(segment, 0) + 1

    def _make_room(self) -> None:
        self._cached += 1
        if self._cached > _CACHE_MAX:
            self.lookup.clear()
            self._contents.clear()
            self._cached = 0


_NONE: Mapping[str, Segment] = {}
