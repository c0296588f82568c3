"""Dashboards and the options of their panels keep Grafana's own types."""

import copy
from typing import Any

import jsonschema
import pytest

from tests.grafana.schema_tools import PLUGINS, schema
from tests.grafana.shipped import NAMES, Json, dashboard, panels

#: Fields that the data source of Prometheus adds to annotations; the type knows only Grafana's own.
QUERY_OF_ANNOTATION = {"expr", "step", "tagKeys", "textFormat", "titleFormat"}


def problems(name: str, document: Any) -> list[str]:
    validator = jsonschema.Draft7Validator(schema(name))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def without_queries(merged: Json) -> Json:
    merged = copy.deepcopy(merged)
    for annotation in merged["annotations"]["list"]:
        for key in QUERY_OF_ANNOTATION:
            assert annotation.pop(key)
    return merged


def chosen_options(plugin: str) -> list[Json]:
    return [p["options"] for name in NAMES for p in panels(name) if p["type"] == plugin]


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_keeps_grafanas_type(name: str) -> None:
    assert problems("dashboard", without_queries(dashboard(name))) == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_options_of_panels_keep_the_type_of_their_plugin(plugin: str) -> None:
    options = chosen_options(plugin)
    assert options
    assert [problem for chosen in options for problem in problems(plugin, chosen)] == []


def test_lines_keep_the_type_of_their_fields() -> None:
    for name in NAMES:
        for panel in panels(name):
            if panel["type"] == "timeseries":
                fields = panel["fieldConfig"]["defaults"]["custom"]
                assert problems("timeseries-field", fields) == []
                for override in panel["fieldConfig"]["overrides"]:
                    custom = {
                        p["id"].removeprefix("custom."): p["value"]
                        for p in override["properties"]
                        if p["id"].startswith("custom.")
                    }
                    assert problems("timeseries-field", custom) == []


def test_only_lists_of_alerts_have_no_published_type() -> None:
    kinds = {panel["type"] for name in NAMES for panel in panels(name)}
    assert kinds == {*PLUGINS, "alertlist"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("schemaVersion", "42"), ("editabel", False), ("panels", [{"title": "of no type"}])],
)
def test_a_mistyped_dashboard_is_found(key: str, value: Any) -> None:
    merged = without_queries(dashboard(NAMES[0]))
    assert problems("dashboard", merged | {key: value})


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_mistyped_option_is_found(plugin: str) -> None:
    options = chosen_options(plugin)[0]
    assert problems(plugin, options | {"noSuchOption": 1})
    assert problems(plugin, dict.fromkeys(options, 1.5))
