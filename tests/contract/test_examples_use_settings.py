"""Examples of the settings of features and goals."""

from datetime import date
from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.sessions.session import A_GOAL, CARTED, CONVERTED, ORDERED, Session, marked
from stream.settings.application import Settings
from stream.settings.definitions import ConversionSettings, FeatureSettings, Measure, Selection
from tests.contract.test_worked_examples import on, records_by

APRIL_1 = "2024-04-01T00:00:00Z"


def usage(events: list[dict[str, Any]], kind: WindowKind, **choices: Any) -> dict[str, Any]:
    """Return (users of `export`, people) by the last day of each window in April."""
    return usage_by(Settings(feature=FeatureSettings(**choices)), events, kind)


def usage_by(settings: Settings, events: list[dict[str, Any]], kind: WindowKind) -> dict[str, Any]:
    """Return the same under the given settings."""
    found = records_by(events, "feature_usage_rate", kind, settings)
    ends = (date.fromisoformat((record.window.end or "")[:10]) for record in found)
    days = ((end - date(2024, 4, 1)).days for end in ends)
    parts = ((record.numerator, record.denominator) for record in found)
    return dict(zip(days, parts, strict=True))


#: Of three people one uses a feature on 1 April, another on the 2nd; both are active later. The
#: third is first seen on the 20th.
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


def test_a_share_of_all_known_people_counts_those_seen_so_far() -> None:
    found = usage(USED, "trailing_7d", window_days=7, denominator="all_known")
    assert [found[day] for day in (1, 2, 7, 8)] == [(1, 1), (2, 2), (2, 2), (1, 2)]
    later = [
        *USED,
        *(on(day, "page_view", "d") for day in (0, 9)),
        on(7, "heartbeat", "e", page_url="/"),
    ]
    found = usage(later, "trailing_7d", window_days=7, denominator="all_known")
    assert [found[day] for day in (1, 2, 7, 8)] == [(1, 2), (2, 3), (2, 3), (1, 3)]


def test_a_share_of_eligible_people_counts_the_named_measure() -> None:
    paying = {"pros": Measure(type="page_view", where={"context.plan": "pro"}, count="people")}
    pro = {"context": {"plan": "pro"}}
    events = [
        *USED,
        *(on(3, "page_view", who, **pro) for who in "axyz"),
        on(9, "page_view", "v", **pro),
    ]
    choices = FeatureSettings(window_days=7, denominator="eligible", eligible="pros")
    found = usage_by(Settings(measures=paying, feature=choices), events, "trailing_7d")
    assert [found[day] for day in (2, 3, 7, 8, 9)] == [(2, 0), (2, 4), (2, 4), (1, 4), (0, 5)]


def rates(metric: str, **choices: Any) -> dict[str, tuple[float | None, float | None]]:
    """Return (numerator, denominator) of 1 April by goal ("" for any goal)."""
    settings = Settings(
        conversion=ConversionSettings(**choices),
        goals={"signup": Selection(type="custom"), "any_order": Selection(type="order")},
    )
    found = records_by(REACHED, metric, "day", settings)
    first = [record for record in found if record.window.start == APRIL_1]
    return {r.dimensions.get("goal", ""): (r.numerator, r.denominator) for r in first}


#: Of three people one signs up and orders twice, in two sessions; another signs up. Each order
#: reaches two goals.
REACHED = [
    on(1, "custom", "a", name="up"), on(1, "order", "a", 1, order_id="1", revenue=5),
    on(1, "order", "a", 120, order_id="2", revenue=5), on(1, "custom", "b", name="up"),
    on(1, "page_view", "c"), on(1, "page_view", "c", 120), on(3, "page_view", "c"),
]  # fmt: skip


def test_people_convert_once_or_every_time() -> None:
    once = {"": (2, 3), "signup": (2, 3), "order": (1, 3), "any_order": (1, 3)}
    assert rates("conversion_rate") == once
    every = {"": (4, 3), "signup": (2, 3), "order": (2, 3), "any_order": (2, 3)}
    assert rates("conversion_rate", count="every") == every


@pytest.mark.parametrize("basis", ["user", "session"])
def test_sessions_convert_once_or_every_time(basis: str) -> None:
    assert rates("session_conversion_rate", basis=basis) == {"": (3, 5)}
    assert rates("session_conversion_rate", basis=basis, count="every") == {"": (4, 5)}
    assert rates("conversion_rate", basis="session", count="every") == {"": (4, 5)}


def test_the_marks_of_a_session_are_stored_with_it() -> None:
    session = Session("s", 0, 1)
    for more in (CARTED, CONVERTED | A_GOAL, ORDERED | CONVERTED | A_GOAL):
        session.marks = marked(session.marks, more)
    stored = Session.unpack(session.pack())
    assert stored.marks == CARTED | ORDERED | CONVERTED | 2 * A_GOAL
    assert (stored.closed, stored.joined, stored.real) == (False, False, False)
