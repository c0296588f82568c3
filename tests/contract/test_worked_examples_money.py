"""Worked examples of customers, money, feedback, support and reach, through the whole engine."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.settings.application import Settings
from stream.settings.customers import SurveySettings, ValueSettings
from tests.contract.test_worked_examples import Event, customers, on, records, value_in

FIRST = "2024-04-01T00:00:00Z"


def in_april(
    events: Iterable[Event], metric: str, kind: WindowKind, settings: Settings | None = None
) -> MetricRecord:
    """Return the record of the window that begins with April."""
    found = records(events, metric, kind, settings)
    return value_in(found, FIRST)


def ending(found: list[MetricRecord], end: str) -> MetricRecord:
    [record] = [one for one in found if one.window.end == end]
    return record


def scores(survey: str, *given: tuple[float, int], **fields: Any) -> list[Event]:
    """Return the answers of each (score, number), each of a different person."""
    answers = [score for score, times in given for _ in range(times)]
    return [
        on(1, "survey_response", f"{survey}{n}", survey=survey, score=score, **fields)
        for n, score in enumerate(answers)
    ]


def order(day: int, who: str, number: int, revenue: float, **fields: Any) -> Event:
    return on(day, "order", who, order_id=f"{who}-{number}", revenue=revenue, **fields)


# ---- customers and their money


def movements() -> list[Event]:
    """Customers pay 100 a month at the end of March; in April one leaves, one pays 10 less, one 10 more."""
    start = [("stays", 60), ("leaves", 10), ("falls", 20), ("grows", 10)]
    events = [on(0, "subscription_started", w, subscription_id="s", mrr=m) for w, m in start]
    return [
        *events,
        on(10, "subscription_ended", "leaves", subscription_id="s"),
        on(11, "subscription_changed", "falls", subscription_id="s", mrr=10),
        on(12, "subscription_changed", "grows", subscription_id="s", mrr=20),
        on(13, "subscription_started", "new", subscription_id="s", mrr=50),
        on(30, "page_view", "someone"),
    ]


@pytest.mark.parametrize("kind", ["month", "trailing_30d"])
def test_mrr_churn_is_a_fifth_gross_and_a_tenth_net(kind: WindowKind) -> None:
    gross = in_april(movements(), "gross_mrr_churn", kind)
    assert (gross.numerator, gross.denominator) == (20, 100)
    assert gross.value == pytest.approx(0.20)
    assert in_april(movements(), "net_mrr_churn", kind).value == pytest.approx(0.10)


@pytest.mark.parametrize(
    ("metric", "amount"),
    [("mrr_new", 50), ("mrr_expansion", 10), ("mrr_contraction", 10), ("mrr_churn", 10)],
)
def test_movements_add_up_to_the_change_of_mrr(metric: str, amount: float) -> None:
    assert in_april(movements(), metric, "month").value == pytest.approx(amount)


def test_a_returning_customer_is_reactivated_and_not_new() -> None:
    events = [*movements(), on(20, "subscription_started", "leaves", subscription_id="t", mrr=20)]
    assert in_april(events, "mrr_reactivation", "month").value == pytest.approx(20)
    assert in_april(events, "mrr_new", "month").value == pytest.approx(50)


def test_revenue_per_account_is_21_when_9_pay_20_and_one_pays_30() -> None:
    events = [on(1, "subscription_started", f"p{n}", subscription_id="s", mrr=20) for n in range(9)]
    events.append(on(1, "subscription_started", "more", subscription_id="s", mrr=30))
    record = in_april(events, "average_revenue_per_account", "day")
    assert (record.numerator, record.denominator, record.value) == (210, 10, 21)


def test_churn_is_involuntary_when_a_payment_failed() -> None:
    events = customers(100, 0, 6)
    reasons = ["payment_failed", "Card_Expired", "unpaid", "past_due"]
    for number, reason in enumerate(reasons):
        fields = {"subscription_id": "s", "reason": reason}
        events.append(on(21, "subscription_ended", f"old{50 + number}", **fields))
    assert in_april(events, "involuntary_churn_rate", "month").value == 0.04
    assert in_april(events, "voluntary_churn_rate", "month").value == 0.06
    assert in_april(events, "churn_rate", "month").value == 0.10
    found = records(events, "churned_customers_involuntary", "day")
    assert value_in(found, "2024-04-21T00:00:00Z").value == 4


def test_churn_over_the_average_of_start_and_end() -> None:
    churn = msgspec.convert({"denominator": "average"}, type(Settings().churn))
    record = in_april(customers(100, 20, 10), "churn_rate", "month", Settings(churn=churn))
    assert (record.numerator, record.denominator) == (10, 105)


def test_recurring_lifetime_value_is_200_when_20_a_month_churn_by_a_tenth() -> None:
    events = [
        on(0, "subscription_started", f"p{n}", subscription_id="s", mrr=20) for n in range(10)
    ]
    events += [on(9, "subscription_ended", "p0", subscription_id="s"), on(30, "page_view", "any")]
    record = in_april(events, "customer_lifetime_value_recurring", "month")
    assert record.value == pytest.approx(200)
    half = Settings(value=ValueSettings(gross_margin=0.5))
    record = in_april(events, "customer_lifetime_value_recurring", "month", half)
    assert record.value == pytest.approx(100)


def test_recurring_lifetime_value_is_null_without_churn() -> None:
    record = in_april(customers(10, 0, 0), "customer_lifetime_value_recurring", "month")
    assert (record.value, record.denominator) == (None, 0)


# ---- orders


def test_orders_of_100_60_and_50_are_worth_70_on_average() -> None:
    events = [order(1, "a", 1, 100), order(1, "a", 2, 60), order(1, "b", 1, 50)]
    record = in_april(events, "average_order_value", "day")
    assert (record.numerator, record.denominator, record.value) == (210, 3, 70)
    assert in_april(events, "orders", "day").value == 3
    assert in_april(events, "buyers", "day").value == 2
    historic = records(events, "customer_lifetime_value_historic", "all")
    assert [record.value for record in historic] == [105]


def test_an_order_that_is_sent_again_counts_once() -> None:
    events = [order(1, "a", 1, 100), order(2, "a", 1, 100), order(3, "a", 2, 10)]
    [record] = records(events, "revenue", "all")
    assert record.value == 110


def test_refunds_never_exceed_the_order() -> None:
    refund = {"order_id": "a-1", "revenue": 60}
    events = [order(1, "a", 1, 100), on(2, "refund", "a", **refund), on(3, "refund", "a", **refund)]
    events += [on(4, "refund", "a", **refund), on(4, "refund", "a", order_id="never", revenue=9)]
    [refunded] = records(events, "refunds", "all")
    [revenue] = records(events, "revenue", "all")
    assert (refunded.value, revenue.value) == (100, 0)
    days = {(r.window.start or "")[:10]: r.value for r in records(events, "revenue", "day")}
    assert days == {"2024-04-01": 100, "2024-04-02": -60, "2024-04-03": -40, "2024-04-04": 0}


def test_purchase_frequency_is_two_and_a_half_when_2_people_order_5_times() -> None:
    events = [order(n, "a", n, 10) for n in range(1, 4)] + [order(n, "b", n, 10) for n in (5, 6)]
    record = in_april(events, "purchase_frequency", "month")
    assert (record.numerator, record.denominator, record.value) == (5, 2, 2.5)


@pytest.mark.parametrize(
    ("price", "years", "value"),
    [(100, 1, 1_200), (20, 3, 720)],
    ids=["100 × 12 × 1", "20 × 12 × 3"],
)
def test_simple_lifetime_value(price: float, years: float, value: float) -> None:
    events = [order(1 + 30 * n, who, n, price) for who in "ab" for n in range(12)]
    settings = Settings(value=ValueSettings(lifetime_years=years))
    found = records(events, "customer_lifetime_value_simple", "trailing_365d", settings)
    record = ending(found, "2025-02-26T00:00:00Z")  # The day of the last orders.
    assert record.value == pytest.approx(value)
    assert record.denominator == 2


def test_3_of_30_buyers_are_high_value_customers() -> None:
    events = [order(1, f"p{n}", 1, 500 if n < 3 else 20) for n in range(30)]
    found = records(events, "high_value_customers", "trailing_365d")
    assert ending(found, "2024-04-02T00:00:00Z").value == 3


def test_spending_of_more_than_a_year_ago_is_excluded() -> None:
    events = [order(1, f"p{n}", 1, 500 if n < 3 else 20) for n in range(30)]
    events += [on(1 + day, "page_view", "someone") for day in (364, 365)]
    found = records(events, "customer_lifetime_value_simple", "trailing_365d")
    assert ending(found, "2025-04-01T00:00:00Z").value == pytest.approx((1500 + 27 * 20) / 30)
    assert ending(found, "2025-04-02T00:00:00Z").value is None


# ---- acquisition cost


def test_acquisition_cost_is_250_when_750_win_3_customers() -> None:
    spend = [on(1, "marketing_spend", "x", channel="search", amount=500)]
    spend += [on(2, "marketing_spend", "x", channel="podcast", amount=250)]
    events = customers(10, 3, 0) + spend
    record = in_april(events, "customer_acquisition_cost", "month")
    assert (record.numerator, record.denominator, record.value) == (750, 3, 250)


def test_a_customer_worth_720_for_180_has_a_ratio_of_4() -> None:
    events = [order(1, who, n, 60) for who in "ab" for n in range(12)]
    events.append(on(1, "marketing_spend", "x", channel="search", amount=360))
    buyers = Settings(value=ValueSettings(customers="buyers"))
    record = in_april(events, "clv_to_cac", "month", buyers)
    assert (record.numerator, record.denominator) == (720, 180)
    assert record.value == pytest.approx(4)


def test_engagement_is_750_reactions_of_10000_impressions() -> None:
    events = [on(1, "social_impression", "x", post_id="p", count=10_000)]
    for reaction, count in (("like", 700), ("share", 50)):
        given = {"post_id": "p", "count": count}
        events.append(on(1, "social_engagement", "x", **given) | {"kind": reaction})
    record = in_april(events, "social_engagement_rate", "day")
    assert (record.numerator, record.denominator, record.value) == (750, 10_000, 0.075)


# ---- feedback


@pytest.mark.parametrize("kind", ["day", "trailing_30d"])
def test_nps_is_40_with_300_promoters_100_passives_and_100_detractors(kind: WindowKind) -> None:
    events = scores("nps", (10, 150), (9, 150), (8, 50), (7, 50), (6, 60), (0, 40))
    found = records(events, "nps", kind)
    record = ending(found, "2024-04-02T00:00:00Z")
    assert (record.value, record.denominator) == (40, 500)
    for name, share in (("promoters", 0.6), ("passives", 0.2), ("detractors", 0.2)):
        found = records(events, f"nps_{name}_share", kind)
        assert ending(found, "2024-04-02T00:00:00Z").value == pytest.approx(share)


def test_nps_of_10_7_3_and_9_is_25() -> None:
    assert in_april(scores("nps", (10, 1), (7, 1), (3, 1), (9, 1)), "nps", "day").value == 25


def test_csat_is_four_fifths_when_40_of_50_are_satisfied() -> None:
    events = scores("csat", (5, 25), (4, 15), (3, 6), (1, 4))
    record = in_april(events, "csat", "day")
    assert (record.numerator, record.denominator, record.value) == (40, 50, 0.80)


def test_ces_of_5_4_2_and_3_is_3_and_a_half() -> None:
    assert in_april(scores("ces", (5, 1), (4, 1), (2, 1), (3, 1)), "ces", "day").value == 3.5


def test_ratings_of_5_4_4_and_1_are_3_and_a_half_on_average() -> None:
    assert in_april(scores("rating", (5, 1), (4, 2), (1, 1)), "average_rating", "day").value == 3.5


def test_dismissed_surveys_count_if_the_denominator_is_shown() -> None:
    events = scores("nps", (10, 1)) + [
        on(1, "survey_dismissed", f"d{n}", survey="nps") for n in (1, 2)
    ]
    assert in_april(events, "nps", "day").value == 100
    shown = Settings(survey=SurveySettings(denominator="shown"))
    assert in_april(events, "nps", "day", shown).value == pytest.approx(100 / 3)


# ---- support


def test_5_resolved_tickets_with_one_reopened_are_4_net() -> None:
    events = [on(1, "ticket_opened", f"p{n}", ticket_id="t") for n in range(5)]
    events += [on(1, "ticket_resolved", f"p{n}", 60, ticket_id="t") for n in range(5)]
    events += [on(1, "ticket_reopened", "p0", 90, ticket_id="t")]
    assert in_april(events, "tickets_resolved", "day").value == 4
    assert in_april(events, "tickets_resolved_gross", "day").value == 5
    assert in_april(events, "tickets_reopened", "day").value == 1
    assert in_april(events, "tickets_waiting", "day").value == 1


def test_waits_of_60_120_and_360_seconds_are_180_on_average() -> None:
    events = [on(1, "ticket_opened", f"p{n}", ticket_id="t") for n in range(4)]
    for number, minutes in enumerate((1, 2, 6)):
        message = {"ticket_id": "t", "direction": "outgoing", "author": "agent"}
        events.append(on(1, "ticket_message", f"p{number}", 0, **message | {"author": "bot"}))
        events.append(on(1, "ticket_message", f"p{number}", minutes, **message))
        events.append(on(1, "ticket_resolved", f"p{number}", 2 * minutes, ticket_id="t"))
    assert in_april(events, "first_response_time", "day").value == 180
    assert in_april(events, "resolution_time", "day").value == 360
    p50 = in_april(events, "first_response_time_p50", "day").value
    assert p50 == pytest.approx(120, rel=0.09)
    assert in_april(events, "tickets_opened", "day").value == 4
    assert in_april(events, "tickets_waiting", "day").value == 1
