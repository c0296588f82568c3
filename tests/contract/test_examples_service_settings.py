"""Examples of the settings of feedback, support and value."""

from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.settings.application import Settings
from stream.settings.customers import SupportSettings, SurveySettings, ValueSettings
from tests.contract.test_worked_examples import customers, on, records, value_in

APRIL_1 = "2024-04-01T00:00:00Z"


def answer(day: int, who: str, score: float, survey: str = "nps", **fields: Any) -> dict[str, Any]:
    return on(day, "survey_response", who, survey=survey, score=score, **fields)


def score(
    events: list[dict[str, Any]], metric: str, kind: WindowKind, **choices: Any
) -> tuple[float | None, float | None]:
    """Return (value, denominator) of the last window that ends with April."""
    settings = Settings(survey=SurveySettings(**choices))
    seen = [*events, on(30, "page_view", "someone")]
    found = {record.window.end: record for record in records(seen, metric, kind, settings)}
    last = found["2024-05-01T00:00:00Z"]
    return last.value, last.denominator


@pytest.mark.parametrize("dedupe", ["all", "latest_per_user"])
def test_a_score_of_90_days_counts_the_answers_of_90_days(dedupe: str) -> None:
    # The 90 days that end with April begin on 1 February, day -59 of April; the day before is too
    # old.
    events = [answer(-60, "a", 9), answer(-59, "b", 9), answer(0, "c", 1), answer(1, "d", 10)]
    assert score(events, "nps", "trailing_30d", dedupe=dedupe) == (100, 1)
    value, answers = score(events, "nps", "trailing_90d", dedupe=dedupe, window_days=90)
    assert (value, answers) == (pytest.approx(100 * (2 - 1) / 3), 3)


def test_the_newest_answer_of_90_days_counts() -> None:
    events = [answer(-30, "a", 1), answer(20, "a", 10), answer(-20, "b", 3)]
    choices: dict[str, Any] = {"dedupe": "latest_per_user", "window_days": 90}
    assert score(events, "nps", "trailing_90d", **choices) == (0, 2)
    assert score(events, "nps", "trailing_90d", window_days=90)[1] == 3


@pytest.mark.parametrize(
    "metric", ["csat", "ces", "average_rating", "feedback_count", "feedback_off_scale"]
)
def test_all_scores_use_the_configured_window(metric: str) -> None:
    assert records([answer(1, "a", 5, "csat")], metric, "trailing_30d", Settings())
    longer = Settings(survey=SurveySettings(window_days=90))
    assert not records([answer(1, "a", 5, "csat")], metric, "trailing_30d", longer)
    assert records([answer(1, "a", 5, "csat")], metric, "trailing_90d", longer)


EFFORTS = [
    answer(3, f"p{n}", given, "ces") for n, given in enumerate([7, 6, 5, 4.9, 4, 3, 2, 1, 1, 1])
]


def test_effort_is_a_share_of_the_easiest_scores() -> None:
    assert score(EFFORTS, "ces", "trailing_30d") == (pytest.approx(34.9 / 10), 10)
    assert score(EFFORTS, "ces", "trailing_30d", ces_mode="top_box") == (0.3, 10)


def test_the_lowest_scores_are_the_easiest_when_high_means_hard() -> None:
    choices: dict[str, Any] = {"ces_mode": "top_box", "ces_higher_is_easier": False}
    assert score(EFFORTS, "ces", "trailing_30d", **choices) == (0.5, 10)


def test_the_easiest_scores_begin_lower_on_a_shorter_scale() -> None:
    events = [answer(3, f"p{n}", n, "ces") for n in (1, 2, 3, 4, 5)]
    choices: dict[str, Any] = {"ces_mode": "top_box", "ces_scale": 5}
    assert score(events, "ces", "trailing_30d", **choices) == (0.6, 5)


def test_the_share_of_the_easiest_scores_may_divide_by_surveys_shown() -> None:
    closed = [on(3, "survey_dismissed", f"q{n}", survey="ces") for n in range(5)]
    choices: dict[str, Any] = {"ces_mode": "top_box", "denominator": "shown"}
    assert score([*EFFORTS, *closed], "ces", "trailing_30d", **choices) == (0.2, 15)


def ticket(day: int, kind: str, minute: int, **fields: Any) -> dict[str, Any]:
    return on(day, f"ticket_{kind}", "a", minute, ticket_id="t", **fields)


def message(day: int, minute: int, author: str | None = None) -> dict[str, Any]:
    """Return a message of support if it has an author, else of the customer."""
    out = {"direction": "outgoing", "author": author} if author else {"direction": "incoming"}
    return ticket(day, "message", minute, **out)


