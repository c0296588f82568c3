"""Examples of what the knobs of feedback, support, value, features, goals and social change."""

from datetime import date
from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.calendar import DAY_MS as DAY
from stream.calendar import Calendar
from stream.facts import Contributions, Fact, learn
from stream.knobs_definitions import ConversionSettings, FeatureSettings, Selection
from stream.knobs_money import SocialSettings, SupportSettings, SurveySettings, ValueSettings
from stream.metrics.followers import Followers
from stream.names import Names
from stream.sessions import A_GOAL, CARTED, CONVERTED, ORDERED, Session, marked
from stream.settings import Settings
from tests.contract.test_worked_examples import customers, on, records, records_by, value_in

APRIL_1 = "2024-04-01T00:00:00Z"


def answer(day: int, who: str, score: float, survey: str = "nps", **fields: Any) -> dict[str, Any]:
    return on(day, "survey_response", who, survey=survey, score=score, **fields)


def score(
    events: list[dict[str, Any]], metric: str, kind: WindowKind, **knobs: Any
) -> tuple[float | None, float | None]:
    """(value, denominator) of the last window of April, or the last that ends in it."""
    settings = Settings(survey=SurveySettings(**knobs))
    seen = [*events, on(30, "page_view", "someone")]
    found = {record.window.end: record for record in records(seen, metric, kind, settings)}
    last = found["2024-05-01T00:00:00Z"]
    return last.value, last.denominator


@pytest.mark.parametrize("dedupe", ["all", "latest_per_user"])
def test_a_score_of_90_days_has_the_answers_of_90_days(dedupe: str) -> None:
    # 90 days that end with April begin on 1 February, day -59 of April; before it is too long ago.
    events = [answer(-60, "a", 9), answer(-59, "b", 9), answer(0, "c", 1), answer(1, "d", 10)]
    assert score(events, "nps", "trailing_30d", dedupe=dedupe) == (100, 1)
    value, answers = score(events, "nps", "trailing_90d", dedupe=dedupe, window_days=90)
    assert (value, answers) == (pytest.approx(100 * (2 - 1) / 3), 3)


def test_the_newest_answer_of_90_days_holds() -> None:
    events = [answer(-30, "a", 1), answer(20, "a", 10), answer(-20, "b", 3)]
    knobs: dict[str, Any] = {"dedupe": "latest_per_user", "window_days": 90}
    assert score(events, "nps", "trailing_90d", **knobs) == (0, 2)
    assert score(events, "nps", "trailing_90d", window_days=90)[1] == 3


@pytest.mark.parametrize(
    "metric", ["csat", "ces", "average_rating", "feedback_count", "feedback_off_scale"]
)
def test_all_scores_have_the_window(metric: str) -> None:
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


def test_where_high_is_hard_the_lowest_scores_are_the_easiest() -> None:
    knobs: dict[str, Any] = {"ces_mode": "top_box", "ces_higher_is_easier": False}
    assert score(EFFORTS, "ces", "trailing_30d", **knobs) == (0.5, 10)


def test_of_a_shorter_scale_the_easiest_three_begin_lower() -> None:
    events = [answer(3, f"p{n}", n, "ces") for n in (1, 2, 3, 4, 5)]
    knobs: dict[str, Any] = {"ces_mode": "top_box", "ces_scale": 5}
    assert score(events, "ces", "trailing_30d", **knobs) == (0.6, 5)


def test_a_share_of_the_easiest_scores_may_be_of_all_who_were_asked() -> None:
    closed = [on(3, "survey_dismissed", f"q{n}", survey="ces") for n in range(5)]
    knobs: dict[str, Any] = {"ces_mode": "top_box", "denominator": "shown"}
    assert score([*EFFORTS, *closed], "ces", "trailing_30d", **knobs) == (0.2, 15)


def ticket(day: int, kind: str, minute: int, **fields: Any) -> dict[str, Any]:
    return on(day, f"ticket_{kind}", "a", minute, ticket_id="t", **fields)


def message(day: int, minute: int, author: str | None = None) -> dict[str, Any]:
    """Of support where it has an author, else of the customer."""
    out = {"direction": "outgoing", "author": author} if author else {"direction": "incoming"}
    return ticket(day, "message", minute, **out)


#: A bot answers after a minute, a human after ten. On the next day the customer writes twice, and
#: waits 20 minutes from the first of these; thanks are never answered.
COURSE = [
    ticket(1, "opened", 0), message(1, 1, "bot"), message(1, 10, "agent"), message(1, 12, "agent"),
    message(2, 0), message(2, 5), message(2, 20, "agent"), ticket(2, "resolved", 30), message(2, 40),
]  # fmt: skip


