"""Worked examples of pages, reading and content, as events through the whole engine."""

import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.settings.application import (
    BounceSettings,
    ExitSettings,
    PageSettings,
    Settings,
    TimeOnPageSettings,
)
from tests.contract.test_worked_examples import Event, on, records_by

Numbers = tuple[float | None, float | None, float | None]
SITE = ""


def numbers(
    events: list[Event], metric: str, page: str = SITE, config: Settings | None = None
) -> Numbers:
    """Return (numerator, denominator, value) on the first of April, of the site or of a page."""
    found = [
        record
        for record in records_by(events, metric, "day", config)
        if record.window.start == "2024-04-01T00:00:00Z" and (_label(record) == page)
    ]
    [record] = found
    return record.numerator, record.denominator, record.value


def _label(record: MetricRecord) -> str:
    return record.dimensions.get("page") or record.dimensions.get("content") or SITE


def view(who: str, url: str, minute: int = 0) -> Event:
    return on(1, "page_view", who, minute, page_url=url)


def beat(who: str, url: str, minute: int = 0, **fields: float) -> Event:
    return on(1, "heartbeat", who, minute, page_url=url, **fields)


def test_a_page_has_three_views_when_one_of_two_people_sees_it_twice() -> None:
    events = [view("a", "https://x.example/p/?q=1"), view("a", "/p", 5), view("b", "/p#part")]
    assert numbers([*events, view("b", "/other", 2)], "page_views_per_page", "/p") == (3, None, 3)


def test_four_sessions_begin_on_a_page_and_one_ends_there() -> None:
    events = [view(who, "/p") for who in "abcd"] + [view(who, "/q", 1) for who in "abc"]
    events += [view("e", "/q"), view("e", "/p", 3)]  # Views the page, but begins on another one.
    assert numbers(events, "landing_sessions", "/p") == (4, None, 4)
    assert numbers(events, "landing_bounce_rate", "/p") == (1, 4, 0.25)


def test_landing_page_time_is_30_s_for_20_s_to_the_next_view_and_40_s_engaged() -> None:
    events = [view("a", "/p"), view("a", "/q")]
    events[1]["event_time"] += 20_000
    events += [view("b", "/p"), beat("b", "/p", 1, engaged_ms=40_000)]
    events += [view("c", "/p")]  # Without a later event the time is unknown.
    assert numbers(events, "landing_page_time") == (60, 2, 30)
    assert numbers(events, "landing_page_time", "/p") == (60, 2, 30)


def test_landing_page_time_is_split_by_campaign() -> None:
    mail = {"context": {"campaign": "mail"}}
    events = [
        view("a", "/p") | mail,
        view("a", "/q", 1) | mail,
        view("b", "/p"),
        view("b", "/q", 3),
    ]
    found = records_by(events, "landing_page_time", "day", Settings(dimensions=("campaign",)))
    by_campaign = {record.dimensions["campaign"]: record.value for record in found
                   if "campaign" in record.dimensions}  # fmt: skip
    assert by_campaign == {"mail": 60}


def test_time_on_page_is_100_s_when_two_sessions_spend_200_s() -> None:
    events = [view(who, "/p") for who in "ab"]
    events += [beat("a", "/p", 1, engaged_ms=60_000), beat("a", "/p", 2, engaged_ms=60_000)]
    events += [beat("b", "/p", 1, engaged_ms=80_000), view("c", "/p")]
    for page in (SITE, "/p"):
        assert numbers(events, "time_on_page", page) == (200, 2, 100)


def test_time_on_page_can_be_the_time_until_the_next_view() -> None:
    config = Settings(time_on_page=TimeOnPageSettings(mode="next_pageview"))
    events = [view("a", "/p"), view("a", "/q", 2), view("a", "/p", 3), view("b", "/p")]
    events += [beat("a", "/p", 1, engaged_ms=9_000)]  # Ignored in this mode.
    assert numbers(events, "time_on_page", "/p", config) == (120, 1, 120)
    assert numbers(events, "time_on_page", SITE, config) == (180, 2, 90)


