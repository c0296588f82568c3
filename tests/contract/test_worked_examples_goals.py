"""Worked examples of goals, features, funnels, carts and own metrics, through the whole engine."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.report.file_report import Report
from stream.settings.application import Settings
from stream.settings.definitions import (
    CartSettings,
    ConversionSettings,
    FeatureSettings,
    Funnel,
    Measure,
    OwnMetric,
    Selection,
)
from tests.contract.test_worked_examples import NOW_MS, Event, on

FUNNEL = Funnel(
    steps=(
        Selection(type="page_view", where={"page_url": "/"}),
        Selection(type="page_view", where={"page_url": "/goods/*"}),
        Selection(type="add_to_cart"),
        Selection(type="order"),
    )
)


def numbers(
    events: Iterable[Event], metric: str, kind: WindowKind, settings: Settings | None = None
) -> Mapping[tuple[str, ...], MetricRecord]:
    """Return the largest record of each combination of dimension values."""
    return numbers_of(events, [metric], kind, settings)[metric]


def numbers_of(
    events: Iterable[Event],
    metrics: Iterable[str],
    kind: WindowKind,
    settings: Settings | None = None,
) -> Mapping[str, Mapping[tuple[str, ...], MetricRecord]]:
    """Return the same of several metrics, from one reading of the events."""
    bad: list[object] = []
    report = Report(settings or Settings(dimensions=()), NOW_MS, bad.append)
    ordered = sorted(events, key=lambda event: event["event_time"])
    numbered = ({"event_id": f"e{n}"} | event for n, event in enumerate(ordered))
    report.read("example", [msgspec.json.encode(event) for event in numbered])
    assert bad == []
    found: dict[str, dict[tuple[str, ...], MetricRecord]] = {metric: {} for metric in metrics}
    for record in report.records({*found}, {kind}):
        own, key = found[record.metric], tuple(record.dimensions.values())
        if key not in own or (record.numerator or 0) > (own[key].numerator or 0):
            own[key] = record
    return found


def parts(record: MetricRecord) -> tuple[float | None, ...]:
    return record.numerator, record.denominator, record.value


@pytest.mark.parametrize("kind", ["day", "trailing_28d"])
def test_conversion_is_a_fifth_when_200_of_1000_people_reach_a_goal(kind: WindowKind) -> None:
    events = [on(1, "page_view", f"p{n}", n % 60) for n in range(1_000)]
    events += [on(1, "goal", f"p{n % 150}", 61 + n % 60, name="signup") for n in range(300)]
    events += [on(1, "order", f"p{n}", 200, order_id=f"o{n}") for n in range(100, 200)]
    found = numbers(events, "conversion_rate", kind)
    assert parts(found[()]) == (200, 1_000, 0.20)
    assert parts(found["signup",]) == (150, 1_000, 0.15)
    assert parts(found["order",]) == (100, 1_000, 0.10)


def test_conversion_by_a_configured_goal() -> None:
    events = [on(1, "custom", f"p{n}", n, name="search") for n in range(4)]
    events += [on(1, "custom", "p1", 9, name="wish")]
    settings = Settings(
        dimensions=(), goals={"wishes": Selection(type="custom", where={"name": "w*"})}
    )
    assert parts(numbers(events, "conversion_rate", "day", settings)["wishes",]) == (1, 4, 0.25)


def sessions() -> list[Event]:
    """Return 50 sessions, with a goal in five of them, twice in one."""
    events = [on(1, "page_view", f"p{n}", 600 * (n % 2)) for n in range(50)]
    events += [on(1, "goal", f"p{n}", 600 * (n % 2) + 5, name="signup") for n in range(5)]
    return [*events, on(1, "goal", "p1", 607, name="signup")]


@pytest.mark.parametrize("kind", ["day", "all"])
def test_session_conversion_is_a_tenth_when_5_of_50_reach_a_goal(kind: WindowKind) -> None:
    found = numbers(sessions(), "session_conversion_rate", kind)
    assert parts(found[()]) == (5, 50, 0.10)
    settings = Settings(dimensions=(), conversion=ConversionSettings(basis="session"))
    assert parts(numbers(sessions(), "conversion_rate", kind, settings)[()]) == (5, 50, 0.10)


def test_feature_usage_is_028_when_28_of_100_active_people_use_it() -> None:
    events = [on(1 + n % 20, "page_view", f"p{n}") for n in range(100)]
    events += [on(21, "feature_used", f"p{n}", n, feature="export") for n in range(20)]
    events += [on(22, "custom", f"p{n}", n, name="Export PDF") for n in range(15, 28)]
    settings = Settings(dimensions=(), feature=FeatureSettings(map={"Export PDF": "export"}))
    found = numbers(events, "feature_usage_rate", "trailing_28d", settings)
    assert parts(found["export",]) == (28, 100, 0.28)
    assert () not in found


def shopping() -> list[Event]:
    """600 visit, 511 view goods, 431 fill a cart, 225 order; some view goods before they visit."""
    events = [on(1, "page_view", f"p{n}", 10, page_url="/") for n in range(600)]
    events += [on(2, "page_view", f"p{n}", page_url="/goods/1") for n in range(511)]
    events += [on(1, "page_view", f"p{n}", page_url="/goods/2") for n in range(511, 600)]
    events += [on(3, "add_to_cart", f"p{n}") for n in range(431)]
    return events + [on(14, "order", f"p{n}", order_id=f"o{n}") for n in range(225)]


@pytest.mark.parametrize("kind", ["day", "trailing_28d", "all"])
def test_a_funnel_from_600_views_to_225_orders(kind: WindowKind) -> None:
    settings = Settings(dimensions=(), funnels={"shop": FUNNEL})
    wanted = ("funnel_conversion", "funnel_step_conversion", "funnel_people")
    found, steps, people = numbers_of(shopping(), wanted, kind, settings).values()
    assert [parts(found["shop", step])[:2] for step in "1234"] == [
        (600, 600), (511, 600), (431, 600), (225, 600),
    ]  # fmt: skip
    assert found["shop", "4"].value == 0.375
    assert found["shop", "4"].dimensions == {"funnel": "shop", "step": "4"}
    assert parts(steps["shop", "4"]) == (225, 431, 225 / 431)
    assert parts(people["shop", "4"]) == (225, None, 225)


def carts() -> list[Event]:
    """Return ten carts: three are ordered in time, one of the other seven afterwards."""
    events = [on(1, "add_to_cart", f"p{n}", cart_id=f"c{n}") for n in range(10)]
    events += [on(1, "order", f"p{n}", 20, order_id=f"o{n}", cart_id=f"c{n}") for n in range(3)]
    events += [on(1, "remove_from_cart", "p10", 5), on(1, "add_to_cart", "p10", 1)]
    return [*events, on(2, "order", "p9", 360, order_id="late")]  # 30 h after the last change.


def test_seven_of_ten_carts_are_abandoned_and_one_is_recovered() -> None:
    assert parts(numbers(carts(), "cart_abandonment_rate", "all")[()]) == (7, 10, 0.70)
    days = numbers(carts(), "cart_abandonment_rate", "day")
    assert parts(days[()]) == (7, 7, 1.0)  # They end on the next day.
    assert parts(numbers(carts(), "recovered_carts", "day")[()]) == (1, None, 1)


def test_abandonment_by_session() -> None:
    settings = Settings(dimensions=(), cart=CartSettings(basis="session"))
    # The session that emptied its cart ended without an order.
    assert parts(numbers(carts(), "cart_abandonment_rate", "day", settings)[()]) == (8, 11, 8 / 11)


OWN = Settings(
    dimensions=("country",),
    measures={
        "wishes": Measure(type="custom", where={"name": "wish"}),
        "wishers": Measure(type="custom", where={"name": "wish"}, count="people"),
        "worth": Measure(type="order", count="sum", field="revenue"),
    },
    metrics={
        "wishes_per_person": OwnMetric(
            numerator="wishes", denominator="people", windows=("day", "all")
        ),
        "wisher_share": OwnMetric(
            numerator="wishers", denominator="people",
            windows=("day", "week", "month", "trailing_7d", "trailing_28d"),
        ),
        "worth_of_orders": OwnMetric(numerator="worth", unit="currency", windows=("hour", "day")),
    },
)  # fmt: skip


def wishes() -> list[Event]:
    german: dict[str, Any] = {"context": {"country": "DE"}}
    events = [on(1, "page_view", f"p{n}", n, **german) for n in range(4)]
    events += [on(1, "custom", "p0", 10 + n, name="wish", **german) for n in range(2)]
    events += [on(1, "custom", "p1", 20, name="wish"), on(1, "custom", "p2", 21, name="other")]
    return events + [on(1, "order", f"p{n}", order_id=f"o{n}", revenue=0.1) for n in range(3)]


def test_own_counts_shares_of_people_and_sums() -> None:
    found = numbers(wishes(), "wishes_per_person", "all", OWN)
    assert parts(found[()]) == (3, 4, 0.75)
    assert parts(found["DE",]) == (2, 4, 0.5)
    for kind in OWN.metrics["wisher_share"].windows:
        shares = numbers(wishes(), "wisher_share", kind, OWN)  # type: ignore[arg-type]
        assert parts(shares[()]) == (2, 4, 0.5), kind
    assert numbers(wishes(), "worth_of_orders", "hour", OWN)[()].value == pytest.approx(0.3)
