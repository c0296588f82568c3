"""Worked examples of people who come, come often and come back, as events through the whole engine."""

from collections.abc import Sequence

import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.settings.application import Settings
from stream.settings.churn import ChurnRiskSettings
from tests.conftest import needs_river
from tests.contract.test_worked_examples import Event, on, records, records_by, value_in

APRIL = "2024-04-01T00:00:00Z"
#: The first of April 2024 is a Monday.
WEEK_2 = "2024-04-08T00:00:00Z"


def seen(day: int, who: Sequence[str], minute: int = 0) -> list[Event]:
    return [on(day, "page_view", person, minute) for person in who]


def people(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def paying(count: int) -> list[Event]:
    """Return the start of subscriptions a month earlier."""
    return [on(-40, "subscription_started", f"customer{n}", subscription_id="s", mrr=10)
            for n in range(count)]  # fmt: skip


def numbers(record: MetricRecord) -> tuple[float | None, ...]:
    return record.numerator, record.denominator, record.value


@pytest.mark.parametrize(
    ("metric", "kind", "start"),
    [
        ("daily_activity_rate", "day", APRIL),
        ("monthly_activity_rate", "trailing_28d", "2024-03-05T00:00:00Z"),
    ],
)
def test_the_activity_rate_is_a_fifth_when_200_of_1000_customers_are_active(
    metric: str, kind: WindowKind, start: str
) -> None:
    events = paying(1_000) + seen(1, people("customer", 200)) + seen(1, ["customer1"], 50)
    assert numbers(value_in(records(events, metric, kind), start)) == (200, 1_000, 0.20)


def test_the_new_visitor_share_is_six_tenths_when_60_of_100_were_never_seen() -> None:
    events = seen(0, people("old", 45)) + seen(1, people("old", 40) + people("new", 60))
    found = records(events, "new_visitor_share", "day")
    assert numbers(value_in(found, APRIL)) == (60, 100, 0.6)


def test_the_visit_frequency_is_4_when_100_people_make_400_sessions_in_a_month() -> None:
    who = people("p", 100)
    events = [event for day in (1, 9, 17, 30) for event in seen(day, who)]
    found = records(events + seen(1, who, 20), "visit_frequency", "month")
    assert numbers(value_in(found, APRIL)) == (400, 100, 4)


def test_the_interaction_frequency_is_3_when_50_people_make_150_interactions_in_a_week() -> None:
    who = people("p", 50)
    events = seen(1, who) + [on(2, "click", p, page_url="/x") for p in who]
    events += [on(7, "custom", p, name="search") for p in who]
    events += [on(7, "custom", p, name="shown", interactive=False) for p in who]
    events += [on(7, "order", p, order_id=p, revenue=1) for p in who]
    found = records(events, "interaction_frequency", "trailing_7d")
    assert numbers(value_in(found, APRIL)) == (150, 50, 3)


def test_30_are_at_risk_when_70_of_100_came_in_the_last_week() -> None:
    events = seen(1, people("p", 100)) + seen(21, people("p", 70)) + seen(28, ["p0"])
    found = records(events, "at_risk_users", "day")
    assert value_in(found, "2024-04-27T00:00:00Z").value == 30
    # On the 28th the others' last day is a week ago; all but one were active within 28 days.
    assert value_in(found, "2024-04-28T00:00:00Z").value == 99


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("retained_users", 40), ("resurrected_users", 10), ("dormant_users", 50),
        ("new_visitors", 50),
    ],
)  # fmt: skip
def test_a_week_of_100_people_by_their_lifecycle(metric: str, value: int) -> None:
    back, stayed, gone, new = (
        people("back", 10), people("stayed", 40), people("gone", 50), people("new", 50),
    )  # fmt: skip
    events = seen(-5, back) + seen(1, stayed) + seen(7, [*stayed, *gone])
    events += seen(8, [*stayed, *new]) + seen(14, [*back, *stayed, *new])
    assert value_in(records(events, metric, "week"), WEEK_2).value == value
    assert value_in(records(events, "unique_visitors", "week"), WEEK_2).value == 100


def test_two_of_three_are_at_churn_risk_when_they_come_once_a_week_instead_of_daily() -> None:
    daily = [event for day in range(1, 22) for event in seen(day, ["a", "b", "c"])]
    events = daily + seen(25, ["a", "b"]) + seen(23, ["c"]) + seen(25, ["c"], 1)
    events += seen(27, ["c"]) + seen(28, ["c"])
    record = value_in(records(events, "churn_risk_users", "day"), "2024-04-28T00:00:00Z")
    assert record.value == 2


def test_half_of_the_earlier_rate_is_not_below_half() -> None:
    # Two days a week before, one now.
    events = [event for day in (1, 4, 8, 11, 15, 18, 23) for event in seen(day, ["a"])]
    events += seen(28, ["b"])
    found = records(events, "churn_risk_users", "day")
    assert value_in(found, "2024-04-28T00:00:00Z").value == 0


def test_retention_is_three_quarters_when_3_of_4_come_back() -> None:
    who = people("p", 4)
    for day in (1, 7, 30):
        events = seen(1, who) + seen(1 + day, who[:3]) + seen(2 + day, who)
        record = value_in(records(events, f"retention_d{day}", "day"), APRIL)
        assert numbers(record) == (3, 4, 0.75)


def test_first_week_engagement_is_a_quarter_when_1_of_4_comes_again() -> None:
    who = people("p", 4)
    events = seen(1, who) + seen(7, who[:1]) + seen(8, who)
    record = value_in(records(events, "first_week_engagement", "day"), APRIL)
    assert numbers(record) == (1, 4, 0.25)


def test_retention_waits_until_the_day_is_over() -> None:
    events = seen(1, ["a"]) + seen(7, ["b"])
    assert {record.window.start for record in records(events, "retention_d7", "day")} == set()
    events += seen(8, ["b"])
    [record] = records(events, "retention_d7", "day")
    assert (record.window.start, record.value) == (APRIL, 0)


def test_10_of_30_are_at_high_risk_when_many_like_them_stopped_coming() -> None:
    """Train a model of 7 days; on the last of 60 days only daily visitors are expected again."""
    needs_river()
    daily, quitters, leavers = people("daily", 20), people("gone", 100), people("leaver", 10)
    events = [event for day in range(1, 61) for event in seen(day, daily)]
    events += [
        on(1 + n % 25 + d, "page_view", who) for n, who in enumerate(quitters) for d in (0, 1)
    ]
    events += [event for day in (48, 49) for event in seen(day, leavers)]
    settings = Settings(
        churn_risk=ChurnRiskSettings(enabled=True, horizon_days=7, examples_min=500)
    )
    found = records_by(events, "churn_risk_by_band", "day", settings)
    last = {
        record.dimensions["risk_band"]: record
        for record in found
        if record.window.start == "2024-05-30T00:00:00Z"
    }
    assert {band: record.value for band, record in last.items()} == {"low": 20, "high": 10}
    assert all(record.approximate for record in found)
    # Before the model has learned enough, no risk is counted.
    assert found[0].window.start > "2024-04-08T00:00:00Z"


def test_no_risk_is_counted_unless_enabled() -> None:
    events = [event for day in range(1, 61) for event in seen(day, people("p", 20))]
    assert records_by(events, "churn_risk_by_band", "day") == []
