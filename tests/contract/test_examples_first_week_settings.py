"""Examples of the length of newcomers' first days, and of the activity required in them."""

from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.configure.load import SettingsError, load_settings
from stream.metrics.catalogue import catalogue
from stream.report.file_report import Report
from stream.settings.application import Settings
from stream.settings.audience import FirstWeekSettings
from stream.settings.definitions import Selection
from tests.contract.test_worked_examples import NOW_MS, Event, end_of_day, on, records, records_by


def of_the_first(metric: str, choices: FirstWeekSettings) -> tuple[float | None, float | None]:
    """Return (value, denominator) of newcomers of the 1st: a returns on 3 days, b on 1, c late, d never."""
    days = {"a": (2, 4, 7), "b": (5,), "c": (9,), "d": ()}
    events = [on(1, "page_view", who) for who in days]
    events += [on(day, "page_view", who) for who, later in days.items() for day in later]
    # Several events on a day are one active day; the later event lets the cohort mature.
    events += [on(2, "click", "a", n, page_url="/x") for n in range(5)]
    events += [on(40, "page_view", "z")]
    found = records(events, metric, "day", Settings(first_week=choices))
    [one] = [record for record in found if (record.window.start or "").startswith("2024-04-01")]
    return one.value, one.denominator


@pytest.mark.parametrize(
    ("days", "least", "value"),
    [(7, 1, 2 / 4), (10, 1, 3 / 4), (4, 1, 1 / 4), (2, 1, 1 / 4), (7, 3, 1 / 4), (7, 4, 0)],
)
def test_a_newcomer_is_engaged_after_enough_active_days(
    days: int, least: int, value: float
) -> None:
    choices = FirstWeekSettings(days=days, min_events=least)
    assert of_the_first("first_week_engagement", choices) == (value, 4)


@pytest.mark.parametrize(
    ("days", "value"),
    # The first day counts: 4 days of a, 2 of b, 1 each of c and d.
    [(7, 8 / 4), (10, 9 / 4), (2, 5 / 4)],
)
def test_the_active_days_of_newcomers(days: int, value: float) -> None:
    assert of_the_first("first_week_active_days", FirstWeekSettings(days=days)) == (value, 4)


def test_a_cohort_is_published_when_all_its_days_are_over() -> None:
    events = [on(1, "page_view", "a"), on(7, "page_view", "a")]
    settings = Settings(first_week=FirstWeekSettings(days=8))
    for metric in ("first_week_engagement", "first_week_active_days"):
        assert records(events, metric, "day", settings) == []
        assert records([*events, on(8, "page_view", "a")], metric, "day", settings) != []


