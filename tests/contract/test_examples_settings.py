"""Examples of single settings: denominators of churn, grace, later returns, weeks by site."""

from typing import Any

import pytest

from stream.settings.application import ChurnSettings, Settings, Site
from stream.settings.audience import RetentionSettings
from tests.contract.test_worked_examples import customers, on, records


def churn_of_april(
    events: list[dict[str, Any]], **choices: Any
) -> tuple[float | None, float | None]:
    """Return (churn rate, denominator) of April."""
    settings = Settings(churn=ChurnSettings(**choices))
    found = records(events, "churn_rate", "month", settings)
    [april] = [record for record in found if (record.window.start or "").startswith("2024-04-01")]
    return april.value, april.denominator


@pytest.mark.parametrize(
    ("denominator", "value"),
    [
        ("start", 10 / 100),
        ("start_plus_new", 15 / 120),
        # 100 at the start, 105 at the end.
        ("average", 15 / 102.5),
        # All left on one day, which began with 120 customers.
        ("daily_sum", 15 / 120),
    ],
)
def test_lost_customers_are_divided_by_the_configured_denominator(
    denominator: str, value: float
) -> None:
    events = customers(100, 20, 10, gained_and_lost=5)
    assert churn_of_april(events, denominator=denominator)[0] == pytest.approx(value)


def test_daily_rates_are_added_up() -> None:
    events = customers(100, 0, 10)
    events += [on(25, "subscription_ended", f"old{n}", subscription_id="s") for n in range(10, 19)]
    value, denominator = churn_of_april(events, denominator="daily_sum")
    assert value == pytest.approx(10 / 100 + 9 / 90)
    assert denominator == 1


def test_the_sum_of_rates_is_empty_without_customers() -> None:
    events = [on(1, "page_view", "someone"), on(30, "page_view", "someone")]
    events += [on(30, "subscription_started", "late", subscription_id="s", mrr=10)]
    assert churn_of_april(events, denominator="daily_sum") == (None, 0)


def failed_payment(*after: dict[str, Any], reason: str = "payment_failed") -> list[dict[str, Any]]:
    ended = on(20, "subscription_ended", "old0", subscription_id="s", reason=reason)
    return [*customers(10, 0, 0), ended, *after]


def test_grace_delays_an_involuntary_end() -> None:
    assert churn_of_april(failed_payment())[0] == pytest.approx(0.1)
    assert churn_of_april(failed_payment(), grace_period_days=10)[0] == pytest.approx(0.1)
    assert churn_of_april(failed_payment(), grace_period_days=11)[0] == 0


def test_grace_applies_to_involuntary_ends_only() -> None:
    events = failed_payment(reason="too_expensive")
    assert churn_of_april(events, grace_period_days=11)[0] == pytest.approx(0.1)


@pytest.mark.parametrize(("day", "value"), [(24, 0), (26, 0.1)])
def test_a_payment_within_grace_reverses_the_end(day: int, value: float) -> None:
    paid = on(day, "subscription_renewed", "old0", subscription_id="s")
    assert churn_of_april(failed_payment(paid), grace_period_days=5)[0] == pytest.approx(value)


def test_revenue_continues_through_grace() -> None:
    settings = Settings(churn=ChurnSettings(grace_period_days=3))
    found = records(failed_payment(), "mrr", "day", settings)
    by_day = {(record.window.start or "")[8:10]: record.value for record in found}
    assert (by_day["22"], by_day["23"]) == (100, 90)


@pytest.mark.parametrize(
    ("kind", "value"), [("n_day", 1 / 4), ("bracket", 2 / 4), ("unbounded", 2 / 4)]
)
def test_retention_on_day_7_by_each_type(kind: str, value: float) -> None:
    events = [on(1, "page_view", who) for who in "abcd"]
    events += [on(8, "page_view", "a"), on(5, "page_view", "b"), on(28, "page_view", "c")]
    settings = Settings(retention=RetentionSettings(type=kind))  # type: ignore[arg-type]
    found = records(events, "retention_d7", "day", settings)
    [first] = [record for record in found if (record.window.start or "").startswith("2024-04-01")]
    assert first.value == value


def test_unbounded_retention_follows_a_cohort_to_day_60() -> None:
    settings = Settings(retention=RetentionSettings(type="unbounded"))
    for day, value in ((61, 1), (62, 0)):
        events = [on(1, "page_view", "a"), on(day, "page_view", "a")]
        first = records(events, "retention_d30", "day", settings)[0]
        assert first.value == value


def test_a_site_has_its_own_first_day_of_the_week() -> None:
    settings = Settings(sites={"shop": Site(week_start="sunday")})
    events = [on(7, "page_view", "a"), on(7, "page_view", "a", site="shop")]
    found = records(events, "unique_visitors", "week", settings)
    # 7 April 2024 is a Sunday.
    begins = {record.site: (record.window.start or "")[:10] for record in found if record.value}
    assert begins == {"default": "2024-04-01", "shop": "2024-04-07"}
