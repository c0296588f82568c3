"""Long gap sessions are split at the maximum, and at midnight if set, for any order of arrival."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.configure.check_service import broken_rules
from stream.settings.application import Settings, Site
from stream.settings.sessions import SessionSettings
from tests.properties.checking import wrong_numbers
from tests.properties.engine import Worker, final_records, run
from tests.properties.test_engine_and_time import log_of

#: `log_of` begins at noon UTC.
MIDNIGHT = 12 * 60
KINDS: tuple[WindowKind, ...] = ("day", "all")


def sessions_of(
    events: Iterable[Mapping[str, Any]], settings: Settings | None = None
) -> tuple[int, list[float]]:
    """Return the number of sessions, and the seconds of those that begin on each day."""
    settings = settings or Settings()
    log = log_of(list(events))
    workers = run([{"t": log}], settings)
    assert wrong_numbers(workers, [{"t": log}], settings, KINDS) == []
    return count_of(workers, settings)


def count_of(workers: list[Worker], settings: Settings) -> tuple[int, list[float]]:
    records = final_records(workers, settings, KINDS, ["sessions", "session_duration"])
    whole = [record for record in records if not record.dimensions]
    [count] = [r.value for r in whole if r.metric == "sessions" and r.window.kind == "all"]
    days = [r for r in whole if r.metric == "session_duration" and r.window.kind == "day"]
    return int(count or 0), [day.numerator or 0.0 for day in days]


def every(minutes: int, hours: float, **fields: Any) -> list[dict[str, Any]]:
    return [{"minute": minute, **fields} for minute in range(0, round(hours * 60) + 1, minutes)]


def test_a_session_of_exactly_a_day_stays_one() -> None:
    assert sessions_of(every(20, 24)) == (1, [86_400.0, 0.0])


def test_an_event_beyond_the_maximum_begins_another_session() -> None:
    count, seconds = sessions_of(every(20, 24.4))
    # The split is at the last full hour: the first session ends at 23:40.
    assert count == 2
    assert seconds == [23 * 3600 + 2400.0, 20 * 60.0]


def test_a_person_without_a_pause_has_one_session_a_day() -> None:
    assert sessions_of(every(25, 3 * 24 - 0.5))[0] == 3


def test_a_session_with_an_id_lasts_as_long_as_its_id_is_used() -> None:
    assert sessions_of(every(20, 30, session_id="s"))[0] == 1


@pytest.mark.parametrize(("with_id", "count"), [(True, 2), (False, 2)])
def test_midnight_splits_sessions_if_set(with_id: bool, count: int) -> None:
    settings = Settings(session=SessionSettings(split_at_midnight=True))
    fields = {"session_id": "s"} if with_id else {}
    night = [{"minute": MIDNIGHT + minute, **fields} for minute in (-20, -1, 0, 15)]
    assert sessions_of(night)[0] == 1
    assert sessions_of(night, settings) == (count, [19 * 60.0, 15 * 60.0])


def test_midnight_is_in_the_time_zone_of_the_site() -> None:
    settings = Settings(
        session=SessionSettings(split_at_midnight=True),
        sites={"shop": Site(timezone="Asia/Kolkata")},
    )
    # 18:30 UTC is midnight in Kolkata.
    late = [{"minute": 6 * 60 + minute, "site": "shop"} for minute in (20, 29, 30, 40)]
    log = log_of(late)
    workers = run([{"t": log}], settings)
    assert wrong_numbers(workers, [{"t": log}], settings, KINDS) == []
    assert count_of(workers, settings)[0] == 2


def test_the_order_of_arrival_moves_no_split() -> None:
    settings = Settings(session=SessionSettings(max_duration_hours=1))
    chance = random.Random(11)
    minutes = [0, 29, 31, 58, 61, 90, 119]
    found = set()
    for _ in range(25):
        order = chance.sample(minutes, len(minutes))
        log = log_of([{"minute": minute} for minute in order])
        found.add(str(count_of(run([{"t": log}], settings), settings)))
    assert len(found) == 1


def test_a_late_event_that_joins_two_long_sessions_moves_the_splits() -> None:
    first = every(25, 20)
    second = [{"minute": 20 * 60 + 50 + event["minute"]} for event in every(25, 20)]
    assert sessions_of([*first, *second])[0] == 2
    joined = [*first, *second, {"minute": 20 * 60 + 25}]
    count, seconds = sessions_of(joined)
    assert count == 2
    assert max(seconds) <= 86_400


def test_late_events_closing_and_crashes_move_no_split() -> None:
    chance = random.Random(7)
    settings = Settings(session=SessionSettings(max_duration_hours=2))
    for _ in range(5):
        times = sorted(chance.randrange(0, 9 * 60) for _ in range(60))
        arrivals = sorted(times, key=lambda minute: minute + chance.randrange(0, 20 * 60))
        log = log_of([{"minute": minute} for minute in arrivals])
        actions = [
            (
                chance.choice(["read", "read", "close", "checkpoint", "crash"]),
                0,
                chance.randrange(1, 9),
            )
            for _ in range(40)
        ]
        workers = run([{"t": log}], settings, actions, people_cached=2)
        assert wrong_numbers(workers, [{"t": log}], settings, KINDS) == []


def test_a_timeout_beyond_the_longest_session_is_refused() -> None:
    settings = Settings(session=SessionSettings(timeout_seconds=3600, max_duration_hours=1))
    [problem] = broken_rules(settings)
    assert problem.startswith("session.timeout_seconds: 3600 s")