def waited(metric: str, **knobs: Any) -> dict[str, tuple[float | None, float | None]]:
    """Day of April → (minutes, how many) where there are any."""
    settings = Settings(support=SupportSettings(**knobs))
    found = records(COURSE, metric, "day", settings)
    return {
        (record.window.start or "")[8:10]: (record.value / 60, record.denominator)
        for record in found
        if record.value is not None
    }


def test_only_the_first_reply_counts_or_every_one() -> None:
    assert waited("first_response_time") == {"01": (10, 1)}
    every = waited("first_response_time", response_kind="every")
    assert every == {"01": (10, 1), "02": (20, 1)}


def test_a_reply_may_count_where_its_ticket_was_opened() -> None:
    opened = waited("first_response_time", response_kind="every", response_bucket="opened")
    assert opened == {"01": (15, 2)}
    assert waited("resolution_time") == {"02": (24 * 60 + 30, 1)}
    assert waited("resolution_time", response_bucket="opened") == {"01": (24 * 60 + 30, 1)}


def test_bots_reply_where_they_are_not_left_out() -> None:
    assert waited("first_response_time", exclude_bots=False) == {"01": (1, 1)}
    every = waited("first_response_time", exclude_bots=False, response_kind="every")
    assert every == {"01": (1, 1), "02": (20, 1)}


def test_who_was_answered_by_a_bot_may_wait_no_more() -> None:
    events = [*COURSE[:2], on(1, "page_view", "someone")]
    for exclude, waiting in ((True, 1), (False, 0)):
        settings = Settings(support=SupportSettings(exclude_bots=exclude))
        [record] = records(events, "tickets_waiting", "day", settings)
        assert record.value == waiting


def test_a_ticket_that_is_answered_months_later_changes_the_day_it_was_opened() -> None:
    events = [ticket(1, "opened", 0), message(301, 0, "agent")]
    settings = Settings(support=SupportSettings(response_bucket="opened"))
    found = records(events, "first_response_time", "trailing_30d", settings)
    values = {(r.window.end or "")[:10]: r.value for r in found if r.value is not None}
    assert len(values) == 30
    assert values["2024-04-02"] == values["2024-05-01"] == 300 * 86_400


def in_april(events: list[dict[str, Any]], metric: str, settings: Settings) -> float | None:
    """Its value in the month of April."""
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
def test_lifetime_value_counts_so_many_months_at_most(
    months: int, lost: int, value: float | None
) -> None:
    settings = Settings(value=ValueSettings(max_lifetime_months=months))
    found = in_april(customers(100, 0, lost), "customer_lifetime_value_recurring", settings)
    assert found == (None if value is None else pytest.approx(value))


def bought(day: int, who: str, revenue: float, kind: str = "order") -> dict[str, Any]:
    return on(day, kind, who, order_id=f"{who}{day if kind == 'order' else 2}", revenue=revenue)


#: Two buyers of a year ago have left 300, of which a year knows 100; then 1,000 in May, which April
#: does not know. Of ten customers one leaves in April: 10 a month for 10 months. One is won, for 50.
WORTH = [
    *customers(10, 1, 1), bought(-400, "x", 200), bought(2, "x", 120), bought(3, "y", 0),
    bought(4, "x", 20, "refund"), bought(35, "x", 1_000),
    on(5, "marketing_spend", "x", channel="ads", amount=50),
]  # fmt: skip


