"""Every metric of the catalogue keeps its promises, under several settings."""

import re
from typing import get_args

import pytest

from schemas.envelope import Survey
from schemas.outputs import WindowKind
from stream.configure.fields import leaves
from stream.counters import measures
from stream.counters.histogram import histogram_measure
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, KINDS, LENGTH_OF
from stream.history import (
    answers,
    cart_outcomes,
    funnel_steps,
    purchases,
    spending,
    ticket_course,
)
from stream.metrics import own as definitions
from stream.metrics.catalogue import catalogue, counts_by, defining_tables
from stream.metrics.families import COUNTERS
from stream.metrics.histogram_terms import Quantile, TopTenth
from stream.metrics.metric import Metric, Unit, required_grains
from stream.metrics.terms import AtEnd, AtStart, ByWindow, DaysBefore, Predicted
from stream.metrics.themes import (
    features,
    followers,
    goals,
    social,
)
from stream.metrics.themes.retention import lifecycle_rules
from stream.settings.application import ChurnSettings, CtrSettings, ScrollSettings, Settings
from stream.settings.audience import NewSettings, StickinessSettings
from stream.settings.customers import (
    SocialSettings,
    SupportSettings,
    SurveySettings,
    ValueSettings,
)
from stream.settings.definitions import ConversionSettings, FeatureSettings, Measure
from tests.core_metrics import CORE

SETTINGS = {
    "defaults": Settings(),
    "churn over start and new, clicks over page views": Settings(
        churn=ChurnSettings(denominator="start_plus_new"),
        ctr=CtrSettings(denominator="page_views"),
    ),
    "other answers, replies, worth, features, conversions and reach": Settings(
        survey=SurveySettings(window_days=90, dedupe="latest_per_user", ces_mode="top_box"),
        support=SupportSettings(response_kind="every", response_bucket="opened"),
        value=ValueSettings(clv_mode="historic"),
        feature=FeatureSettings(window_days=30, denominator="all_known"),
        conversion=ConversionSettings(count="every"),
        social=SocialSettings(denominator="reach", weights={"share": 2}),
    ),
    "new after a pause, weeks of a month": Settings(
        new=NewSettings(lookback_days=7), stickiness=StickinessSettings(interval="week")
    ),
    "new sessions, depths of page views, eligible people": Settings(
        new=NewSettings(basis="session"),
        scroll=ScrollSettings(basis="page_view"),
        feature=FeatureSettings(denominator="eligible", eligible="pros"),
        measures={"pros": Measure(type="page_view", count="people")},
    ),
}
#: Of the other settings, only the metrics that they change.
METRICS = [
    pytest.param(metric, id=f"{metric.name}, {name}")
    for name, settings in SETTINGS.items()
    for metric in catalogue(settings)
    if name == "defaults" or metric not in catalogue(SETTINGS["defaults"])
]
#: Last word of a gauge's name, by unit.
SUFFIXES = {"ratio": "_ratio", "seconds": "_seconds"}
#: Every measure that a shard counts.
MEASURES = {
    value
    for name, value in vars(measures).items()
    if name.isupper() and isinstance(value, str) and name != "SESSION_DURATION"
} | {histogram_measure(measures.SESSION_DURATION, bucket) for bucket in range(400)}
MEASURES |= {measures.scroll_reached(percent) for percent in Settings().scroll.thresholds}
MEASURES |= {one.measure for one in lifecycle_rules(Settings()).of_new}
MEASURES |= {measure for _, measure in lifecycle_rules(Settings()).rolling}
#: Aggregates name their measures themselves.
MEASURES |= {
    value
    for module in (
        purchases,
        spending,
        answers,
        ticket_course,
        social,
        followers,
        goals,
        features,
        funnel_steps,
        cart_outcomes,
    )
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}
MEASURES |= set(ticket_course.LASTED.values())
MEASURES |= {features.users(days) for days in (7, 28, 30)}
MEASURES |= {measures.new_after(7, period) for period in ("day", "week", "month")}
MEASURES |= {
    measure
    for settings in SETTINGS.values()
    for name, one in settings.measures.items()
    for measure in (
        f"{definitions.counted_as(name, one)}_{kind}" for kind in definitions.PEOPLE_KINDS
    )
}
MEASURES |= {
    measure
    for kind in get_args(Survey)
    for measure in (answers.answered(kind), answers.dismissed(kind))
}
MEASURES |= {
    histogram_measure(name, bucket)
    for name in (spending.SPENT_365D, ticket_course.RESPONSES, ticket_course.RESOLUTIONS)
    for bucket in range(400)
}
MEASURES |= {answers.newest(measure, days) for measure in MEASURES for days in (30, 90)}

