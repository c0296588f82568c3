"""Grafana finds its data sources and dashboards; `engage export grafana` makes them for other installations."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from agents.cli.main import main
from tests.alerting.promtool import alerts
from tests.grafana import GRAFANA
from tests.grafana.shipped import CHOSEN, NAMES, dashboard, filled


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, apart from the engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


def export(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["export", "grafana", "--out", "out", *arguments], env=environ)


def sources(folder: Path = GRAFANA) -> dict[str, Any]:
    text = (folder / "provisioning" / "datasources" / "engagement.yml").read_text("utf-8")
    return {source["type"]: source for source in yaml.safe_load(text)["datasources"]}


def test_data_sources_are_the_prometheus_and_the_alertmanager_of_compose() -> None:
    found = sources()
    assert found.keys() == {"prometheus", "alertmanager"}
    prometheus, alertmanager = found["prometheus"], found["alertmanager"]
    assert (prometheus["uid"], prometheus["url"]) == ("engagement-prom", "http://prometheus:9090")
    assert prometheus["jsonData"]["manageAlerts"] is True
    assert prometheus["jsonData"]["alertmanagerUid"] == alertmanager["uid"]
    assert alertmanager["url"] == "http://alertmanager:9093"
    assert alertmanager["jsonData"]["implementation"] == "prometheus"


def test_variables_begin_with_the_shipped_source_and_job() -> None:
    config = yaml.safe_load((GRAFANA.parent / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (scrape,) = config["scrape_configs"]
    for name in NAMES:
        variables = {v["name"]: v for v in dashboard(name)["templating"]["list"]}
        assert variables["datasource"]["current"]["value"] == sources()["prometheus"]["uid"]
        assert variables["job"]["current"]["value"] == [scrape["job_name"]]
    interval = sources()["prometheus"]["jsonData"]["timeInterval"]
    assert interval == config["global"]["scrape_interval"]


def test_fired_alerts_are_annotated_except_the_watchdog() -> None:
    for name in NAMES:
        (annotation,) = dashboard(name)["annotations"]["list"]
        expression = filled(annotation["expr"], CHOSEN)
        wanted = re.search(r'alertname=~"([^"]+)"', expression)
        unwanted = re.search(r'alertname!="([^"]+)"', expression)
        assert wanted and unwanted
        marked = {a for a in alerts() if re.fullmatch(wanted[1], a) and a != unwanted[1]}
        assert alerts().keys() - marked == {"EngagementWatchdog"}
        # Includes alerts of the pipeline, which have no site.
        assert ("site" in annotation["expr"]) == (name != "engagement-pipeline")
        assert "site" not in annotation["expr"] or 'site=~"|$site"' in annotation["expr"]


def test_without_options_it_writes_the_shipped_files(tmp_path: Path) -> None:
    result = export()
    assert (result.exit_code, result.stderr) == (0, "")
    shipped = {file.relative_to(GRAFANA) for file in GRAFANA.rglob("*") if file.is_file()}
    assert len(shipped) == 6
    for name in shipped:
        assert f"out/{name}\n" in result.stdout
        assert (tmp_path / "out" / name).read_bytes() == (GRAFANA / name).read_bytes()


def test_dashboards_of_an_own_installation_follow_the_options_and_settings() -> None:
    result = export(
        "--job", "shop-workers", "--prefix", "Shop", "--site", "shop", "--speed", "60",
        "--prometheus", "127.0.0.1:9090", ENGAGE_CURRENCY="EUR", ENGAGE_CTR_DENOMINATOR="page_views",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert sources(Path("out"))["prometheus"]["url"] == "http://127.0.0.1:9090"
    text = Path("out/dashboards/engagement.json").read_text("utf-8")
    made = json.loads(text)
    variables = {v["name"]: v for v in made["templating"]["list"]}
    assert variables["job"]["current"]["value"] == ["shop-workers"]
    assert variables["site"]["current"]["value"] == ["shop"]
    assert 'alertname=~\\"Shop.+\\"' in text and "Engagement.+" not in text
    assert "offset 2h48m" in text and "offset 1w" not in text
    assert "clicks_per_page_view:baseline" in text and "clicks_per_impression" not in text
    units = {
        panel["fieldConfig"]["defaults"]["unit"]
        for panel in made["panels"]
        if panel["title"] in ("MRR", "Monthly recurring revenue")
    }
    assert units == {"currency:EUR "}


def test_an_invalid_address_is_refused_with_advice() -> None:
    result = export("--prometheus", "http://x")
    assert result.exit_code == 2
    assert "is not host:port, such as" in " ".join(result.stderr.split())
    assert not Path("out").exists()
