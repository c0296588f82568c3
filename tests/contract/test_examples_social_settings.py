"""Examples of the settings of social networks."""

from typing import Any

import pytest

from stream.counters.calendar import DAY_MS as DAY
from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry
from stream.history.learning import learn
from stream.metrics.themes.followers import Followers
from stream.settings.application import Settings
from stream.settings.customers import SocialSettings
from tests.contract.test_worked_examples import on, records, records_by

APRIL_1 = "2024-04-01T00:00:00Z"


def post(day: int, kind: str, count: int, post_id: str = "p", **fields: Any) -> dict[str, Any]:
    return on(day, f"social_{kind}", "account", post_id=post_id, count=count, **fields)


REACTIONS = [
    post(1, "impression", 10_000, network="x"), post(1, "reach", 3_000, network="x"),
    post(2, "reach", 1_000, "q", network="y"), post(1, "engagement", 700) | {"kind": "like"},
    post(1, "engagement", 50, network="x") | {"kind": "share"}, post(2, "engagement", 10, "q"),
    post(2, "engagement", 30, "q") | {"kind": "click"},
]  # fmt: skip


def engagement_of(**choices: Any) -> dict[str, tuple[float | None, float | None]]:
    """Return (numerator, denominator) by post or network ("" for all) of the week that ends on 2 April."""
    settings = Settings(social=SocialSettings(**choices))
    found = records_by(REACTIONS, "social_engagement_rate", "trailing_7d", settings)
    ended = [record for record in found if (record.window.end or "").startswith("2024-04-03")]
    return {"".join(r.dimensions.values()): (r.numerator, r.denominator) for r in ended}


def test_reactions_are_divided_by_impressions_or_by_people_reached() -> None:
    shown = engagement_of()
    assert (shown[""], shown["p"], shown["q"]) == ((790, 10_000), (750, 10_000), (40, 0))
    reached = engagement_of(denominator="reach")
    assert (reached[""], reached["p"], reached["q"]) == ((790, 4_000), (750, 3_000), (40, 1_000))
    assert (reached["x"], reached["y"]) == ((50, 3_000), (0, 1_000))


def test_reactions_have_the_configured_weights() -> None:
    found = engagement_of(weights={"like": 0.5, "share": 4, "click": 0})
    assert found["p"] == (pytest.approx(700 * 0.5 + 50 * 4), 10_000)
    # A reaction without a kind weighs 1, and a click 0.
    assert found["q"] == (pytest.approx(10), 0)
    assert found[""][0] == pytest.approx(560)


def followers(day: int, who: str, count: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    return on(day, "social_followers", who, minute, count=count, **fields)


#: Two accounts on two networks. Only the last number of a day counts: 300 on the 1st.
FOLLOWED = [
    followers(1, "us", 100, network="x"), followers(1, "us", 200, 5, network="x"),
    followers(1, "us", 50, network="y"), followers(1, "them", 50, network="x"),
    followers(3, "us", 150, network="x"), followers(5, "us", 40, network="y"),
]  # fmt: skip


def per_follower(events: list[dict[str, Any]]) -> dict[tuple[str, str], float | None]:
    """Return the denominators by (day as 04-01, network or "")."""
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
    # Posts have no followers.
    assert {network for _, network in found} == {"", "x", "y"}
    settings = Settings(social=SocialSettings(denominator="followers"))
    [first] = [
        record
        for record in records(events, "social_engagement_rate", "day", settings)
        if record.window.start == APRIL_1
    ]
    assert first.value == pytest.approx(750 / 300)


def test_an_old_number_of_followers_holds_until_the_next_one() -> None:
    events = [*FOLLOWED, *(followers(day, "us", 1_000 + day, network="x") for day in (100, 200))]
    found = per_follower([*events, on(120, "page_view", "someone")])
    assert found["07-08", ""] == 150 + 40 + 50
    assert found["07-29", ""] == found["10-16", ""] == 1_100 + 40 + 50
    assert found["10-17", ""] == 1_200 + 40 + 50


def test_an_account_is_not_a_visitor() -> None:
    events = [*FOLLOWED, on(1, "page_view", "someone")]
    for metric, kind in (("daily_active_users", "day"), ("live_visitors", "trailing_5m")):
        found = records(events, metric, kind, Settings())  # type: ignore[arg-type]
        assert max(record.value or 0 for record in found) == 1


def test_the_order_in_which_numbers_of_followers_arrive_changes_nothing() -> None:
    names, aggregate = SegmentRegistry((), 10, lambda site: Calendar()), Followers()
    segment_set = names.segment_set_of("default", {})
    reported = [
        (0, 5),
        (0, 9),
        (1, 9),
        (1, 2),
        (2, 7),
        (DAY, 4),
        (DAY, 4),
        (5 * DAY, 8),
        (9 * DAY, 1),
    ]
    sums = []
    for order in (reported, reported[::-1], [*reported[4:], *reported[:4]], [*reported, *reported]):
        history: list[HistoryEntry] = []
        total = Contributions()
        for time_ms, count in order:
            new = (time_ms, segment_set.id, "x", count)
            history = learn(history, new, 0, aggregate, names, total).entries
        sums.append(total.expanded())
    assert all(one == sums[0] for one in sums)
    # By days: 7, 4, 8, 1; on the whole site and on the network.
    assert sorted(sums[0].values()) == sorted([7, -3, 4, -7] * 2)


def test_one_old_number_of_followers_is_kept() -> None:
    names, aggregate = SegmentRegistry((), 10, lambda site: Calendar()), Followers()
    segment_set = names.segment_set_of("default", {})
    history: list[HistoryEntry] = []
    total = Contributions()
    for day in range(2_000):
        new = (day * DAY, segment_set.id, "x", day + 1)
        history = learn(history, new, (day - 1) * DAY, aggregate, names, total).entries
        assert len(history) <= 6
    assert sum(total.expanded().values()) == 2 * 2_000