#: Noon of the 1st is hour 0 of a and of b, whose first event is 40 minutes later.
OWN_DAYS = [
    on(1, "page_view", "a"), on(1, "page_view", "b", 40), on(1, "page_view", "c", 700),
    # On the next day, but within 24 hours: day 0 of a and of c. Day 1 of b, since hours are
    # floored.
    on(2, "page_view", "a", -1), on(2, "page_view", "c", 650), on(2, "page_view", "b"),
    # The last minute of day 2 of a, the first of day 3 of b.
    on(4, "page_view", "a", -1), on(4, "page_view", "b"), on(9, "page_view", "z"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("clock", "days", "engaged", "came"),
    [
        # Calendar days: all three again on the 2nd; within 3 days 2 each; within 4 days a and b
        # have 3.
        ("calendar", 3, 3, 6), ("calendar", 4, 3, 8),
        ("user_24h", 3, 2, 5), ("user_24h", 4, 2, 6), ("user_24h", 2, 1, 4),
    ],
)  # fmt: skip
def test_days_of_the_calendar_or_of_24_hours(
    clock: Any, days: int, engaged: int, came: int
) -> None:
    settings = Settings(first_week=FirstWeekSettings(clock=clock, days=days))
    for metric, number in (("first_week_engagement", engaged), ("first_week_active_days", came)):
        [first] = [
            record
            for record in records(OWN_DAYS, metric, "day", settings)
            if (record.window.start or "").startswith("2024-04-01")
        ]
        assert (first.numerator, first.denominator) == (number, 3), metric


def test_first_days_in_a_segment_change_no_first_days_of_the_site() -> None:
    de, fr = ({"context": {"country": country}} for country in ("DE", "FR"))
    events = [on(day, "page_view", "a", **de) for day in (1, 2)]
    events += [on(day, "page_view", "a", **fr) for day in (12, 13, 14)]
    settings = Settings(
        first_week=FirstWeekSettings(clock="user_24h", days=3), dimensions=("country",)
    )
    found = records_by(
        [*events, on(25, "page_view", "z")], "first_week_active_days", "day", settings
    )
    assert {
        ((one.window.start or "")[8:10], one.dimensions.get("country", "")): one.numerator
        for one in found
        if one.numerator
    } == {("01", ""): 2, ("01", "DE"): 2, ("12", "FR"): 3}


def test_own_days_are_over_a_day_later() -> None:
    choices = FirstWeekSettings(clock="user_24h")
    events = [on(1, "page_view", "a"), on(7, "page_view", "a")]
    for metric in ("first_week_engagement", "first_week_active_days"):
        assert records(events, metric, "day", Settings(first_week=choices)) == []
        later = [*events, on(8, "page_view", "a")]
        assert records(later, metric, "day", Settings(first_week=choices)) != []


ORDERS = Selection(type="order", where={"currency": "EUR"})


def ordered(day: int, who: str, number: int, currency: str = "EUR", **more: Any) -> Event:
    order = f"{who}{day}{number}"
    return on(day, "order", who, number, order_id=order, currency=currency, **more)


def activated(events: list[Event], **choices: Any) -> dict[str, tuple[float | None, float | None]]:
    """Return (people, denominator) by first day, and by the country of that day."""
    settings = Settings(first_week=FirstWeekSettings(activation_event=ORDERS, **choices))
    found = records_by(
        [*events, on(60, "page_view", "z")], "first_week_engagement", "day", settings
    )
    return {
        f"{(one.window.start or '')[8:10]}{one.dimensions.get('country', '')}": (
            one.numerator,
            one.denominator,
        )
        for one in found
        if one.denominator
    }


@pytest.mark.parametrize(
    ("choices", "value"),
    [
        # a on days 0 and 3, b twice on day 6, c on day 7, d never in euros.
        ({}, 2),
        ({"days": 8}, 3),
        ({"days": 2}, 1),
        ({"min_events": 2}, 2),
        ({"min_events": 2, "days": 3}, 0),
        ({"min_events": 3}, 0),
        # More than there are days: these are events.
        ({"min_events": 9, "days": 2}, 0),
    ],
)
def test_a_newcomer_is_activated_by_enough_chosen_events_in_the_first_days(
    choices: dict[str, int], value: int
) -> None:
    events = [on(1, "page_view", who) for who in "abcd"]
    events += [ordered(1, "a", 1), ordered(4, "a", 1), ordered(7, "b", 1), ordered(7, "b", 2)]
    events += [ordered(8, "c", 1), ordered(2, "d", 1, currency="USD")]
    assert activated(events, **choices)["01"] == (value, 4)


def test_first_days_in_a_segment_begin_in_the_segment() -> None:
    german, french = {"country": "DE"}, {"country": "FR"}
    events = [on(1, "page_view", "a", context=german), on(9, "page_view", "a", context=french)]
    found = activated([*events, ordered(10, "a", 1, context=french)])
    assert found["01"] == (0, 1) == found["01DE"]
    assert found["09FR"] == (1, 1)


def test_the_order_of_arrival_changes_nothing() -> None:
    """Order four events of one day, across midnight, in every way: the first day is the earliest."""
    settings = Settings(first_week=FirstWeekSettings(activation_event=ORDERS, days=2, min_events=2))
    arriving = [
        on(1, "page_view", "a", 600), on(1, "page_view", "b", 600),
        ordered(2, "a", 1), ordered(2, "a", 2), ordered(1, "b", 700),
    ]  # fmt: skip
    seen = set()
    for order in permutations(arriving):
        report = Report(settings, NOW_MS, lambda _: None)
        numbered = [e | {"event_id": f"{arriving.index(e)}"} for e in order]
        last = on(60, "page_view", "z") | {"event_id": "z"}
        report.read("example", [msgspec.json.encode(event) for event in (*numbered, last)])
        found = report.records({"first_week_engagement"}, {"day"}, end_of_day(last["event_time"]))
        seen.add(tuple((r.numerator, r.denominator) for r in found if not r.dimensions)[:2])
    assert seen == {((1, 2), (0, 0))}


def test_the_formula_names_the_activation_event() -> None:
    settings = Settings(first_week=FirstWeekSettings(activation_event=ORDERS, min_events=2))
    [metric] = [one for one in catalogue(settings) if one.name == "first_week_engagement"]
    assert metric.formula == (
        "new people with at least 2 matching order events on days 0–6 ÷ new people of the day"
    )


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("{type = 'oder'}", "did you mean order?"),
        ("{type = 'heartbeat'}", "does not make a person active"),
        ("{type = 'social_impression'}", "not about a person"),
        ("{type = 'social_followers'}", "not about a person"),
        ("{where = {revenue = 1}}", "first_week.activation_event.type: is not set"),
    ],
)
def test_an_impossible_activation_event_is_refused(
    line: str, fragment: str, tmp_path: Path
) -> None:
    file = tmp_path / "engage.toml"
    file.write_text(f"[first_week]\nactivation_event = {line}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert any(fragment in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("environ", "fragment"),
    [
        ({"ENGAGE_FIRST_WEEK_DAYS": "1"}, "first_week.days"),
        ({"ENGAGE_FIRST_WEEK_DAYS": "31"}, "first_week.days"),
        ({"ENGAGE_FIRST_WEEK_MIN_EVENTS": "7"}, "more than the 6 days"),
    ],
)
def test_impossible_first_days_are_refused(environ: dict[str, str], fragment: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ)
    assert any(fragment in problem for problem in caught.value.problems)
