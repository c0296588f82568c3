"""The shipped rules are current, complete, valid for the real tools, and read only existing series."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agents.monitoring.rules import __main__ as command
from agents.monitoring.rules.files import outdated_files, shipped_files, write_files
from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace
from agents.monitoring.rules.recording import recorded
from agents.monitoring.rules.rule import PRODUCT_SIGNALS
from stream.metrics.catalogue import catalogue
from stream.metrics.families import COUNTERS, FAMILIES, Family, of_worker
from stream.metrics.metric_families import all_families
from stream.settings.application import Settings
from tests.alerting.promtool import ROOT, RULES, alerts, records, run, shipped_groups, tool
from tests.contract.test_readme import exported

RUNBOOK = ROOT / "deploy" / "RUNBOOK.md"
#: Functions and operators that Prometheus 2.42 and 3 both know, without any feature flag.
BOTH_KNOW = {
    "absent", "and", "avg_over_time", "by", "clamp_min", "count", "deriv", "histogram_quantile",
    "increase", "label_replace", "max", "max_over_time", "min", "min_over_time", "offset", "on",
    "or", "quantile", "quantile_over_time", "rate", "sqrt", "sum", "time", "unless", "vector",
    "without",
}  # fmt: skip
#: Series of Prometheus itself and of its Python client.
FOREIGN = {"up", "process_start_time_seconds"}
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def words(expression: str) -> set[str]:
    """Return the functions, operators and series of an expression, without labels, values and durations."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\[[^\]]*\]|offset [0-9a-z]+|\{[^}]*\}", "", bare)
    bare = re.sub(r"\b(?:on|by|without|ignoring) ?\([^)]*\)", "", bare)
    return {*_WORD.findall(bare)}


def test_the_shipped_files_are_current() -> None:
    assert outdated_files(ROOT / "deploy", shipped_files()) == []
    assert command.main(["--check"]) == 0


def test_old_missing_and_left_over_files_are_found(tmp_path: Path) -> None:
    files = shipped_files()
    paths = write_files(tmp_path, files)
    assert outdated_files(tmp_path, files) == []
    paths[0].write_text("old", "utf-8")
    paths[1].unlink()
    left_over = paths[2].parent / "left-over.yml"
    left_over.write_text("", "utf-8")
    assert outdated_files(tmp_path, files) == sorted([paths[0], paths[1], left_over])


def test_promtool_accepts_the_rules() -> None:
    files = sorted(str(file) for file in RULES.glob("*.yml"))
    done = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files)
    assert done.returncode == 0, done.stdout
    done = run(tool("promtool"), "check", "config", str(RULES.parent / "prometheus.yml"))
    assert done.returncode == 0, done.stdout
    assert f"{len(files)} rule files found" in done.stdout


def test_every_family_of_the_page_has_one_rule_that_merges_replicas() -> None:
    on_the_page = {name.removesuffix("_total") for name in exported()}
    families = {family.name: family for family in all_families(catalogue(Settings()))}
    assert on_the_page == {*families}
    for family in families.values():
        assert recorded(family) in records(), family.name
        assert "without (instance, pod)" in records()[recorded(family)]["expr"]


def test_every_metric_of_the_catalogue_is_recorded_for_sites_and_segments() -> None:
    for metric in catalogue(Settings()):
        assert f"site:engagement_{metric.gauge}:max" in records()
        assert f"segment:engagement_segment_{metric.gauge}:max" in records()
        for name in metric.totals or ():
            assert f"segment:engagement_segment_{name}_total:max" in records()
    for measure in COUNTERS:
        assert f"site:engagement_{measure}_total:max" in records()


def test_shared_families_are_never_summed_and_worker_families_are_marked() -> None:
    families = all_families(catalogue(Settings()))
    assert {f.merge for f in families if f.is_shared} == {"max"}
    own = {f.name for f in families if not f.is_shared}
    assert own == {f.name for f in FAMILIES.values() if not f.is_shared}
    gauges = {f.name: f.merge for f in families if not f.is_shared and f.kind == "gauge"}
    assert gauges == {
        "engagement_build_info": "count",
        "engagement_stale": "max",
        "engagement_stale_since_timestamp_seconds": "max",
        "engagement_redis_memory_max_bytes": "max",
        "engagement_redis_memory_used_bytes": "max",
        "engagement_worker_cap_fill_ratio": "max",
        "engagement_worker_dimension_fill_ratio": "max",
        "engagement_worker_heaviest_person_ratio": "max",
        "engagement_worker_lag_records": "max",
        "engagement_worker_ledger_backlog": "sum",
        "engagement_worker_loop_lag_seconds": "max",
        "engagement_worker_shards": "sum",
        "engagement_worker_shards_rebuilding": "sum",
    }
    assert all(name.startswith("engagement_worker_") for name in own - {*gauges} - {
        "engagement_event_to_visible_seconds"
    })  # fmt: skip