every_metric = pytest.mark.parametrize("metric", METRICS)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_names_and_gauges_are_unique(settings: Settings) -> None:
    metrics = catalogue(settings)
    assert len({metric.name for metric in metrics}) == len(metrics)
    assert len({metric.gauge for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_catalogue_holds_the_core_metrics(settings: Settings) -> None:
    assert {metric.name for metric in catalogue(settings)} >= CORE


@every_metric
def test_names_are_valid_in_prometheus(metric: Metric) -> None:
    for name in (metric.name, metric.gauge):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
        assert not name.endswith("_total"), "a gauge is no counter"


@every_metric
def test_help_is_a_sentence_and_the_formula_is_not_empty(metric: Metric) -> None:
    assert metric.help[0].isupper()
    assert metric.help.endswith(".")
    assert "\n" not in metric.help
    assert metric.formula.strip() == metric.formula != ""
    assert ("÷" in metric.formula) == (metric.denominator is not None and metric.unit != "seconds")


@every_metric
def test_the_unit_is_known_and_agrees_with_the_gauge(metric: Metric) -> None:
    assert metric.unit in get_args(Unit)
    for unit, suffix in SUFFIXES.items():
        assert metric.gauge.endswith(suffix) == (metric.unit == unit)


@every_metric
def test_a_ratio_has_a_denominator_and_a_count_has_none(metric: Metric) -> None:
    if metric.unit in ("currency", "orders"):
        return  # Sums of money and of orders, and the money and orders of one customer.
    counts = ("people", "customers", "sessions", "views", "answers", "tickets", "carts")
    assert (metric.denominator is None) == (metric.unit in counts)


@every_metric
def test_the_worked_example_is_right_and_differs_from_an_empty_log(metric: Metric) -> None:
    example = metric.example
    assert example.text
    assert example.value
    assert (example.denominator is None) == (metric.denominator is None)
    if example.denominator is None:
        assert example.value == example.numerator
    else:
        assert example.value == pytest.approx(example.numerator / example.denominator)


@every_metric
def test_windows_are_known_kinds_each_once(metric: Metric) -> None:
    assert metric.windows
    assert set(metric.windows) <= set(KINDS)
    assert len(set(metric.windows)) == len(metric.windows)


@every_metric
def test_every_measure_it_needs_is_counted_by_the_shard(metric: Metric) -> None:
    needed = list(metric.needs())
    assert needed
    assert {measure for measure, _ in needed} <= MEASURES
    counted = required_grains([metric])
    for measure, grain in needed:
        assert grain in counted[measure]


@every_metric
def test_every_measure_names_the_settings_that_change_its_counts(metric: Metric) -> None:
    assert [one for one in metric.measures() if counts_by(one) is None] == []


@every_metric
def test_its_settings_exist(metric: Metric) -> None:
    assert set(metric.settings) <= {key for key, _ in leaves(Settings)}
    assert len(set(metric.settings)) == len(metric.settings)


@every_metric
def test_only_estimates_are_approximate(metric: Metric) -> None:
    assert metric.approximate == isinstance(metric.numerator, Quantile | TopTenth | Predicted)


@every_metric
def test_a_metric_that_reads_buckets_before_its_window_declares_the_days(metric: Metric) -> None:
    terms = (metric.numerator, metric.denominator)
    far = [term.days for term in terms if isinstance(term, DaysBefore)]
    assert metric.looks_back_days == max(far, default=0)


@every_metric
def test_a_benchmark_names_its_source(metric: Metric) -> None:
    if metric.benchmark is not None:
        assert metric.benchmark.text
        assert metric.benchmark.source


@every_metric
def test_distinct_people_are_never_summed_over_several_buckets(metric: Metric) -> None:
    # A rolling window reads its end, a calendar window its start: each person counts once.
    terms = metric.numerator.terms.items() if isinstance(metric.numerator, ByWindow) else ()
    for kind, term in terms:
        if kind in ("week", "month"):
            assert isinstance(term, AtStart)
        if kind in LENGTH_OF:
            assert isinstance(term, AtEnd)


def test_a_setting_that_changes_the_denominator_changes_the_formula() -> None:
    default, *others = (
        {metric.name: metric.formula for metric in catalogue(settings)}
        for settings in SETTINGS.values()
    )
    changed = [{name for name in default if default[name] != other[name]} for other in others]
    assert changed == [
        {"churn_rate", "click_through_rate"},
        {
            "ces", "first_response_time", "first_response_time_p50", "first_response_time_p90",
            "clv_to_cac", "feature_usage_rate", "conversion_rate", "session_conversion_rate",
            "social_engagement_rate",
        },
        {"new_visitors"},
        {
            "new_visitors", "returning_visitors", "new_visitor_share", "scroll_depth",
            *(f"scroll_reached_{percent}" for percent in (25, 50, 75, 90)), "feature_usage_rate",
        },
    ]  # fmt: skip


def test_every_kind_of_window_has_a_grain() -> None:
    assert set(GRAIN_OF) == set(get_args(WindowKind))


def test_prometheus_counters_are_counted_from_the_beginning() -> None:
    grains = required_grains(catalogue(Settings()))
    assert all(Grain.ALL in grains[measure] for measure in COUNTERS)


@every_metric
def test_every_setting_of_a_metric_is_part_of_the_definition_version(metric: Metric) -> None:
    tables = {name.partition(".")[0] for name in metric.settings}
    assert tables <= defining_tables()
