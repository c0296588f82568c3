"""Pages: the URLs of one page, the cap on pages of a site, and bounded memory."""

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.counters.sites import OTHER
from stream.sessions import pages
from stream.sessions.pages import Page, Pages
from stream.settings.pages import PageSettings


def some(values_max: int = 10, hosts: bool = False) -> Pages:
    registry = SegmentRegistry(
        ("country",), 1, lambda site: Calendar(), own_max={"page": values_max}
    )
    return Pages(registry, PageSettings(hosts=hosts))


def test_urls_of_one_page_have_one_id_and_sites_have_their_own_pages() -> None:
    known = some()
    one, other = known.of("site", "/a"), known.of("site", "https://x.example/a/?q")
    assert one.id == other.id > 0
    assert known.of("shop", "/a").id != one.id
    assert known.segment("site", one.id) is one.segment
    assert (one.segment.dimension, one.segment.value) == ("page", "/a")


def test_pages_beyond_the_maximum_count_as_other_but_stay_separate() -> None:
    known = some(values_max=1)
    kept, first, second = (known.of("site", url) for url in ("/a", "/b", "/c"))
    assert kept.id > 0 > max(first.id, second.id)
    assert first.id != second.id
    assert first.segment is second.segment is known.segment("site", first.id)
    assert first.segment.value == OTHER


def test_a_page_named_other_is_a_page() -> None:
    known = some()
    assert known.of("site", "other").id > 0


def test_the_memory_for_urls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_CACHE_MAX", 50)
    known = some()
    ids = {known.of("site", f"/a?q={number}").id for number in range(200)}
    assert len(ids) == 1
    assert len(known.lookup.get("site", {})) <= 50


def test_a_page_whose_name_is_cut_says_so_and_counts_its_views() -> None:
    known = some()
    found = [known.of("site", url) for url in ("/" + "x" * 300, "/" + "x" * 9000, "/" + "x" * 255)]
    assert [page.is_cut for page in found] == [True, True, False]
    for page in found:
        known.view(page, 1)
    counts = {measure: sum(found.values()) for (measure, _), found in known.collected.items()}
    assert counts == {"views_of_page": 3}
    assert all(len(url) < 9000 for url in known.lookup["site"])


def test_views_and_contents_are_summed_until_they_are_counted() -> None:
    known = some()
    page: Page = known.of("site", "/a")
    for minute in (1, 1, 2):
        known.view(page, minute)
    for clicked in (False, False, True):
        known.content("site", "c", clicked, 1)
    sums = {
        (measure, minute, segment.dimension, segment.value): count
        for (measure, minute), counts in known.collected.items()
        for segment, count in counts.items()
    }
    assert sums == {
        ("views_of_page", 1, "page", "/a"): 2,
        ("views_of_page", 2, "page", "/a"): 1,
        ("content_impressions", 1, "content", "c"): 2,
        ("content_clicks", 1, "content", "c"): 1,
    }