@pytest.mark.parametrize(
    ("knobs", "value"),
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
def test_cost_is_compared_with_the_lifetime_value_of_the_settings(
    knobs: dict[str, Any], value: float
) -> None:
    settings = Settings(value=ValueSettings(**knobs))
    assert in_april(WORTH, "clv_to_cac", settings) == pytest.approx(value)


def usage(events: list[dict[str, Any]], kind: WindowKind, **knobs: Any) -> dict[str, Any]:
    """Last day of a window in April → (users of `export`, of whom)."""
    settings = Settings(feature=FeatureSettings(**knobs))
    found = records_by(events, "feature_usage_rate", kind, settings)
    ends = (date.fromisoformat((record.window.end or "")[:10]) for record in found)
    days = ((end - date(2024, 4, 1)).days for end in ends)
    parts = ((record.numerator, record.denominator) for record in found)
    return dict(zip(days, parts, strict=True))


#: Of three people one uses a feature on 1 April, another on the 2nd; both are active later, the
#: third is seen for the first time on the 20th.
USED = [
    on(1, "feature_used", "a", feature="export"), on(2, "feature_used", "b", feature="export"),
    on(7, "page_view", "b"), on(20, "page_view", "c"), on(29, "page_view", "a"),
    on(30, "page_view", "b"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "on_8", "on_29", "on_30"),
    [(7, (1, 1), (0, 1), (0, 2)), (28, (2, 2), (1, 3), (0, 3)), (30, (2, 2), (2, 3), (2, 3))],
)
def test_a_feature_is_used_in_the_days_of_the_window(
    days: int, on_8: Any, on_29: Any, on_30: Any
) -> None:
    kind: Any = f"trailing_{days}d"
    found = usage(USED, kind, window_days=days)
    assert (found[8], found[29], found[30]) == (on_8, on_29, on_30)


def test_a_share_of_all_known_people_is_of_those_seen_until_then() -> None:
    found = usage(USED, "trailing_7d", window_days=7, denominator="all_known")
    assert [found[day] for day in (1, 2, 7, 8)] == [(1, 1), (2, 2), (2, 2), (1, 2)]
    later = [
        *USED,
        *(on(day, "page_view", "d") for day in (0, 9)),
        on(7, "heartbeat", "e", page_url="/"),
    ]
    found = usage(later, "trailing_7d", window_days=7, denominator="all_known")
    assert [found[day] for day in (1, 2, 7, 8)] == [(1, 2), (2, 3), (2, 3), (1, 3)]


def rates(metric: str, **knobs: Any) -> dict[str, tuple[float | None, float | None]]:
    """Goal ("" for any) → (numerator, denominator) of 1 April."""
    settings = Settings(
        conversion=ConversionSettings(**knobs),
        goals={"signup": Selection(type="custom"), "any_order": Selection(type="order")},
    )
    found = records_by(REACHED, metric, "day", settings)
    first = [record for record in found if record.window.start == APRIL_1]
    return {r.dimensions.get("goal", ""): (r.numerator, r.denominator) for r in first}


#: Of three people one signs up and orders twice, in two visits of two; another signs up. Each order
#: is two goals.
REACHED = [
    on(1, "custom", "a", name="up"), on(1, "order", "a", 1, order_id="1", revenue=5),
    on(1, "order", "a", 120, order_id="2", revenue=5), on(1, "custom", "b", name="up"),
    on(1, "page_view", "c"), on(1, "page_view", "c", 120), on(3, "page_view", "c"),
]  # fmt: skip


def test_people_convert_once_or_each_time() -> None:
    once = {"": (2, 3), "signup": (2, 3), "order": (1, 3), "any_order": (1, 3)}
    assert rates("conversion_rate") == once
    every = {"": (4, 3), "signup": (2, 3), "order": (2, 3), "any_order": (2, 3)}
    assert rates("conversion_rate", count="every") == every


@pytest.mark.parametrize("basis", ["user", "session"])
def test_visits_convert_once_or_each_time(basis: str) -> None:
    assert rates("session_conversion_rate", basis=basis) == {"": (3, 5)}
    assert rates("session_conversion_rate", basis=basis, count="every") == {"": (4, 5)}
    assert rates("conversion_rate", basis="session", count="every") == {"": (4, 5)}


def test_what_was_counted_of_a_visit_is_stored_with_it() -> None:
    session = Session("s", 0, 1)
    for more in (CARTED, CONVERTED | A_GOAL, ORDERED | CONVERTED | A_GOAL):
        session.marks = marked(session.marks, more)
    stored = Session.unpack([*session.pack()])
    assert stored.marks == CARTED | ORDERED | CONVERTED | 2 * A_GOAL
    assert (stored.closed, stored.joined, stored.real) == (False, False, False)


def post(day: int, kind: str, count: int, post_id: str = "p", **fields: Any) -> dict[str, Any]:
    return on(day, f"social_{kind}", "account", post_id=post_id, count=count, **fields)


REACTIONS = [
    post(1, "impression", 10_000, network="x"), post(1, "reach", 3_000, network="x"),
    post(2, "reach", 1_000, "q", network="y"), post(1, "engagement", 700) | {"kind": "like"},
    post(1, "engagement", 50, network="x") | {"kind": "share"}, post(2, "engagement", 10, "q"),
    post(2, "engagement", 30, "q") | {"kind": "click"},
]  # fmt: skip


def engagement(**knobs: Any) -> dict[str, tuple[float | None, float | None]]:
    """Post or network ("" for all) → (numerator, denominator) of the week that ends on 2 April."""
    settings = Settings(social=SocialSettings(**knobs))
    found = records_by(REACTIONS, "social_engagement_rate", "trailing_7d", settings)
    ended = [record for record in found if (record.window.end or "").startswith("2024-04-03")]
    return {"".join(r.dimensions.values()): (r.numerator, r.denominator) for r in ended}


def test_reactions_are_divided_by_impressions_or_by_the_people_reached() -> None:
    shown = engagement()
    assert (shown[""], shown["p"], shown["q"]) == ((790, 10_000), (750, 10_000), (40, 0))
    reached = engagement(denominator="reach")
    assert (reached[""], reached["p"], reached["q"]) == ((790, 4_000), (750, 3_000), (40, 1_000))
    assert (reached["x"], reached["y"]) == ((50, 3_000), (0, 1_000))


def test_reactions_weigh_what_the_settings_say() -> None:
    found = engagement(weights={"like": 0.5, "share": 4, "click": 0})
    assert found["p"] == (pytest.approx(700 * 0.5 + 50 * 4), 10_000)
    # What names no kind weighs 1, and a click nothing.
    assert found["q"] == (pytest.approx(10), 0)
    assert found[""][0] == pytest.approx(560)


def followers(day: int, who: str, count: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    return on(day, "social_followers", who, minute, count=count, **fields)


#: Two accounts on two networks. Only the last number of a day matters: 300 on the 1st.
FOLLOWED = [
    followers(1, "us", 100, network="x"), followers(1, "us", 200, 5, network="x"),
    followers(1, "us", 50, network="y"), followers(1, "them", 50, network="x"),
    followers(3, "us", 150, network="x"), followers(5, "us", 40, network="y"),
]  # fmt: skip


def per_follower(events: list[dict[str, Any]]) -> dict[tuple[str, str], float | None]:
    """(day as 04-01, network or "") → denominator."""
    settings = Settings(social=SocialSettings(denominator="followers"))
    found = records_by(events, "social_engagement_rate", "day", settings)
    return {
        ((r.window.start or "")[5:10], "".join(r.dimensions.values())): r.denominator for r in found
    }


def test_reactions_are_divided_by_the_followers_at_the_end_of_the_window() -> None:
    events = [*FOLLOWED, *REACTIONS, on(6, "page_view", "someone")]
    found = per_follower(events)
    assert [found[f"04-0{day}", ""] for day in range(1, 7)] == [300, 300, 250, 250, 240, 240]
    assert [found[f"04-0{day}", "x"] for day in (1, 2, 3)] == [250, 250, 200]
    assert [found[f"04-0{day}", "y"] for day in (1, 5)] == [50, 40]
    # Nobody follows a post.
    assert {network for _, network in found} == {"", "x", "y"}
    settings = Settings(social=SocialSettings(denominator="followers"))
    [first] = [
        record
        for record in records(events, "social_engagement_rate", "day", settings)
        if record.window.start == APRIL_1
    ]
    assert first.value == pytest.approx(750 / 300)


def test_followers_of_long_ago_hold_until_there_is_another_number() -> None:
    events = [*FOLLOWED, *(followers(day, "us", 1_000 + day, network="x") for day in (100, 200))]
    found = per_follower([*events, on(120, "page_view", "someone")])
    assert found["07-08", ""] == 150 + 40 + 50
    assert found["07-29", ""] == found["10-16", ""] == 1_100 + 40 + 50
    assert found["10-17", ""] == 1_200 + 40 + 50


def test_an_account_is_no_visitor() -> None:
    events = [*FOLLOWED, on(1, "page_view", "someone")]
    for metric, kind in (("daily_active_users", "day"), ("live_visitors", "trailing_5m")):
        found = records(events, metric, kind, Settings())  # type: ignore[arg-type]
        assert max(record.value or 0 for record in found) == 1


def test_the_order_in_which_numbers_of_followers_arrive_changes_nothing() -> None:
    names, theme = Names((), 10, lambda site: Calendar()), Followers()
    profile = names.profile_of("default", {})
    said = [(0, 5), (0, 9), (1, 9), (1, 2), (2, 7), (DAY, 4), (DAY, 4), (5 * DAY, 8), (9 * DAY, 1)]
    sums = []
    for order in (said, said[::-1], [*said[4:], *said[:4]], [*said, *said]):
        facts: list[Fact] = []
        total: Contributions = Contributions()
        for time_ms, count in order:
            new = (time_ms, profile.id, "x", count)
            facts, change, capped = learn(facts, new, 0, theme, names)
            total.update(change)
            assert not capped
        sums.append({key: count for key, count in total.items() if count})
    assert all(one == sums[0] for one in sums)
    # By days: 7, 4, 8, 1; on the whole site and on the network.
    assert sorted(sums[0].values()) == sorted([7, -3, 4, -7] * 2)


def test_of_the_followers_of_long_ago_one_number_is_kept() -> None:
    names, theme = Names((), 10, lambda site: Calendar()), Followers()
    profile = names.profile_of("default", {})
    facts: list[Fact] = []
    total: Contributions = Contributions()
    for day in range(2_000):
        new = (day * DAY, profile.id, "x", day + 1)
        facts, change, capped = learn(facts, new, (day - 1) * DAY, theme, names)
        total.update(change)
        assert not capped and len(facts) <= 6
    assert sum(total.values()) == 2 * 2_000
