"""The shipped dashboards are current, complete, and well formed."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from agents.monitoring.grafana import __main__ as command
from agents.monitoring.grafana import wording
from agents.monitoring.grafana.campaigns import campaigns
from agents.monitoring.grafana.engagement import engagement
from agents.monitoring.grafana.files import outdated_files, shipped_files
from agents.monitoring.grafana.pipeline import pipeline
from agents.monitoring.grafana.placement import (
    CAMPAIGN_COLUMNS,
    SEGMENT_COLUMNS,
    SPEND_COLUMNS,
    placed,
)
from agents.monitoring.rules.files import write_files
from agents.monitoring.rules.surroundings import Surroundings
from stream.counters.windows import KINDS
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import JOINED, OWN_DIMENSIONS
from stream.settings.application import Settings
from tests.alerting.promtool import alerts, records
from tests.contract.test_readme import exported
from tests.grafana import GRAFANA
from tests.grafana.shipped import NAMES, dashboard, panels, targets, with_rows

_SERIES = re.compile(r"[a-z]+:[a-zA-Z0-9_]+:[a-zA-Z0-9_]+")
CATALOGUE = {metric.name: metric for metric in catalogue(Settings())}
AWAITED = sorted(
    {*placed(), *SEGMENT_COLUMNS, *CAMPAIGN_COLUMNS, *SPEND_COLUMNS} - CATALOGUE.keys()
)
#: Metrics without a value for a whole site.
ONLY_BY_SEGMENT = {f"engagement_{m.gauge}" for m in CATALOGUE.values() if not m.plain}
#: Grafana's default thresholds, which an unset number would take.
_DEFAULT_STEPS = [{"color": "green", "value": None}, {"color": "red", "value": 80}]


def series_in(name: str) -> set[str]:
    """Return the recorded series that the queries of a dashboard read."""
    return {
        series
        for target in targets()
        if target.dashboard == name
        for series in _SERIES.findall(target.query["expr"])
    }


def test_the_shipped_files_are_current() -> None:
    assert outdated_files(GRAFANA, shipped_files()) == []
    assert command.main(["--check"]) == 0


def test_old_missing_and_left_over_files_are_found(tmp_path: Path) -> None:
    files = shipped_files()
    paths = write_files(tmp_path, files)
    assert outdated_files(tmp_path, files) == []
    paths[0].write_text("old", "utf-8")
    paths[1].unlink()
    left_over = paths[2].parent / "left-over.json"
    left_over.write_text("{}", "utf-8")
    assert outdated_files(tmp_path, files) == sorted([paths[0], paths[1], left_over])


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_metric_of_the_catalogue_has_a_panel(name: str) -> None:
    metric = CATALOGUE[name]
    shown = series_in("engagement")
    if name.startswith("variant_"):
        for variant in ("variant", "goal,variant"):
            series = f"segment:engagement_segment_{metric.gauge}:max"
            assert any(
                series in target.query["expr"] and f'dimension="{variant}"' in target.query["expr"]
                for target in targets()
            )
        return
    if metric.plain:
        assert f"site:engagement_{metric.gauge}:max" in shown or name in (
            "bounce_rate",
            "click_through_rate",
        )
    for dimension in metric.by:
        by = dimension.replace(JOINED, ",")
        rows = [panel for panel in with_rows("engagement") if panel["type"] == "row"]
        assert f"By {wording.dimension(by)}" in [row["title"] for row in rows]
        assert any(
            f'dimension="{by}"' in target.query["expr"]
            and f"engagement_segment_{metric.gauge}:max" in target.query["expr"]
            for target in targets()
        )


@pytest.mark.parametrize("name", AWAITED or ["none"])
def test_a_metric_that_does_not_exist_yet_has_no_panel(name: str) -> None:
    """Each id is a name for which a panel is prepared."""
    title = wording.title(name)
    for shipped in NAMES:
        text = json.dumps([*panels(shipped)])
        assert f"**{title}**" not in text


def test_every_family_of_the_page_is_shown() -> None:
    """Families of the pipeline are shown even if no row names them."""
    shown = set().union(*map(series_in, NAMES))
    for name in exported():
        family = name.removesuffix("_total")
        if family in ONLY_BY_SEGMENT:
            assert f"segment:engagement_segment_{family.removeprefix('engagement_')}:max" in shown
        elif not family.startswith("engagement_segment_"):
            assert any(f":{family}:" in series for series in shown), family


def test_a_family_named_by_no_row_is_shown_in_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.monitoring.grafana.pipeline._INTAKE", ())
    last = pipeline(Settings(), Surroundings()).rows[-1]
    assert last.title == "More" and last.is_collapsed
    assert "Ledger entries" in [panel.title for panel in last.panels]


def test_a_metric_named_by_no_section_is_shown_under_more_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.monitoring.grafana.engagement.placed", frozenset)
    rows = {row.title: row for row in engagement(Settings(), Surroundings()).rows}
    assert len(rows["More numbers"].panels) == sum(metric.plain for metric in CATALOGUE.values())


def test_queries_read_recorded_series_that_exist() -> None:
    known = records().keys()
    for target in targets():
        series = {*_SERIES.findall(target.query["expr"])}
        assert series <= known, (target.where, series - known)
        assert series or "ALERTS" in target.query["expr"], target.where


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_classic_and_belongs_to_its_file(name: str) -> None:
    shown = dashboard(name)
    assert shown["schemaVersion"] == 42
    assert shown["uid"] == name
    assert shown["editable"] is False
    assert not {"id", "version", "__inputs", "__requires"} & shown.keys()
    assert shown["title"] and shown["description"]


def test_titles_and_links_connect_the_dashboards() -> None:
    assert [dashboard(name)["title"] for name in NAMES] == [
        "Engagement", "Campaigns and experiments", "Pipeline",
    ]  # fmt: skip
    for name in NAMES:
        (link,) = dashboard(name)["links"]
        assert link["type"] == "dashboards" and link["includeVars"] and link["keepTime"]
        assert all({*link["tags"]} <= {*dashboard(other)["tags"]} for other in NAMES)


def test_every_alert_leads_to_a_dashboard_that_exists() -> None:
    for name, alert in alerts().items():
        link = alert["annotations"]["dashboard_url"]
        found = re.search(r"/d/([\w-]+)(?:\?var-(\w+)=|$)", link)
        assert found and found[1] in NAMES, name
        if found[2]:
            variables = dashboard(found[1])["templating"]["list"]
            assert found[2] in [variable["name"] for variable in variables]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_panels_and_queries_are_unique(name: str) -> None:
    ids = Counter(panel["id"] for panel in with_rows(name))
    assert max(ids.values()) == 1 and min(ids) >= 1
    for panel in panels(name):
        references = [query["refId"] for query in panel.get("targets", [])]
        assert all(references) and len({*references}) == len(references), panel["title"]
    titles = Counter(panel["title"] for panel in panels(name))
    assert max(titles.values()) == 1, titles.most_common(2)


@pytest.mark.parametrize("name", NAMES)
def test_panels_are_inside_the_grid_and_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(name)["panels"]:
        assert not panel.get("collapsed") or panel["panels"]
    for panel in with_rows(name):
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", NAMES)
def test_no_number_uses_grafanas_default_colours(name: str) -> None:
    for panel in panels(name):
        if panel["type"] == "alertlist":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        steps = defaults["thresholds"]["steps"]
        assert steps != _DEFAULT_STEPS
        assert steps[0]["value"] is None and all(step["color"] for step in steps)
        bounds = [step["value"] for step in steps[1:]]
        assert bounds == sorted(bounds)
        assert defaults["color"]["mode"] in ("thresholds", "palette-classic")
        if panel["type"] != "timeseries":
            assert defaults["color"]["mode"] == "thresholds"


def test_a_band_ends_at_a_line_of_its_own_panel() -> None:
    """Grafana finds the other edge by its name, and draws no band for an unknown name."""
    bands = 0
    for panel in panels("engagement"):
        legends = {query["legendFormat"] for query in panel.get("targets", [])}
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for property_ in override["properties"]:
                if property_["id"] == "custom.fillBelowTo":
                    assert property_["value"] in legends and "{" not in property_["value"], panel[
                        "title"
                    ]
                    bands += 1
    assert bands > 3


def test_descriptions_contain_the_texts_of_the_catalogue() -> None:
    for metric in CATALOGUE.values():
        texts = [
            panel["description"]
            for panel in (*panels("engagement"), *panels("engagement-campaigns"))
            if any(
                re.search(rf":engagement_(segment_)?{metric.gauge}:max", query["expr"])
                for query in panel.get("targets", [])
            )
        ]
        assert texts, metric.name
        for text in texts:
            assert metric.help in text and metric.formula in text
            assert metric.benchmark is None or metric.benchmark.text in text
            assert all(f"`{name}`" in text for name in metric.settings)


def test_every_window_and_own_dimension_has_a_name() -> None:
    assert {*KINDS} == {*wording._WINDOWS}
    assert all(JOINED not in json.dumps(dashboard(name)) for name in NAMES)
    assert OWN_DIMENSIONS


def test_the_dimensions_of_campaigns_are_shown_side_by_side() -> None:
    rows = campaigns(Settings(), Surroundings()).rows
    assert [row.title for row in rows] == ["Channels", "Campaigns", "Experiments"]
    for row, dimension in zip(rows, ("channel", "campaign", "variant"), strict=True):
        assert f"`{dimension}`" in row.panels[0].description
        by = f'dimension="{dimension}"', f'dimension="goal,{dimension}"'
        for panel in row.panels:
            assert len({one for q in panel.queries for one in by if one in q.expression}) == 1
            assert all(any(one in query.expression for one in by) for query in panel.queries)


def test_linter_exclusions_have_reasons() -> None:
    lint = yaml.safe_load((GRAFANA / "dashboards" / ".lint").read_text("utf-8"))
    assert lint["exclusions"].keys() == {"template-instance-rule", "target-instance-rule"}
    assert all(entry["reason"] for entry in lint["exclusions"].values())