def test_scroll_depth_is_a_half_when_one_session_reaches_80_percent_and_one_20() -> None:
    events = [view(who, "/p") for who in "abc"]
    events += [beat("a", "/p", minute, scroll_depth=depth) for minute, depth in ((1, 80), (2, 10))]
    events += [beat("b", "/p", 1, scroll_depth=20), beat("c", "/p", 1, engaged_ms=5_000)]
    for page in (SITE, "/p"):
        assert numbers(events, "scroll_depth", page) == (1, 2, 0.5)


@pytest.mark.parametrize("percent", [25, 50, 75, 90])
def test_three_of_four_sessions_scroll_to_the_threshold(percent: int) -> None:
    events = [view(who, "/p") for who in "abcd"]
    events += [beat(who, "/p", 1, scroll_depth=percent) for who in "abc"]
    events += [beat("d", "/p", 1, scroll_depth=percent - 0.01)]
    assert numbers(events, f"scroll_reached_{percent}", "/p") == (3, 4, 0.75)


def test_exit_rate_is_a_quarter_when_2_of_8_views_are_the_last_of_a_session() -> None:
    events = [view("a", "/p", minute) for minute in range(4)]
    events += [view("b", "/p", minute) for minute in range(3)]
    events += [view("c", "/p"), view("c", "/q", 1)]
    assert numbers(events, "exit_rate", "/p") == (2, 8, 0.25)
    by_session = Settings(exit=ExitSettings(denominator="sessions"))
    assert numbers(events, "exit_rate", "/p", by_session)[:2] == (2, 3)


def test_three_of_five_sessions_are_engaged() -> None:
    events = [view("a", "/p"), view("a", "/q"), view("b", "/p"), beat("b", "/p", 1)]
    events += [view("c", "/p"), on(1, "click", "c", 5, page_url="/p")]
    events += [view("d", "/p"), view("e", "/p"), on(1, "click", "e", page_url="/p")]
    events += [on(1, "custom", "f", name="job")]  # Without a page view: in neither part.
    assert numbers(events, "engagement_rate") == (3, 5, 0.6)


@pytest.mark.parametrize(
    ("mode", "bounces"),
    [("classic_interaction", 2), ("single_pageview", 4), ("ga4", 2), ("posthog", 1)],
)
def test_bounces_by_every_rule(mode: str, bounces: int) -> None:
    events = [view("nothing more", "/p")]
    events += [view("stays", "/p"), beat("stays", "/p", 1)]
    events += [view("clicks", "/p"), on(1, "click", "clicks", page_url="/p")]
    events += [view("clicks and stays", "/p"), on(1, "click", "clicks and stays", 1, page_url="/p")]
    events += [view("goes on", "/p"), view("goes on", "/q")]
    config = Settings(bounce=BounceSettings(mode=mode))  # type: ignore[arg-type]
    assert numbers(events, "bounce_rate", SITE, config)[:2] == (bounces, 5)


def test_content_is_clicked_4_times_in_40_impressions() -> None:
    events = [on(1, "impression", f"p{n}", content_id="c") for n in range(40)]
    events += [on(1, "click", f"p{n}", content_id="c") for n in range(4)]
    events += [on(1, "click", "p9", content_id="d"), on(1, "click", "p9", page_url="/p")]
    assert numbers(events, "content_click_through_rate", "c") == (4, 40, 0.10)
    assert numbers(events, "content_click_through_rate", "d") == (1, 0, None)


@pytest.mark.parametrize("kind", ["hour", "day", "all"])
def test_pages_beyond_the_maximum_are_counted_together(kind: WindowKind) -> None:
    config = Settings(pages=PageSettings(values_max=2))
    events = [view("a", f"/{n}", n) for n in range(5)]
    found = records_by(events, "page_views_per_page", kind, config)
    assert sum(record.value or 0 for record in found) == 5
    assert {_label(record) for record in found} == {"/0", "/1", "other"}


def test_odd_characters_in_a_label_are_published() -> None:
    odd = "a\x1fb\n"
    event = view("a", f"/{odd}") | {"context": {"country": odd}}
    content = on(1, "impression", "a", content_id=odd)
    by_country = records_by([event], "page_views", "day")
    assert [r.dimensions for r in by_country] == [{}, {"country": odd}]
    assert [_label(r) for r in records_by([event], "page_views_per_page", "day")] == ["/ab"]
    assert [_label(r) for r in records_by([content], "content_click_through_rate", "day")]
