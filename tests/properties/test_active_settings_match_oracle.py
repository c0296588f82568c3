"""Active people of weeks, months, hours and minutes: every setting gives the oracle's numbers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outputs import WindowKind
from stream.configure.check_service import broken_rules
from stream.settings.application import Settings
from tests.properties.checking import DAY_KINDS, check
from tests.properties.engine import EVERYONE
from tests.properties.inputs.traffic import logs_of, moments, schedules, traffic
from tests.properties.test_engine_matches_oracle import DAYS, HORIZON_MS, LATENESS_MS, config_for

HOURS: tuple[WindowKind, ...] = ("trailing_24h", "trailing_168h")


def configured(zone: str, **tables: dict[str, Any]) -> Settings:
    config = config_for(zone, **tables)
    assert broken_rules(config) == []
    return config


@settings(max_examples=16)
@given(data=st.data())
def test_weeks_months_and_stickiness_match_the_oracle_for_every_setting(
    data: st.DataObject,
) -> None:
    def one(*choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    zone, base_ms = data.draw(moments)
    week, month, base = one("7d", "calendar"), one("28d", "30d", "calendar"), one("month", "week")
    rolling = {"month": month, "week": week}[base] != "calendar"
    config = configured(
        zone,
        active={"week": week, "month": month},
        stickiness={
            "base": base,
            "numerator": one("mean_dau", "last_full_day", "today") if rolling else "mean_dau",
            "interval": one("day", "week"),
        },
        new={"lookback_days": one(0, 1, 7, 30)},
    )
    sent = data.draw(traffic(base_ms, days=DAYS, delay_ms=one(0, HORIZON_MS)))
    logs = logs_of(sent, one(1, 2, 4))
    check(logs, config, data.draw(schedules), people_cached=one(2, EVERYONE), kinds=DAY_KINDS)


@settings(max_examples=11)
@given(data=st.data())
def test_the_last_30_minutes_match_the_oracle(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    config = configured(zone, active={"live_minutes": 30})
    logs = logs_of(data.draw(traffic(base_ms, most=12, delay_ms=LATENESS_MS)), 2)
    check(logs, config, data.draw(schedules), kinds=("trailing_30m",))


@settings(max_examples=14)
@given(data=st.data())
def test_the_last_24_and_168_hours_match_the_oracle(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    config = configured(zone, active={"rolling_hours": True})
    delay_ms = data.draw(st.sampled_from([0, HORIZON_MS]))
    sent = data.draw(traffic(base_ms, days=(0, 1, 6, 7, 8), most=15, delay_ms=delay_ms))
    logs = logs_of(sent, data.draw(st.sampled_from([1, 2])))
    cached = data.draw(st.sampled_from([2, EVERYONE]))
    check(logs, config, data.draw(schedules), people_cached=cached, kinds=HOURS)


@pytest.mark.parametrize("choice", ["last_full_day", "today"])
def test_stickiness_of_a_single_day_is_refused_for_a_calendar_window(choice: str) -> None:
    config = config_for("UTC", active={"month": "calendar"}, stickiness={"numerator": choice})
    [problem] = broken_rules(config)
    assert "stickiness.numerator" in problem
