"""For any order, batches, shards and crashes, the records match the oracle."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.settings.application import (
    BounceSettings,
    ChurnSettings,
    CtrSettings,
    ExitSettings,
    PageSettings,
    SessionSettings,
    Settings,
    Site,
    TimeOnPageSettings,
)
from stream.settings.audience import FirstWeekSettings, InteractionSettings, RetentionSettings
from stream.settings.definitions import Selection
from tests.properties.checking import ALL_KINDS, DAY_KINDS, KINDS, check
from tests.properties.compare import published
from tests.properties.engine import EVERYONE, Action, LogRecord, final_records, run
from tests.properties.inputs.traffic import (
    DAY_MS,
    MINUTE_MS,
    Sent,
    logs_of,
    moments,
    schedules,
    traffic,
)

LATENESS_MS = 5 * MINUTE_MS
#: Farthest distance of an event behind the newest of its partition at which it still counts.
HORIZON_MS = DAY_MS + LATENESS_MS
#: Days at which windows of 7, 28 and 30 days and of a month begin or end.
DAYS = (0, 1, 2, 6, 7, 8, 27, 28, 29, 30, 31, 45)
partitions = st.sampled_from([1, 2, 4])
caches = st.sampled_from([2, EVERYONE])


def config_for(zone: str, **choices: object) -> Settings:
    """Settings with two dimensions and a second site in another zone; choices may be plain tables."""
    return Settings(
        timezone=zone,
        currency="EUR",
        dimensions=("country", "device"),
        sites={"shop": Site(timezone="Asia/Kolkata", week_start="sunday")},
        **{name: of_table(name, choice) for name, choice in choices.items()},
    )


def of_table(name: str, choices: object) -> Any:
    """Convert a plain table to its settings struct."""
    return (
        msgspec.convert(choices, type(getattr(Settings(), name)))
        if isinstance(choices, dict)
        else choices
    )


@settings(max_examples=15)
@given(data=st.data())
def test_order_batches_shards_and_crashes_change_no_number(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    sent = data.draw(traffic(base_ms, delay_ms=data.draw(st.sampled_from([0, LATENESS_MS]))))
    logs = logs_of(sent, data.draw(partitions))
    schedule, cached = data.draw(schedules), data.draw(caches)
    workers = check(logs, config_for(zone), schedule, people_cached=cached)
    assert sum(worker.outcomes()["late"] for worker in workers) == 0


@settings(max_examples=15)
@given(data=st.data())
def test_every_trailing_hour_matches_the_oracle(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    logs = logs_of(data.draw(traffic(base_ms, most=12)), data.draw(partitions))
    ctr = CtrSettings(match_impression=data.draw(st.booleans()))
    check(logs, config_for(zone, ctr=ctr), data.draw(schedules), kinds=("trailing_1h",))


@settings(max_examples=15)
@given(data=st.data())
def test_late_corrections_end_in_the_same_numbers(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    sent = data.draw(traffic(base_ms, delay_ms=HORIZON_MS))
    logs = logs_of(sent, data.draw(partitions))
    workers = check(logs, config_for(zone), data.draw(schedules), people_cached=data.draw(caches))
    assert sum(worker.outcomes()["late"] for worker in workers) == 0


@settings(max_examples=17)
@given(data=st.data())
def test_weeks_and_months_match_the_oracle_although_old_state_is_dropped(
    data: st.DataObject,
) -> None:
    zone, base_ms = data.draw(moments)
    delay_ms = data.draw(st.sampled_from([0, LATENESS_MS, HORIZON_MS]))
    sent = data.draw(traffic(base_ms, days=DAYS, delay_ms=delay_ms))
    logs = logs_of(sent, data.draw(partitions))
    check(
        logs,
        config_for(zone),
        data.draw(schedules),
        people_cached=data.draw(caches),
        kinds=DAY_KINDS,
    )


@settings(max_examples=15)
@given(data=st.data())
def test_every_setting_matches_the_oracle(data: st.DataObject) -> None:
    def one(*choices: str) -> str:
        return data.draw(st.sampled_from(choices))

    config = config_for(
        "UTC",
        identity=one("user", "visitor"),
        week_start=one("monday", "sunday"),
        session=SessionSettings(
            boundary=one("gt", "gte"),  # type: ignore[arg-type]
            source=one("auto", "id", "gap"),  # type: ignore[arg-type]
            max_duration_hours=data.draw(st.sampled_from([1, 2, 24])),
            split_at_midnight=data.draw(st.booleans()),
        ),
        bounce=BounceSettings(
            mode=one("classic_interaction", "single_pageview", "ga4", "posthog"),  # type: ignore[arg-type]
            interactive_events=data.draw(st.sampled_from([(), (), ("impression", "custom")])),
        ),
        interaction=InteractionSettings(
            events=data.draw(
                st.sampled_from([(), ("click",), ("page_view", "custom", "ticket_message")])
            ),
            window_days=data.draw(st.sampled_from([1, 7, 28])),
        ),
        pages=PageSettings(hosts=data.draw(st.booleans())),
        time_on_page=TimeOnPageSettings(
            mode=one("engaged", "next_pageview"),  # type: ignore[arg-type]
            heartbeat_seconds=data.draw(st.sampled_from([0, 10, 15])),
        ),
        exit=ExitSettings(denominator=one("page_views", "sessions")),  # type: ignore[arg-type]
        ctr=CtrSettings(
            denominator=one("impressions", "page_views", "unique_viewers"),  # type: ignore[arg-type]
            match_impression=data.draw(st.booleans()),
            attribution_window_seconds=data.draw(st.sampled_from([1, 1800, 3600])),
        ),
        churn=ChurnSettings(
            denominator=one("start", "start_plus_new", "average", "daily_sum"),  # type: ignore[arg-type]
            effective=one("period_end", "request"),  # type: ignore[arg-type]
            behavioural_inactive_days=data.draw(st.sampled_from([7, 14, 28, 30])),
            grace_period_days=data.draw(st.sampled_from([0, 1, 6])),
            free_is_churn=data.draw(st.booleans()),
        ),
        first_week=FirstWeekSettings(
            days=data.draw(st.sampled_from([3, 7, 30])),
            min_events=data.draw(st.sampled_from([1, 1, 2])),
            activation_event=Selection(type=one("", "click", "page_view")),
            clock=one("calendar", "user_24h"),  # type: ignore[arg-type]
        ),
        retention=RetentionSettings(
            days=data.draw(st.sampled_from([(1, 7, 30), (2,)])),
            type=one("n_day", "bracket", "unbounded"),  # type: ignore[arg-type]
            cohort=one("first_time", "recurring"),  # type: ignore[arg-type]
        ),
    )
    days = data.draw(st.sampled_from([(0,), DAYS]))
    sent = data.draw(traffic(data.draw(moments)[1], days=days, delay_ms=LATENESS_MS))
    kinds = ("hour", *DAY_KINDS) if days == (0,) else DAY_KINDS
    check(logs_of(sent, data.draw(partitions)), config, data.draw(schedules), kinds=kinds)


@settings(max_examples=15)
@given(data=st.data())
def test_late_events_change_the_clicks_of_first_days_and_of_matched_impressions(
    data: st.DataObject,
) -> None:
    zone, base_ms = data.draw(moments)
    first_week = FirstWeekSettings(
        days=data.draw(st.sampled_from([3, 7])),
        min_events=data.draw(st.sampled_from([1, 2])),
        activation_event=Selection(type=data.draw(st.sampled_from(["", "click", "page_view"]))),
        clock=data.draw(st.sampled_from(["calendar", "user_24h"])),
    )
    ctr = CtrSettings(match_impression=True, denominator="unique_viewers")
    sent = data.draw(traffic(base_ms, days=(0, 1, 2, 3, 9), delay_ms=HORIZON_MS))
    check(
        logs_of(sent, data.draw(partitions)),
        config_for(zone, first_week=first_week, ctr=ctr),
        data.draw(schedules),
        people_cached=data.draw(caches),
        kinds=DAY_KINDS,
    )


@settings(max_examples=12)
@given(data=st.data())
def test_duplicates_within_the_window_change_nothing_but_their_count(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    sent = data.draw(traffic(base_ms, delay_ms=data.draw(st.sampled_from([0, LATENESS_MS]))))
    count = data.draw(partitions)
    once, twice = logs_of(sent, count), logs_of(sent, count)
    copies = sum(
        _repeat(log, data.draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4)))))
        for logs in twice
        for log in logs.values()
    )
    config = config_for(zone)
    workers = check(twice, config, data.draw(schedules), people_cached=data.draw(caches))
    assert sum(worker.outcomes()["duplicate"] for worker in workers) == copies
    plain = final_records(run(once, config), config, KINDS)
    assert published(final_records(workers, config, KINDS)) == published(plain)


def _repeat(log: list[LogRecord], copies: Sequence[tuple[int, int]]) -> int:
    """Insert copies of records a little later, within the dedupe window of the partition's clock."""
    done = 0
    for place, steps in copies:
        if place >= len(log) or any(text in log[place].value for text in (b'"GUEST"', b'"Usd"')):
            continue  # An event without a person, or in another currency, does not count; nor do its copies.
        record = log[place]
        after = min(place + steps, len(log))
        newest = max(other.timestamp for other in log[:after])
        if newest - record.timestamp <= 5 * MINUTE_MS:
            # The delay adds up to 5 minutes: at most 10 minutes of event time.
            log.insert(after, record)
            done += 1
    log[:] = [record._replace(offset=offset) for offset, record in enumerate(log)]
    return done