#: A bot answers after a minute, an agent after ten. On the next day the customer writes twice and
#: waits 20 minutes from the first message; the thanks at the end are never answered.
COURSE = [
    ticket(1, "opened", 0), message(1, 1, "bot"), message(1, 10, "agent"), message(1, 12, "agent"),
    message(2, 0), message(2, 5), message(2, 20, "agent"), ticket(2, "resolved", 30), message(2, 40),
]  # fmt: skip


def waiting_minutes(metric: str, **choices: Any) -> dict[str, tuple[float | None, float | None]]:
    """Return (minutes, number) by day of April, where there are any."""
    settings = Settings(support=SupportSettings(**choices))
    found = records(COURSE, metric, "day", settings)
    return {
        (record.window.start or "")[8:10]: (record.value / 60, record.denominator)
        for record in found
        if record.value is not None
    }


def test_the_first_reply_or_every_reply_counts() -> None:
    assert waiting_minutes("first_response_time") == {"01": (10, 1)}
    every = waiting_minutes("first_response_time", response_kind="every")
    assert every == {"01": (10, 1), "02": (20, 1)}


def test_a_reply_may_count_on_the_day_its_ticket_was_opened() -> None:
    opened = waiting_minutes("first_response_time", response_kind="every", response_bucket="opened")
    assert opened == {"01": (15, 2)}
    assert waiting_minutes("resolution_time") == {"02": (24 * 60 + 30, 1)}
    assert waiting_minutes("resolution_time", response_bucket="opened") == {"01": (24 * 60 + 30, 1)}


def test_replies_of_bots_count_unless_excluded() -> None:
    assert waiting_minutes("first_response_time", exclude_bots=False) == {"01": (1, 1)}
    every = waiting_minutes("first_response_time", exclude_bots=False, response_kind="every")
    assert every == {"01": (1, 1), "02": (20, 1)}


def test_a_reply_of_a_bot_may_end_the_waiting() -> None:
    events = [*COURSE[:2], on(1, "page_view", "someone")]
    for exclude, waiting in ((True, 1), (False, 0)):
        settings = Settings(support=SupportSettings(exclude_bots=exclude))
        [record] = records(events, "tickets_waiting", "day", settings)
        assert record.value == waiting


def test_a_reply_months_later_changes_the_day_its_ticket_was_opened() -> None:
    events = [ticket(1, "opened", 0), message(301, 0, "agent")]
    settings = Settings(support=SupportSettings(response_bucket="opened"))
    found = records(events, "first_response_time", "trailing_30d", settings)
    values = {(r.window.end or "")[:10]: r.value for r in found if r.value is not None}
    assert len(values) == 30
    assert values["2024-04-02"] == values["2024-05-01"] == 300 * 86_400


def in_april(events: list[dict[str, Any]], metric: str, settings: Settings) -> float | None:
    """Return the value in the month of April."""
    return value_in(records(events, metric, "month", settings), APRIL_1).value


@pytest.mark.parametrize(
    ("months", "lost", "value"),
    [
        # Each of 100 customers pays 10 a month.
        (60, 1, 10 * 60),
        (120, 1, 10 * 100),
        (60, 10, 10 * 10),
        (5, 10, 10 * 5),
        (5, 0, None),
    ],
)
def test_lifetime_value_counts_at_most_the_configured_months(
    months: int, lost: int, value: float | None
) -> None:
    settings = Settings(value=ValueSettings(max_lifetime_months=months))
    found = in_april(customers(100, 0, lost), "customer_lifetime_value_recurring", settings)
    assert found == (None if value is None else pytest.approx(value))


def bought(day: int, who: str, revenue: float, kind: str = "order") -> dict[str, Any]:
    return on(day, kind, who, order_id=f"{who}{day if kind == 'order' else 2}", revenue=revenue)


#: Two buyers, of more than a year ago too, have spent 300, of which the year holds 100; 1,000 in
#: May are after April. Of ten customers one leaves in April: 10 a month for 10 months. One is won,
#: for 50.
WORTH = [
    *customers(10, 1, 1), bought(-400, "x", 200), bought(2, "x", 120), bought(3, "y", 0),
    bought(4, "x", 20, "refund"), bought(35, "x", 1_000),
    on(5, "marketing_spend", "x", channel="ads", amount=50),
]  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "value"),
    [
        ({}, 100 / 50),
        ({"clv_mode": "recurring", "customers": "buyers"}, 100 / (50 / 1)),
        ({"customers": "buyers"}, 50 / (50 / 1)),
        ({"clv_mode": "simple"}, 50 / 50),
        ({"clv_mode": "simple", "lifetime_years": 3}, 150 / 50),
        ({"clv_mode": "historic"}, 150 / 50),
        ({"max_lifetime_months": 5}, 50 / 50),
    ],
)
def test_acquisition_cost_is_compared_with_the_configured_lifetime_value(
    choices: dict[str, Any], value: float
) -> None:
    settings = Settings(value=ValueSettings(**choices))
    assert in_april(WORTH, "clv_to_cac", settings) == pytest.approx(value)
