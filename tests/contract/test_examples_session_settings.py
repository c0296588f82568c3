"""Worked examples of the settings of sessions: their limits, length and numbers."""

from typing import Any

import msgspec
import pytest

from stream.settings.application import Settings
from tests.contract.test_worked_examples import Event, on, records

#: A session of two pages, five views and clicks, from 12:00:00.4 to 12:03:01.2: 180.8 s.
SESSION = [
    on(1, "page_view", "a", page_url="/p", page_view_id="1"),
    on(1, "heartbeat", "a", page_url="/p", page_view_id="1", engaged_ms=7_000, scroll_depth=40),
    on(1, "page_view", "a", 1, page_url="/p", page_view_id="1"),
    on(1, "click", "a", 2),
    on(1, "page_view", "a", 3, page_url="/q", page_view_id="2"),
]
SESSION[0]["event_time"] += 400
SESSION[1]["event_time"] += 2_000
SESSION[-1]["event_time"] += 1_200


def total(metric: str, events: list[Event], **tables: dict[str, Any]) -> float | None:
    """Return a metric over all time."""
    [record] = records(events, metric, "all", msgspec.convert(tables, Settings))
    return record.value


@pytest.mark.parametrize(
    ("choices", "seconds"),
    [
        ({}, 180.8),
        ({"whole_seconds": True}, 181),
        ({"cap_seconds": 60}, 60),
        ({"basis": "engaged"}, 7),
    ],
)
def test_a_session_lasts_as_long_as_configured(choices: dict[str, Any], seconds: float) -> None:
    assert total("session_duration", SESSION, duration=choices) == pytest.approx(seconds)


@pytest.mark.parametrize(("zeros", "seconds"), [("include", 90.4), ("exclude", 180.8)])
def test_sessions_without_duration_are_included_or_excluded(zeros: str, seconds: float) -> None:
    events = [*SESSION, on(1, "page_view", "b")]
    found = total("session_duration", events, duration={"zero_sessions": zeros})
    assert found == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("count", "pages"),
    [("page_views", 3), ("unique_pages", 2), ("page_view_ids", 2), ("actions", 4)],
)
def test_pages_per_session_counts_the_configured_pages(count: str, pages: float) -> None:
    assert total("pages_per_session", SESSION, pages={"count": count}) == pages


@pytest.mark.parametrize(
    ("choices", "seconds"),
    [
        # 7 s on /p; one interval of 5 s; to the next view 60 and 121.2 s on /p; 0 or 0 s more on
        # /q.
        ({}, 7),
        ({"mode": "pings"}, 5),
        ({"mode": "pings", "min_visit_seconds": 8}, 8),
        ({"mode": "next_pageview"}, 180.8),
        ({"mode": "next_pageview", "last_page": "zero"}, 90.4),
        ({"mode": "next_pageview", "last_page": "until_last_event"}, 120.4),
    ],
)
def test_time_on_page_by_each_mode(choices: dict[str, Any], seconds: float) -> None:
    settings = msgspec.convert({"time_on_page": choices}, Settings)
    after = on(1, "click", "a", 4)  # A minute after the last page.
    after["event_time"] += 1_200
    events = [*SESSION, after]
    found = [one for one in records(events, "time_on_page", "day", settings) if one.value]
    assert [one.value for one in found] == [pytest.approx(seconds)]


def test_a_session_counts_on_the_day_it_starts_or_ends() -> None:
    night = [on(1, "page_view", "a", 719), on(1, "page_view", "a", 725)]
    for assign, days in (("start", ["2024-04-01"]), ("end", ["2024-04-02"])):
        settings = msgspec.convert({"session": {"assign": assign}}, Settings)
        found = records(night, "sessions", "day", settings)
        assert [(one.window.start or "")[:10] for one in found if one.value] == days


def test_a_platform_can_have_a_shorter_timeout() -> None:
    def pause(platform: str) -> list[Event]:
        context = {"context": {"platform": platform}}
        return [on(1, "page_view", platform, minute) | context for minute in (0, 10)]

    events = [*pause("ios"), *pause("web")]
    assert total("sessions", events) == 2
    assert total("sessions", events, session={"timeout_by_platform": {"ios": 300}}) == 3


def test_a_new_campaign_begins_another_session() -> None:
    campaigns = ["mail", None, "mail", "search", None]
    events = [
        on(1, "page_view", "a", minute) | ({"context": {"campaign": name}} if name else {})
        for minute, name in enumerate(campaigns)
    ]
    assert total("sessions", events) == 1
    assert total("sessions", events, session={"split_on_campaign_change": True}) == 2


def test_an_id_belongs_to_each_visitor_or_to_the_site() -> None:
    events = [on(1, "page_view", who, n, session_id="s") for n, who in enumerate("ab")]
    assert total("sessions", events) == 2
    assert total("sessions", events, session={"id_scope": "site"}) == 1


def test_events_too_long_after_the_first_event_of_an_id_are_in_no_session() -> None:
    events = [on(day, "page_view", "a", session_id="s") for day in (1, 2, 3)]
    assert total("pages_per_session", events) == 3
    # 48 h later is too late after 30 h, and no other session begins.
    choices = {"id_max_hours": 30}
    assert total("pages_per_session", events, session=choices) == 2
    assert total("sessions", events, session=choices) == 1


def scrolled(minute: int, depth: int, page: str = "/p", **view: str) -> Event:
    return on(1, "heartbeat", "a", minute, page_url=page, scroll_depth=depth, **view)


#: Three views of /p, of which one has no id, and one view of /q in the second of them.
SCROLLED = [
    scrolled(1, 40, page_view_id="1"), scrolled(2, 80, page_view_id="1"),
    scrolled(3, 10, page_view_id="2"), scrolled(4, 60, "/q", page_view_id="2"),
    scrolled(5, 20), scrolled(6, 30), on(1, "page_view", "a", page_url="/p", page_view_id="1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("basis", "parts", "half"),
    [("session_page", (1.4, 2), 1.0), ("page_view", (1.8, 4), 0.5)],
)
def test_depths_count_by_page_of_a_session_or_by_page_view(
    basis: str, parts: tuple[float, float], half: float
) -> None:
    settings = msgspec.convert({"scroll": {"basis": basis, "thresholds": [50]}}, Settings)
    [depth] = records(SCROLLED, "scroll_depth", "day", settings)
    assert (depth.numerator, depth.denominator) == (pytest.approx(parts[0]), parts[1])
    assert records(SCROLLED, "scroll_reached_50", "day", settings)[0].value == half


def test_each_threshold_of_scrolling_is_a_metric() -> None:
    settings = msgspec.convert({"scroll": {"thresholds": [33, 66]}}, Settings)
    found = {
        percent: records(SESSION, f"scroll_reached_{percent}", "day", settings)[0].value
        for percent in (33, 66)
    }
    assert found == {33: 1, 66: 0}
    assert records(SESSION, "scroll_reached_25", "day", settings) == []


@pytest.mark.parametrize(("goals", "share"), [(False, 0.5), (True, 0)])
def test_a_goal_makes_a_short_session_engaged(goals: bool, share: float) -> None:
    """One session orders at once, another lasts ten minutes."""
    events = [on(1, "page_view", "a"), on(1, "order", "a", order_id="o", revenue=5)]
    events += [on(1, "page_view", "b", minute) for minute in (0, 10)]
    found = total("bounce_rate", events, bounce={"mode": "ga4", "engaged_goals": goals})
    assert found == share
    engaged = total("engagement_rate", events, bounce={"engaged_goals": goals})
    assert engaged == 1 - share
