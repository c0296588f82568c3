"""Silence, outages, wrong clocks and revisions: time decides when a window closes, never its numbers."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outputs import WindowKind
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings, Site
from tests.properties.checking import KINDS, wrong_numbers
from tests.properties.compare import key_of, published
from tests.properties.engine import EVERYONE, LogRecord, Worker, final_records, run
from tests.properties.follower import Follower
from tests.properties.inputs.traffic import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    logs_of,
    moments,
    schedules,
    traffic,
)

BASE_MS = 1_709_553_600_000  # 2024-03-04T12:00Z
YEAR_MS = 365 * DAY_MS
LATENESS_MS = 5 * MINUTE_MS


def log_of(events: Sequence[dict[str, Any]], timestamp_type: int = 1) -> list[LogRecord]:
    """Return a log of events given by `minute`, in the order of arrival; each arrives when it happens."""
    log: list[LogRecord] = []
    for number, given_event in enumerate(events):
        event = {"type": "page_view", "event_id": f"e{number}", "visitor_id": "v"} | given_event
        event["event_time"] = BASE_MS + round(event.pop("minute") * MINUTE_MS)
        arrived = max([event["event_time"], *(record.timestamp for record in log)])
        log.append(LogRecord(number, arrived, msgspec.json.encode(event), timestamp_type))
    return log


def worker_on(
    log: list[LogRecord], config: Settings | None = None, now_ms: int = 1 << 60
) -> Worker:
    return Worker(0, {"t": log}, config or Settings(), EVERYONE, now_ms)


@pytest.mark.parametrize("timestamp_type", [0, 1])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_one_event_dated_next_year_only_adds_a_dead_letter(place: int, timestamp_type: int) -> None:
    minutes = [0, 5, 9, 14, 70, 75]
    events = [{"minute": minute, "event_id": f"n{minute}"} for minute in minutes]
    clean_log = log_of(events, timestamp_type=timestamp_type)
    dirty_log = list(clean_log)
    wrong = msgspec.json.decode(clean_log[0].value) | {
        "event_id": "future", "event_time": BASE_MS + YEAR_MS, "visitor_id": "w",
    }  # fmt: skip
    # The producer's clock stamps the record with next year; the broker's clock with the present.
    stamped = BASE_MS + YEAR_MS if timestamp_type == 0 else clean_log[place].timestamp
    dirty_log.insert(
        place, clean_log[place]._replace(value=msgspec.json.encode(wrong), timestamp=stamped)
    )
    dirty_log = [record._replace(offset=offset) for offset, record in enumerate(dirty_log)]
    config, now_ms = Settings(), BASE_MS + 2 * HOUR_MS
    [clean] = run([{"t": clean_log}], config, now_ms=now_ms)
    [dirty] = run([{"t": dirty_log}], config, [("read", 0, 3), ("checkpoint", 0, 0), ("crash", 0, 0)],
                  now_ms=now_ms)  # fmt: skip
    assert published(final_records([clean], config)) == published(final_records([dirty], config))
    assert dirty.outcomes() == clean.outcomes() | {"rejected": 1}
    assert dirty.shard.topics["t"].reasons == {"future": 1}
    assert dirty.shard.topics["t"].clock == clean.shard.topics["t"].clock
    assert len(dirty.store.dead_letters) == 1


def test_duplicates_are_still_known_after_a_crash_and_a_wrong_clock() -> None:
    log = log_of([{"minute": 0, "event_id": "a"}, {"minute": 1, "event_id": "b"}], timestamp_type=0)
    future = {"type": "page_view", "event_id": "f", "event_time": BASE_MS + YEAR_MS}
    raw = msgspec.json.encode(future | {"visitor_id": "w"})
    log += [LogRecord(2, BASE_MS + YEAR_MS, raw, 0), log[0]._replace(offset=3)]
    schedule = [("read", 0, 3), ("checkpoint", 0, 0), ("crash", 0, 0)]
    [worker] = run([{"t": log}], Settings(), schedule, now_ms=BASE_MS + 2 * HOUR_MS)
    assert worker.outcomes()["duplicate"] == 1


def test_a_crash_does_not_change_whether_a_third_copy_is_known() -> None:
    # The third copy is within the window of the second one, but not of the first.
    log = log_of([{"minute": 0, "event_id": "a"}, {"minute": 16}, {"minute": 24}])
    copy_of_a = log[0]._replace(timestamp=BASE_MS + 24 * MINUTE_MS)
    log = [log[0], log[1], copy_of_a, log[2], copy_of_a]
    log = [record._replace(offset=offset) for offset, record in enumerate(log)]
    outcomes = [
        run([{"t": log}], Settings(), [("read", 0, stored), ("checkpoint", 0, 0), ("crash", 0, 0)])[
            0
        ].outcomes()
        for stored in range(len(log))
    ]
    assert outcomes == [outcomes[0]] * len(outcomes)


def test_silence_closes_sessions_and_a_later_event_reopens_them() -> None:
    log = log_of([{"minute": 0}, {"minute": 10}, {"minute": 35}])
    worker = worker_on(log)
    worker.read("t", 2)
    worker.close()
    assert worker.shard.sessions.open.number == 1
    worker.shard.drained("t", BASE_MS + 60 * MINUTE_MS)
    worker.close()
    assert worker.shard.sessions.open.number == 0
    assert worker.shard.watermark == BASE_MS + 55 * MINUTE_MS
    worker.shard.drained("t", 0)
    worker.finish()
    assert worker.shard.sessions.open.reopened == 1
    assert wrong_numbers([worker], [{"t": log}], Settings()) == []


@pytest.mark.parametrize(("quiet_minutes", "open_sessions"), [(44, 1), (45, 1), (46, 0)])
def test_a_session_is_closed_when_the_watermark_is_past_its_timeout(
    quiet_minutes: int, open_sessions: int
) -> None:
    # Last event at minute 10, timeout 30, lateness 5: more than 45 minutes.
    worker = worker_on(log_of([{"minute": 10}]))
    worker.read("t", 1)
    worker.shard.drained("t", BASE_MS + quiet_minutes * MINUTE_MS)
    worker.close()
    assert worker.shard.sessions.open.number == open_sessions


@settings(max_examples=10)
@given(data=st.data())
def test_an_outage_of_an_hour_makes_no_event_late(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    config = Settings(timezone=zone)
    logs = logs_of(data.draw(traffic(base_ms, delay_ms=LATENESS_MS)), 1)
    worker = Worker(0, logs[0], config, EVERYONE, 1 << 60)
    before = data.draw(st.integers(0, 5))
    for topic, log in logs[0].items():
        worker.read(topic, before)
        state = worker.shard.topics[topic]
        # Live until here; then the broker is away while its producers continue for an hour.
        if state.next == len(log) or log[state.next].timestamp >= base_ms:
            worker.shard.drained(topic, max(state.clock, 1))
    worker.close()
    for topic in logs[0]:
        worker.shard.drained(topic, 0)
    for action in data.draw(schedules):
        if action[0] == "read":
            worker.act(action)
            worker.close()
    worker.finish()
    assert worker.outcomes()["late"] == 0
    assert wrong_numbers([worker], logs, config) == []


@settings(max_examples=11)
@given(data=st.data())
def test_provisional_records_end_in_the_final_numbers(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    config = Settings(timezone=zone, dimensions=("country",))
    delay_ms = data.draw(st.sampled_from([LATENESS_MS, 6 * HOUR_MS]))
    logs = logs_of(data.draw(traffic(base_ms, delay_ms=delay_ms, most=15)), 2)
    workers = [Worker(n, part, config, EVERYONE, 1 << 60) for n, part in enumerate(logs)]
    follower = Follower(workers, config, KINDS)
    for _ in range(data.draw(st.integers(0, 4))):
        for worker in workers:
            worker.act(("read", data.draw(st.integers(0, 2)), data.draw(st.integers(1, 6))))
            worker.close()
            worker.checkpoint()
        follower.publish()
    for worker in workers:
        worker.finish()
    follower.publish()
    last = published(follower.records)
    final = published(final_records(workers, config, KINDS))
    assert {key: last.get(key) for key in final} == final
    # A window exists while it is open, even if all its events belong to other sites in the end.
    # Levels have a value on every day, so they were published for it.
    levels = {metric.name for metric in catalogue(config) if metric.level}
    only_then = [record for record in follower.records if key_of(record) not in final]
    assert all(
        last[key_of(record)].is_empty
        or (record.metric in levels and (record.site, record.window) in follower.under_way)
        for record in only_then
    ), only_then
    assert follower.publish() == []


def test_a_level_of_a_site_without_events_today_is_published_while_the_day_is_open() -> None:
    log = log_of([
        {"minute": 0, "type": "subscription_started", "subscription_id": "s", "user_id": "u", "mrr": 5,
         "site": "shop"},
        {"minute": 3 * 1440},
    ])  # fmt: skip
    config = Settings()
    worker = worker_on(log)
    follower = Follower([worker], config, ["day"])
    worker.read("t", 2)
    worker.close()
    worker.checkpoint()
    follower.publish()
    levels = {
        record.window.start: record.value
        for record in follower.records
        if record.metric == "active_customers" and record.site == "shop"
    }
    assert levels == {"2024-03-04T00:00:00Z": 1, "2024-03-07T00:00:00Z": 1}


def test_a_checkpoint_does_not_change_whether_a_session_id_is_still_known() -> None:
    days = (0, 2 * 1440, 2 * 1440 + 60)
    log = log_of([{"minute": days[0], "session_id": "s"}, {"minute": days[1]},
                  {"minute": days[2], "session_id": "s"}])  # fmt: skip
    plain = run([{"t": log}], Settings())
    stored = run([{"t": log}], Settings(), [("read", 0, 2), ("close", 0, 0), ("checkpoint", 0, 0)])
    kinds: tuple[WindowKind, ...] = ("day", "all")
    assert published(final_records(stored, Settings(), kinds)) == published(
        final_records(plain, Settings(), kinds)
    )


def test_topics_read_far_apart_count_a_live_visitor_once() -> None:
    # After a long outage one topic may be read days ahead of another one.
    events: list[dict[str, Any]] = [
        {"minute": 0},
        {"minute": 4 * 1440},
        {"minute": 1, "event_id": "other"},
    ]
    ahead, behind = log_of(events[:2]), log_of(events[2:])
    logs = [{"t": ahead, "u": behind}]
    [worker] = run(logs, Settings(), [("read", 0, 2), ("checkpoint", 0, 0)])
    assert wrong_numbers([worker], logs, Settings(), ["trailing_5m"]) == []


def test_an_event_after_an_old_session_may_join_it_to_a_newer_one() -> None:
    # Minute 1 continues the session of minute 0; minute 25 reaches both it and the session of
    # minute 50.
    log = log_of([{"minute": minute} for minute in (0, 50, 1, 25)])
    [worker] = run([{"t": log}], Settings())
    assert wrong_numbers([worker], [{"t": log}], Settings()) == []


def test_open_sessions_are_counted_right_when_two_have_merged_before_a_crash() -> None:
    log = log_of([{"minute": 0}, {"minute": 40}, {"minute": 20}])
    worker = worker_on(log)
    worker.read("t", 2)
    worker.checkpoint()
    worker.read("t", 1)
    worker.checkpoint()
    worker.crash()
    assert worker.shard.sessions.open.number == 1


def test_hours_of_a_site_follow_its_own_time_zone() -> None:
    sites = {"shop": Site(timezone="Asia/Kolkata")}
    log = log_of([{"minute": 0}, {"minute": 3, "site": "shop"}])
    [worker] = run([{"t": log}], Settings(sites=sites))
    assert wrong_numbers([worker], [{"t": log}], Settings(sites=sites), ["hour"]) == []


def test_two_open_sessions_do_not_fill_the_memory() -> None:
    events: list[dict[str, Any]] = [
        {"minute": n, "session_id": "ab"[n // 10 % 2]} for n in range(0, 360, 10)
    ]
    log = log_of(events)
    worker = worker_on(log)
    # Each entry examined in vain must leave one entry behind, not two: they would double.
    while worker.read("t", 3):
        worker.close()
    assert len(worker.shard.sessions.open._expiry._heap) < 10
