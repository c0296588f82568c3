"""Right values of reported subscriptions: who is a customer from when to when, and what they pay."""

from pathlib import Path

import pytest

from tests.contract.pages import ROOT
from tests.reported.cases import Run, case, report


def days(found: Run, metric: str, *starts: str) -> list[float]:
    """Return the values of a metric on days."""
    return [found.value(metric, "day", start) for start in starts]


@case("payment_recovered_after_end")
def test_a_payment_after_the_end_makes_the_customer_one_again() -> None:
    found = report("payment_failed_then_recovered.jsonl")
    assert days(found, "active_customers", "2025-02-09", "2025-02-10", "2025-02-13") == [1, 0, 1]
    assert days(found, "churned_customers", "2025-02-10") == [1]
    assert days(found, "mrr_reactivation", "2025-02-13") == [20]
    assert days(found, "mrr", "2025-06-01") == [20]


@case("payment_recovered_after_end")
def test_a_payment_at_the_instant_of_the_end_keeps_the_customer() -> None:
    found = report("cancel_effective_exactly_restart.jsonl")
    assert days(found, "active_customers", "2025-02-09", "2025-02-10", "2025-06-01") == [1, 1, 1]
    assert days(found, "mrr", "2025-02-10") == [20]
    assert numbers(found, "churned_customers") == set()


@case("start_before_the_data")
def test_a_change_with_a_price_begins_a_subscription_whose_start_was_never_seen() -> None:
    found = report("start_missing_change_known.jsonl")
    assert days(found, "new_customers", "2025-02-10") == [1]
    assert days(found, "mrr", "2025-02-10", "2025-03-10", "2025-06-01") == [20, 20, 20]


@case("trial_plan_change")
def test_a_change_of_plan_within_a_trial_makes_no_customer() -> None:
    found = report("trial_plan_change_no_payment.jsonl")
    for metric in ("new_customers", "churned_customers", "active_customers", "mrr", "mrr_new"):
        assert numbers(found, metric) == set(), metric


@case("free_and_paused_plans")
@pytest.mark.parametrize("name", ["free_then_paid", "pause_as_zero"])
def test_who_pays_0_is_a_customer(name: str) -> None:
    found = report(f"{name}.jsonl")
    assert days(found, "active_customers", "2025-01-10", "2025-02-20", "2025-03-20") == [1, 1, 1]
    assert numbers(found, "churned_customers") == set()


@case("free_and_paused_plans")
def test_a_setting_makes_a_plan_of_0_an_end(tmp_path: Path) -> None:
    settings = tmp_path / "engage.toml"
    settings.write_text("[churn]\nfree_is_churn = true\n")
    found = report("free_then_paid.jsonl", settings=settings)
    assert days(found, "active_customers", "2025-02-09", "2025-02-10", "2025-03-10") == [0, 1, 0]
    assert days(found, "mrr_new", "2025-02-10") == [20]
    assert days(found, "mrr_churn", "2025-03-10") == [20]
    found = report("pause_as_zero.jsonl", settings=settings)
    assert days(found, "active_customers", "2025-01-10", "2025-02-10", "2025-03-10") == [1, 0, 1]
    assert days(found, "mrr_reactivation", "2025-03-10") == [20]


@case("zero_day_subscription")
def test_a_subscription_of_five_minutes_makes_no_customer() -> None:
    found = report("zero_day_sub.jsonl")
    assert numbers(found, "new_customers") == {("2025-03-10", 1)}
    assert numbers(found, "churned_customers") == set()
    assert numbers(found, "mrr_new") == {("2025-03-10", 20)}
    assert numbers(found, "mrr_reactivation") == set()


@case("subscription_of_two_ids")
def test_an_end_under_another_id_is_documented_and_counted_as_unmatched() -> None:
    found = report("visitor_starts_user_ends.jsonl")
    assert "1 unmatched" in found.stderr
    assert days(found, "active_customers", "2025-06-01") == [1]
    limits = (ROOT / "deploy" / "README.md").read_text()
    assert "An end under another id matches no start" in limits


def numbers(found: Run, metric: str) -> set[tuple[str, float]]:
    """Return (day, value) of the days on which a metric of the whole site is not 0."""
    return {
        (record["window"]["start"][:10], record["value"])
        for record in found.records()
        if record["metric"] == metric
        and record["window"]["kind"] == "day"
        and not record["dimensions"]
        and record["value"]
    }