def test_a_gauge_of_workers_without_an_aggregation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"engagement_worker_shards: say how the gauges .* merge"):
        of_worker("engagement_worker_shards", "gauge", "Shards that this worker owns.")


def test_names_of_recording_rules_have_three_parts() -> None:
    for name in records():
        assert re.fullmatch(
            r"(segment|site|job|partition|topic|node):engagement_[a-z0-9_]+:[a-z0-9_]+", name
        )


def test_every_series_that_a_rule_reads_exists() -> None:
    families = all_families(catalogue(Settings()))
    served = {series for family in families for series in _series(family)}
    for rule in (*records().values(), *alerts().values()):
        read = words(rule["expr"]) - BOTH_KNOW - FOREIGN - {*records()}
        assert read <= served, rule["expr"]


def _series(family: Family) -> set[str]:
    return {f"{family.name}_bucket"} if family.kind == "histogram" else {family.series}


def test_alerts_read_only_recording_rules() -> None:
    for alert in alerts().values():
        raw = {name for name in words(alert["expr"]) if name.startswith("engagement_")}
        assert raw == set(), alert["alert"]


def test_a_ratio_reads_both_totals_from_the_same_pages() -> None:
    ratios = {name: rule["expr"] for name, rule in records().items() if "ratio_increase15m" in name}
    for name in (
        "site:engagement_bounced_sessions_per_viewed_session:ratio_increase15m",
        "site:engagement_clicks_per_impression:ratio_increase15m",
    ):
        # Rules are evaluated one after the other, and a scrape can arrive between two of them.
        read = words(ratios[name]) & {*records()}
        assert read == set(), "recorded totals can belong to two pages"
        assert len(re.findall(r"engagement_[a-z_]+_total", ratios[name])) == 2


def test_rules_work_on_every_supported_prometheus() -> None:
    for rule in (*records().values(), *alerts().values()):
        called = {*re.findall(r"\b([a-z_]+) ?\(", rule["expr"])}
        assert called <= BOTH_KNOW, rule["expr"]
    for group in shipped_groups():
        # `labels`, `query_offset` and `limit` of a group are newer than 2.42.
        assert {*group} == {"name", "rules"}


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_its_labels_and_texts(name: str) -> None:
    alert = alerts()[name]
    labels, notes = alert["labels"], alert["annotations"]
    assert re.fullmatch(r"Engagement([A-Z][a-z]+)+", name)
    assert labels["severity"] in {"critical", "warning", "info", "none"}
    assert labels["signal"] in {*PRODUCT_SIGNALS, "pipeline", "watchdog"}
    assert {*notes} == {"summary", "description", "runbook_url", "dashboard_url"}
    assert notes["summary"].endswith(".") and "{{" not in notes["summary"]
    assert notes["description"].endswith(".")
    assert urlsplit(notes["dashboard_url"]).path in {"/d/engagement", "/d/engagement-pipeline"}
    if labels["signal"] in PRODUCT_SIGNALS:
        assert "{{ $labels.site }}" in notes["description"]
        assert "keep_firing_for" in alert


@pytest.mark.parametrize("name", alerts())
def test_the_runbook_has_a_heading_for_the_alert(name: str) -> None:
    page, _, anchor = alerts()[name]["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == RUNBOOK
    text = RUNBOOK.read_text("utf-8")
    section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"deploy/RUNBOOK.md has no heading {name}"
    assert anchor == name.lower()
    for part in ("Meaning", "First look", "Fix"):
        assert f"**{part}.**" in section[1], f"{name} does not say its {part}"


def test_the_runbook_names_only_existing_alerts_and_series() -> None:
    text = RUNBOOK.read_text("utf-8")
    assert {*re.findall(r"^### (Engagement\w+)$", text, re.MULTILINE)} == {*alerts()}
    named = {*re.findall(r"(?<![:\w])engagement_[a-z0-9_]+", text)}
    assert named <= exported()
    rules = {*re.findall(r"\b[a-z]+:engagement_[a-z0-9_]+:[a-z0-9_]+", text)}
    assert rules <= {*records()}


@pytest.mark.parametrize(
    ("seconds", "speed", "text"),
    [
        (15 * MINUTE, 1, "15m"),
        (HOUR, 1, "1h"),
        (DAY, 1, "1d"),
        (WEEK, 1, "1w"),
        (WEEK - HOUR / 2, 1, "167h30m"),
        (WEEK - HOUR / 2, 60, "2h47m30s"),
        (15 * MINUTE, 60, "15s"),
        (DAY, 60, "24m"),
        (MINUTE, 3600, "1s"),
    ],
)
def test_durations_are_written_in_usual_units(seconds: float, speed: float, text: str) -> None:
    assert Pace(speed).of(seconds) == text
