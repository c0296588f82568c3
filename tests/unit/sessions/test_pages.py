"""Pages: the URLs of one page, the cap on pages of a site, and bounded memory."""

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import OTHER, SegmentRegistry
from stream.sessions import pages
from stream.sessions.pages import Page, Pages, page_of


def some(values_max: int = 10, hosts: bool = False) -> Pages:
    registry = SegmentRegistry(
        ("country",), 1, lambda site: Calendar(), own_max={"page": values_max}
    )
    return Pages(registry, hosts)


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://x.example/a/b", "/a/b"),
        ("https://x.example/a/b/?q=http://y.example/#c", "/a/b"),
        ("https://x.example/#/a?q", "/"),
        ("https://x.example", "/"),
        ("https://x.example?q=1", "/"),
        ("//x.example/a", "/a"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/a//", "/a"),
        ("/", "/"),
        ("?q=1", "/"),
        ("#top", "/"),
        ("catalog", "catalog"),
        ("vandelay.com/", "vandelay.com/"),
        ("/go/http://y.example/z", "/go/http://y.example/z"),
        ("android-app://shop/cart/", "/cart"),
        ("/a\x1fb", "/ab"),
        ("/Ä/%20", "/Ä/%20"),
        ("/" + "x" * 400, "/" + "x" * 255),
    ],
)
def test_a_page_is_the_path_of_a_url(url: str, page: str) -> None:
    assert page_of(url, hosts=False) == page


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://Docs.Example/a/", "docs.example/a"),
        ("https://docs.example", "docs.example/"),
        ("//docs.example:8080/a?b", "docs.example:8080/a"),
        ("file:///a", "/a"),
        ("/a", "/a"),
        ("catalog", "catalog"),
    ],
)
def test_hosts_can_separate_pages(url: str, page: str) -> None:
    assert page_of(url, hosts=True) == page


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
