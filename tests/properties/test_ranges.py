"""Periods of a report: a range has the numbers of the window of its days, and only what is over is final."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outputs import MetricRecord, WindowKind
from stream.counters.measures import LOST
from stream.counters.windows import ending
from stream.engine import range_people
from stream.people import range_days
from stream.report.file_report import Report
from stream.report.periods import Complete, DayRange
from stream.settings.application import Settings
from stream.settings.definitions import Funnel, Selection
from stream.settings.intake import TimeSettings
from tests.oracle.oracle import instant
from tests.oracle.people import People
from tests.oracle.terms import EventDict
from tests.properties.checking import KINDS
from tests.properties.compare import choices_of
from tests.properties.inputs.traffic import DAY_MS, MINUTE_MS, moments
from tests.properties.test_money_matches_oracle import EVENTS

NOW_MS = 4_000_000_000_000
#: Days of events around a moment.
DAYS = (0, 0, 1, 2, 6, 7, 27, 28, 29, 30, 31, 45)
#: Windows of days, whose days are asked for as a range.
WINDOWS: tuple[WindowKind, ...] = (
    "day", "week", "month", "trailing_7d", "trailing_28d", "trailing_30d",
)  # fmt: skip
Numbers = dict[tuple[str, str, tuple[tuple[str, str], ...]], tuple[Any, Any, Any]]

_events = st.one_of(
    *EVENTS.values(),
    st.sampled_from([
        {"type": "page_view", "page_url": "/a"},
        {"type": "page_view", "page_url": "/b", "session_id": "s"},
        {"type": "impression", "content_id": "c"},
        {"type": "click", "content_id": "c"},
        {"type": "feature_used", "feature": "search"},
        {"type": "goal", "name": "signup"},
        {"type": "add_to_cart", "cart_id": "k"},
    ]),
)  # fmt: skip


@st.composite
def any_events(draw: st.DrawFn, base_ms: int) -> list[EventDict]:
    """Draw events of all kinds and a few people, in any order."""
    events = []
    for number in range(draw(st.integers(1, 14))):
        event = dict(draw(_events))
        day, slot = draw(st.sampled_from(DAYS)), draw(st.integers(0, 47))
        event["event_time"] = base_ms + day * DAY_MS + slot * 30 * MINUTE_MS + number
        event |= {"event_id": f"e{number}", "user_id": draw(st.sampled_from("abc"))}
        country = draw(st.sampled_from([None, "DE", "FR"]))
        events.append(event | ({"context": {"country": country}} if country else {}))
    return draw(st.permutations(events))


def configured(zone: str) -> Settings:
    """Return settings that accept events in any order, with a funnel."""
    steps = (Selection(type="page_view"), Selection(type="order"))
    return Settings(
        timezone=zone,
        dimensions=("country",),
        time=TimeSettings(correction_window_seconds=400 * 86_400),
        funnels={"shop": Funnel(steps=steps)},
    )


def read(events: Iterable[EventDict], config: Settings, days: DayRange | None) -> Report:
    """Return a report of these events."""
    report = Report(config, NOW_MS, lambda bad: pytest.fail(bad.detail), days)
    report.read("events", [msgspec.json.encode(event) for event in events])
    return report


def numbers(records: Iterable[MetricRecord]) -> Numbers:
    """Return the numbers by metric, site and dimensions; an empty segment has none."""
    return {
        (r.metric, r.site, tuple(sorted(r.dimensions.items()))): (
            r.value, r.numerator, r.denominator,
        )
        for r in records
        if not r.dimensions or r.numerator or r.denominator
    }  # fmt: skip


def wrong_of_windows(
    events: Sequence[EventDict], config: Settings, kind: WindowKind, time_ms: int
) -> list[str]:
    """Return the numbers of a window that differ from those of the range of its days."""
    report = read(events, config, None)
    calendar = report.shard.rules.calendar_of("default")
    span = ending(kind, calendar.day_of(time_ms), calendar)
    window = span.window(calendar)
    wanted = numbers(r for r in report.records((), {kind}) if r.window == window)
    ranged = read(events, config, DayRange(span.first, span.last))
    found = numbers(ranged.records((), {"range"}))
    both = {metric for metric, _, _ in wanted} & {metric for metric, _, _ in found}
    return [
        f"{key}: {wanted.get(key)} in the window, {found.get(key)} over the range"
        for key in {*wanted, *found}
        if key[0] in both
        and wanted.get(key) != found.get(key)
        # A window far from every event is not published.
        and (wanted or any(found[key][1:]))
    ]


@settings(max_examples=20)
@given(data=st.data())
def test_a_range_has_the_numbers_of_the_window_of_the_same_days(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    events = data.draw(any_events(base_ms))
    kind = data.draw(st.sampled_from(WINDOWS))
    time_ms = data.draw(st.sampled_from([event["event_time"] for event in events]))
    wrong = wrong_of_windows(events, configured(zone), kind, time_ms)
    assert not wrong, "\n".join(wrong[:8])


@settings(max_examples=20)
@given(data=st.data())
def test_people_of_any_range_are_those_of_a_count_by_hand(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    events = data.draw(any_events(base_ms))
    config = configured(zone)
    wall = choices_of(config).wall("default")
    first = wall.day(base_ms) + data.draw(st.integers(-2, 46))
    last = first + data.draw(st.integers(0, 46))
    found = numbers(read(events, config, DayRange(first, last)).records((), {"range"}))
    inside = [e for e in events if first <= wall.day(e["event_time"]) <= last]
    rules = People(wall, choices_of(config), ())

    def who(fits: Callable[[EventDict], bool], among: Iterable[EventDict] = inside) -> set[str]:
        return {event["user_id"] for event in among if fits(event)}

    def comes(event: EventDict) -> bool:
        # A count of followers names an account, not a person.
        return rules.is_active(event) and event["type"] != "social_followers"

    active = who(comes)
    before = who(comes, [e for e in events if wall.day(e["event_time"]) < first])
    whole = {metric: number for (metric, _, segment), number in found.items() if not segment}
    if not whole:  # No metric looks at days after the newest event.
        assert not inside
        return
    assert whole["unique_visitors"][0] == len(active)
    assert whole["new_visitors"][0] == len(active - before)
    assert whole["returning_visitors"][0] == len(active & before)
    assert whole["page_views"][0] == sum(event["type"] == "page_view" for event in inside)
    clicked = who(lambda event: event["type"] == "click")
    assert whole["unique_click_through_rate"][1] == len(clicked)
    used = found.get(("feature_usage_rate", "default", (("feature", "search"),)))
    users = who(lambda event: event["type"] == "feature_used")
    assert (used and used[1:]) == ((len(users), len(active)) if users else None)


@settings(max_examples=20)
@given(data=st.data())
def test_a_window_is_final_if_it_is_over_where_the_data_are_complete(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    events = data.draw(any_events(base_ms))
    newest_ms = max(event["event_time"] for event in events)
    later_ms = data.draw(st.sampled_from([None, -DAY_MS, 0, 1, DAY_MS, 33 * DAY_MS]))
    complete_ms = newest_ms + (later_ms or 0)
    until = None if later_ms is None else Complete(moment_of(complete_ms))
    for record in read(events, configured(zone), None).records((), KINDS, until):
        start, end = record.window.start, record.window.end
        if start is None or end is None:
            # The newest cohorts of all are still watched.
            is_watched = record.metric.startswith(("retention_d", "first_week"))
            assert (
                complete_ms > newest_ms
                if record.is_final
                else is_watched or not (complete_ms > newest_ms)
            )
            continue
        assert record.is_final == (instant(end) <= complete_ms), record
        assert instant(start) <= max(newest_ms, complete_ms - 1), record


def moment_of(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


#: (day, person, fields): people who come, click, order and leave on several days.
SCENARIO: list[tuple[int, str, dict[str, Any]]] = [
    (day, who, {"type": kind, **fields})
    for day in (0, 3, 10, 20)
    for who in ("a", "b")
    for kind, fields in (
        ("page_view", {}),
        ("click", {"content_id": "c"}),
        ("impression", {"content_id": "c"}),
        ("order", {"order_id": f"{who}{day}", "revenue": 9.99}),
    )
] + [
    (0, "c", {"type": "subscription_started", "subscription_id": "s", "mrr": 20}),
    (5, "d", {"type": "subscription_started", "subscription_id": "t", "mrr": 20}),
    (21, "c", {"type": "subscription_ended", "subscription_id": "s"}),
    (22, "d", {"type": "subscription_ended", "subscription_id": "t"}),
    (40, "z", {"type": "page_view"}),
]  # fmt: skip
BASE_MS = 1_709_553_600_000


def wrong() -> list[str]:
    """Return the numbers of the scenario that differ between windows and their ranges."""
    events = [
        {"event_id": f"e{number}", "user_id": who, "event_time": BASE_MS + day * DAY_MS} | fields
        for number, (day, who, fields) in enumerate(SCENARIO)
    ]
    windows: list[tuple[WindowKind, int]] = [
        ("trailing_28d", 25), ("trailing_30d", 33), ("day", 3), ("month", 20),
    ]  # fmt: skip
    return [
        one
        for kind, day in windows
        for one in wrong_of_windows(events, configured("UTC"), kind, BASE_MS + day * DAY_MS)
    ]


def test_the_scenario_is_right() -> None:
    assert wrong() == []


def _add_each_day(self: Any, who: str, measure: str, segment: Any, days: int) -> None:
    self._count(measure, segment, days)


def _left_or_not(self: Any) -> list[tuple[str, int]]:
    return [(LOST, 1)] if self.ends else []


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (range_days, "has_any", lambda *_: False),
        (range_days, "has_any", lambda bitmap, *_: bitmap is not None),
        (range_people.RangePeople, "_add", _add_each_day),
        (range_people.RangePeople, "_add", lambda *_: None),
        (range_people._Stay, "changes", _left_or_not),
        (range_people._Stay, "changes", lambda _: []),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_broken_ranges_are_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    assert wrong()


assert set(WINDOWS) <= set(KINDS)