@settings(max_examples=15)
@given(data=st.data())
def test_replaying_from_the_start_gives_identical_records(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    sent = data.draw(traffic(base_ms, delay_ms=data.draw(st.sampled_from([0, HORIZON_MS]))))
    config = config_for(zone)
    logs = logs_of(sent, data.draw(partitions))
    live = run(logs, config, data.draw(schedules), people_cached=data.draw(caches))
    again = run(logs, config, data.draw(schedules))
    assert final_records(live, config, KINDS) == final_records(again, config, KINDS)
    assert [worker.outcomes() for worker in live] == [worker.outcomes() for worker in again]


def test_a_larger_run_with_many_crashes() -> None:
    chance = random.Random(20240310)
    zone, base_ms = "America/New_York", 1_710_000_000_000
    sent = [_seeded(chance, number, base_ms) for number in range(2_000)]
    actions = ("read", "read", "read", "read", "checkpoint", "close", "lost", "crash")
    schedule: list[Action] = [
        (chance.choice(actions), chance.randrange(3), chance.randrange(1, 40)) for _ in range(300)
    ]
    workers = check(logs_of(sent, 4), config_for(zone), schedule, people_cached=8, kinds=ALL_KINDS)
    assert min(worker.crashes for worker in workers) > 20


def _seeded(chance: random.Random, number: int, base_ms: int) -> Sent:
    account = f"account-{chance.randrange(40)}"
    kind = chance.choice(["page_view", "page_view", "page_view", "click", "impression", "custom"])
    event: dict[str, object] = {
        "type": kind,
        "event_id": f"e{number}",
        "event_time": base_ms + chance.randrange(30 * 60) * MINUTE_MS + chance.randrange(60_000),
        "visitor_id": account,
        "context": {"country": chance.choice(["DE", "FR", "US"])},
    }
    if kind == "page_view":
        event["page_url"] = f"/{chance.randrange(5)}"
    if kind in ("click", "impression"):
        event["content_id"] = "banner"
    elif kind == "custom":
        event["name"] = "search"
    if chance.random() < 0.3:
        event["session_id"] = f"s{chance.randrange(3)}"
    return Sent(
        event, account, chance.choice(["page-views", "clicks"]), chance.randrange(HORIZON_MS)
    )
