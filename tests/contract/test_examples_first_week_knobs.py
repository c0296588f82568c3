"""Examples of how long the first week of newcomers is, and of how often they must come in it."""

import pytest

from stream.knobs_audience import FirstWeekSettings
from stream.settings import Settings, SettingsError, load_settings
from tests.contract.test_worked_examples import on, records


def of_the_first(metric: str, knobs: FirstWeekSettings) -> tuple[float | None, float | None]:
    """Four are new on the 1st: a comes again on 3 days, b on one, c after a week, d never."""
    days = {"a": (2, 4, 7), "b": (5,), "c": (9,), "d": ()}
    events = [on(1, "page_view", who) for who in days]
    events += [on(day, "page_view", who) for who, later in days.items() for day in later]
    # Several events on a day are one active day; events are there until all have matured.
    events += [on(2, "click", "a", n, page_url="/x") for n in range(5)]
    events += [on(40, "page_view", "z")]
    found = records(events, metric, "day", Settings(first_week=knobs))
    [one] = [record for record in found if (record.window.start or "").startswith("2024-04-01")]
    return one.value, one.denominator


@pytest.mark.parametrize(
    ("days", "least", "value"),
    [(7, 1, 2 / 4), (10, 1, 3 / 4), (4, 1, 1 / 4), (2, 1, 1 / 4), (7, 3, 1 / 4), (7, 4, 0)],
)
def test_who_comes_again_on_so_many_of_so_many_days(days: int, least: int, value: float) -> None:
    knobs = FirstWeekSettings(days=days, min_events=least)
    assert of_the_first("first_week_engagement", knobs) == (value, 4)


@pytest.mark.parametrize(
    ("days", "value"),
    # The first day is one of them: 4 days of a, 2 of b, 1 of c and of d.
    [(7, 8 / 4), (10, 9 / 4), (2, 5 / 4)],
)
def test_the_active_days_of_newcomers(days: int, value: float) -> None:
    assert of_the_first("first_week_active_days", FirstWeekSettings(days=days)) == (value, 4)


def test_it_is_said_when_all_its_days_are_over() -> None:
    events = [on(1, "page_view", "a"), on(7, "page_view", "a")]
    settings = Settings(first_week=FirstWeekSettings(days=8))
    for metric in ("first_week_engagement", "first_week_active_days"):
        assert records(events, metric, "day", settings) == []
        assert records([*events, on(8, "page_view", "a")], metric, "day", settings) != []


@pytest.mark.parametrize(
    ("environ", "fragment"),
    [
        ({"ENGAGE_FIRST_WEEK_DAYS": "1"}, "first_week.days"),
        ({"ENGAGE_FIRST_WEEK_DAYS": "31"}, "first_week.days"),
        ({"ENGAGE_FIRST_WEEK_MIN_EVENTS": "7"}, "more days than the 6"),
    ],
)
def test_what_nobody_could_do_is_refused(environ: dict[str, str], fragment: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ)
    assert any(fragment in problem for problem in caught.value.problems)
