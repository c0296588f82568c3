"""Examples of newcomers after a pause, and of people by the number of weeks in which they come."""

import pytest

from schemas.outputs import WindowKind
from stream.configure.load import SettingsError, load_settings
from stream.settings.application import Settings
from stream.settings.audience import NewSettings, StickinessSettings
from tests.contract.test_examples_audience import APRIL, WEEK_2, people, seen
from tests.contract.test_worked_examples import on, records, records_by, value_in


@pytest.mark.parametrize(
    ("pause", "value"),
    # Of the 20 people on the 20th, 4 come for the first time; the others came 1, 8 and 30 days ago.
    [(0, 4), (1, 16), (7, 16), (8, 12), (29, 12), (30, 4)],
)
def test_a_person_is_new_again_after_the_configured_pause(pause: int, value: int) -> None:
    ago = {1: people("a", 4), 8: people("b", 4), 30: people("c", 8), 0: people("d", 4)}
    events = [event for days, who in ago.items() for event in seen(20 - days, who)]
    events += [event for who in ago.values() for event in seen(20, who, 9)]
    settings = Settings(new=NewSettings(lookback_days=pause))
    day = "2024-04-20T00:00:00Z"
    assert value_in(records(events, "new_visitors", "day", settings), day).value == value
    assert value_in(records(events, "returning_visitors", "day", settings), day).value == 20 - value
    assert value_in(records(events, "new_visitor_share", "day", settings), day).value == value / 20


@pytest.mark.parametrize(("kind", "start"), [("week", WEEK_2), ("month", APRIL)])
def test_a_person_is_new_in_a_period_after_a_pause_before_the_first_day_in_it(
    kind: WindowKind, start: str
) -> None:
    # a was away for 6 days before the 8th; b for 7 days before the 9th, whatever follows in the
    # week.
    first = {"week": (1, 2), "month": (-6, -5)}[kind]
    again = {"week": (8, 10), "month": (1, 3)}[kind]
    events = [*seen(first[0] + 1, ["a"]), *seen(first[1], ["b"])]
    events += [*seen(again[0], ["a"]), *seen(again[1], ["a", "b"]), *seen(again[1] + 1, ["b"])]
    settings = Settings(new=NewSettings(lookback_days=7))
    assert value_in(records(events, "new_visitors", kind, settings), start).value == 1


def test_people_are_counted_by_the_weeks_of_a_month_in_which_they_came() -> None:
    # April 2024: the 1st is a Monday, so the weeks begin on the 1st, 8th, 15th, 22nd and 29th.
    events = seen(1, ["a", "b"]) + seen(7, ["a"]) + seen(8, ["c"]) + seen(16, ["c"])
    events += seen(29, ["c"]) + seen(31, ["b"])  # In the same week, but in May.
    settings = Settings(stickiness=StickinessSettings(interval="week"))
    found = records_by(events, "active_weeks", "month", settings)
    bars = {
        record.dimensions["active_weeks"]: record.value
        for record in found
        if record.window.start == APRIL
    }
    assert bars == {"1": 2, "3": 1}


def test_weeks_are_not_counted_by_default() -> None:
    assert records(seen(1, ["a"]), "active_weeks", "month") == []


@pytest.mark.parametrize("days", ["-1", "31"])
def test_a_pause_longer_than_the_kept_days_is_refused(days: str) -> None:
    with pytest.raises(SettingsError, match=r"new\.lookback_days"):
        load_settings(None, {"ENGAGE_NEW_LOOKBACK_DAYS": days})


def test_the_first_session_of_a_person_is_the_new_one() -> None:
    # On the 2nd: a for the first time, twice; b, active the day before; c with a heartbeat only.
    events = seen(1, ["b"]) + seen(2, ["a", "b"]) + seen(2, ["a"], 60) + seen(3, ["a"])
    events += [on(2, "heartbeat", "c", page_url="/"), *seen(3, ["c"])]
    settings = Settings(new=NewSettings(basis="session"))
    found = {
        metric: value_in(records(events, metric, "day", settings), "2024-04-02T00:00:00Z").value
        for metric in ("sessions", "new_visitors", "returning_visitors", "new_visitor_share")
    }
    assert found == {
        "sessions": 3, "new_visitors": 1, "returning_visitors": 2, "new_visitor_share": 1 / 3,
    }  # fmt: skip
    [ever] = records(events, "new_visitors", "all", settings)
    assert ever.value == 3


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"ENGAGE_NEW_LOOKBACK_DAYS": "7"}, r"new\.lookback_days"),
        ({"ENGAGE_SESSION_ID_SCOPE": "site"}, r"new\.basis"),
    ],
)
def test_new_sessions_exclude_a_pause_and_site_wide_ids(more: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load_settings(None, {"ENGAGE_NEW_BASIS": "session", **more})
