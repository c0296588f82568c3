"""Worked examples of experiments, as events through the whole engine."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.metrics.catalogue import catalogue
from stream.report.periods import Complete
from stream.settings.application import Settings
from stream.settings.definitions import ExperimentSettings
from tests.contract.test_worked_examples import Event, on, records_by
from tests.contract.test_worked_examples_goals import parts

SETTINGS = Settings(dimensions=("variant",))
WINDOWS: tuple[WindowKind, ...] = ("trailing_28d", "trailing_7d")
every_window = pytest.mark.parametrize("kind", WINDOWS)
STATISTICS = (
    "variant_conversion_low",
    "variant_conversion_high",
    "variant_uplift",
    "variant_p_value",
)


def viewers(variant: str, people: int, converted: int, goal: str = "signup") -> Iterator[Event]:
    """Yield the events of `people` who see a variant; `converted` of them reach a goal, some twice."""
    context = {"context": {"variant": variant}}
    for number in range(people):
        who = f"{variant}{number}"
        yield on(1, "page_view", who, **context)
        for times in range(1 + (number % 3 == 0) if number < converted else 0):
            yield on(1 + times, "goal", who, 5, name=goal, **context)


def records_of(
    events: list[Event],
    metric: str,
    kind: WindowKind = "trailing_28d",
    config: Settings = SETTINGS,
    day: int = 3,
) -> Mapping[tuple[str, ...], MetricRecord]:
    """Return the records of the window that ends with a day, by dimensions: (variant) or (goal, variant)."""
    return {
        tuple(record.dimensions.values()): record
        for record in records_by(events, metric, kind, config, Complete(datetime(2024, 4, day + 1)))
        if record.window.end == f"2024-04-{day + 1:02}T00:00:00Z"
    }


@every_window
def test_81_of_263_convert_within_the_interval_of_the_literature(kind: WindowKind) -> None:
    # The interval by Wilson's score method in Newcombe, Statistics in Medicine 17 (1998), table I.
    events = [*viewers("new", 263, 81)]
    share = records_of(events, "variant_conversion", kind)
    low, high = (records_of(events, f"variant_conversion_{end}", kind) for end in ("low", "high"))
    for key in (("new",), ("signup", "new")):
        assert parts(share[key]) == (81, 263, 81 / 263)
        assert low[key].value == pytest.approx(0.2553, abs=5e-5)
        assert high[key].value == pytest.approx(0.3662, abs=5e-5)


@every_window
def test_240_of_1000_against_200_of_1000_is_an_uplift_of_4_points_and_significant(
    kind: WindowKind,
) -> None:
    events = [*viewers("new", 1_000, 240), *viewers("control", 1_000, 200)]
    uplift, by_chance = (
        records_of(events, f"variant_{what}", kind) for what in ("uplift", "p_value")
    )
    for key in (("new",), ("signup", "new")):
        assert uplift[key].value == pytest.approx(0.04)
        # z = 0.04 / sqrt(0.22 × 0.78 × 2 / 1000) = 2.159.
        assert by_chance[key].value == pytest.approx(0.0308, abs=5e-5)


def test_the_catalogue_shows_these_examples() -> None:
    found = {one.name: one.example.value for one in catalogue(SETTINGS) if one.plain is False}
    assert found["variant_conversion"] == 81 / 263
    assert [found[name] for name in STATISTICS] == [0.2553, 0.3662, 0.04, 0.0308]


def test_each_goal_is_compared_separately() -> None:
    events = [
        *viewers("new", 10, 4, "signup"),
        *viewers("new", 10, 1, "order"),
        *viewers("control", 10, 2),
    ]
    found = records_of(events, "variant_conversion")
    assert {key: parts(record)[:2] for key, record in found.items()} == {
        ("control",): (2, 10), ("signup", "control"): (2, 10),
        ("new",): (4, 10), ("signup", "new"): (4, 10), ("order", "new"): (1, 10),
    }  # fmt: skip
    assert found["signup", "new"].dimensions == {"goal": "signup", "variant": "new"}
    # None of the ten people of the control ordered.
    uplifts = records_of(events, "variant_uplift")
    assert uplifts["signup", "new"].value == pytest.approx(0.2)
    assert uplifts["order", "new"].value == pytest.approx(0.1)


def test_a_person_who_saw_two_variants_counts_in_both() -> None:
    one, two = ({"context": {"variant": name}} for name in ("control", "new"))
    events = [on(1, "page_view", "a", **one), on(2, "page_view", "a", **two)]
    events += [on(3, "goal", "a", name="signup", **two), on(1, "page_view", "b", **one)]
    found = records_of(events, "variant_conversion")
    assert parts(found["control",]) == (0, 2, 0)
    assert parts(found["new",]) == (1, 1, 1)


def test_a_goal_without_a_variant_counts_for_no_variant() -> None:
    events = [*viewers("new", 4, 0), on(1, "goal", "new1", 9, name="signup")]
    assert parts(records_of(events, "variant_conversion")["new",]) == (0, 4, 0)
    assert parts(records_of(events, "conversion_rate")["signup",]) == (1, 4, 0.25)


def test_the_control_is_not_compared_with_itself() -> None:
    events = [*viewers("control", 8, 2), *viewers("new", 8, 3)]
    for metric in ("variant_uplift", "variant_p_value"):
        assert records_of(events, metric).keys() == {("new",), ("signup", "new")}


def test_without_a_control_there_is_no_comparison() -> None:
    events = [*viewers("new", 8, 3)]
    for metric in ("variant_uplift", "variant_p_value"):
        assert records_of(events, metric) == {}
    assert records_of(events, "variant_conversion_low").keys() == {("new",), ("signup", "new")}


@pytest.mark.parametrize("metric", STATISTICS)
def test_a_variant_has_no_value_after_its_last_viewer(metric: str) -> None:
    events = [*viewers("control", 4, 1), *viewers("new", 4, 2)]
    events += [on(12, "page_view", "x", context={"variant": "control"})]
    known = records_of(events, metric, "trailing_7d", day=7)["new",].value
    assert known is not None
    # On the ninth day, the variant's last viewers are out of the week.
    assert records_of(events, metric, "trailing_7d", day=9)["new",].value is None
    assert ("new",) not in records_of(events, metric, "trailing_7d", day=10)


@pytest.mark.parametrize(
    ("converted", "ends", "p"),
    [(0, (0, 0.3543), 1), (7, (0.6457, 1), 1)],
    ids=["none", "all"],
)
def test_intervals_and_p_values_at_0_and_100_percent(
    converted: int, ends: tuple[float, float], p: float
) -> None:
    events = [*viewers("control", 7, converted), *viewers("new", 7, converted)]
    found = tuple(
        records_of(events, f"variant_conversion_{end}")["new",].value for end in ("low", "high")
    )
    assert found == pytest.approx(ends, abs=5e-5)
    assert set(ends) & {0, 1} == set(found) & {0, 1}
    assert records_of(events, "variant_p_value")["new",].value == p
    assert records_of(events, "variant_uplift")["new",].value == 0


def test_the_field_the_control_and_the_confidence_can_be_chosen() -> None:
    config = Settings(
        dimensions=("group",),
        experiment=ExperimentSettings(dimension="group", control="a", confidence=0.9),
    )
    events = [*viewers("a", 20, 5), *viewers("b", 20, 10)]
    for event in events:
        event["context"] = {"group": event["context"]["variant"]}
    found = records_of(events, "variant_uplift", config=config)
    assert found["b",].value == pytest.approx(0.25)
    assert found["signup", "b"].dimensions == {"goal": "signup", "group": "b"}
    low = records_of(events, "variant_conversion_low", config=config)["b",]
    assert low.value == pytest.approx(0.3274, abs=5e-5)  # With 95 %: 0.2993.


NONE = ExperimentSettings(dimension="")


def test_no_experiment_has_no_statistics() -> None:
    events = [*viewers("new", 5, 2), *viewers("control", 5, 1)]
    for config in (Settings(dimensions=()), Settings(dimensions=(), experiment=NONE)):
        assert all(records_of(events, metric, config=config) == {} for metric in STATISTICS)


def test_goals_beyond_the_maximum_are_counted_together() -> None:
    config = Settings(dimensions=("variant",), dimension_values_max=2)
    events = [event for n in range(4) for event in viewers("new", 5, 2, f"goal{n}")]
    found = records_of(events, "variant_conversion", config=config)
    assert found["other", "other"].value is None
    assert found["other", "other"].numerator == 2
    assert found["goal0", "new"].value == 0.4


def test_names_of_goals_and_variants_with_odd_characters_stay_apart() -> None:
    events = [*viewers("n\x1few", 4, 1, "a\x1fb")]
    found = records_of(events, "variant_conversion")
    assert parts(found["ab", "n\x1few"]) == (1, 4, 0.25)
