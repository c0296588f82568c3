"""`engage export` writes files for a user's own installation that the real tools accept."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from agents.cli.main import main
from tests.alerting.promtool import ROOT, RULES, run, tool
from tests.chain.shipped import assert_shipped


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


def export(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], env=environ)


def rules_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rules and alerts in the rule files of a folder, by name."""
    return {
        rule.get("alert") or rule["record"]: rule
        for file in folder.glob("*.yml")
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    }


def test_without_options_it_writes_the_shipped_files(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    for what in ("prometheus", "alertmanager"):
        result = export(what, "--out", out)
        assert (result.exit_code, result.stderr) == (0, "")
        shipped = ROOT / "deploy" / what
        names = {str(file.relative_to(shipped)) for file in shipped.rglob("*.yml")}
        for name in names:
            assert f"{out}/{name}\n" in result.stdout
            assert (tmp_path / "out" / name).read_bytes() == (shipped / name).read_bytes()


def test_rules_of_an_own_installation_pass_promtool(tmp_path: Path) -> None:
    out = tmp_path / "rules"
    result = export(
        "rules", "--out", str(out), "--job", "shop-workers", "--prefix", "Shop", "--site", "de",
        "--site", 'a.b"c\\d', "--dashboards", "https://grafana.example.org/",
        "--runbook", "https://wiki.example.org/engagement",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    files = [str(file) for file in out.glob("*.yml")]
    done = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files)
    assert done.returncode == 0, done.stdout
    rules = rules_in(out)
    assert 'job="shop-workers"' in rules["ShopExporterAbsent"]["expr"]
    bounce = rules["ShopBounceSpike"]
    assert 'site=~"de|a\\\\.b\\"c\\\\\\\\d"' in bounce["expr"]
    notes = bounce["annotations"]
    assert notes["runbook_url"] == "https://wiki.example.org/engagement#engagementbouncespike"
    assert notes["dashboard_url"].startswith("https://grafana.example.org/d/engagement?")
    assert "site=~" not in rules["ShopLedgerShare"]["expr"]


def test_only_the_named_sites_raise_product_alerts(tmp_path: Path) -> None:
    assert export("rules", "--out", ".", "--site", "shop").exit_code == 0
    series = []
    for site in ("shop", "blog"):
        for name, values in (("active_users", "0+10x287 0+1x200"), ("events", "")):
            family = f"engagement_{'daily_' + name if values else name + '_total'}"
            labels = f'{{job="engagement",instance="w1",site="{site}"}}'
            series.append({"series": family + labels, "values": values or "0+1x500"})
    firing = 'count by (site) (ALERTS{alertname="EngagementActiveUsersDrop",alertstate="firing"})'
    test = {
        "rule_files": ["families.yml", "product.yml"],
        "evaluation_interval": "5m",
        "group_eval_order": [
            "engagement-families",
            "engagement-usual",
            "engagement-product-alerts",
        ],
        "tests": [
            {
                "interval": "5m",
                "input_series": series,
                "promql_expr_test": [
                    {
                        "expr": firing,
                        "eval_time": "36h",
                        "exp_samples": [{"labels": '{site="shop"}', "value": 1}],
                    }
                ],
            }
        ],
    }
    Path("test.yml").write_text(yaml.safe_dump(test), "utf-8")
    done = run(tool("promtool"), "test", "rules", "test.yml")
    assert done.returncode == 0, done.stdout


def test_the_rules_follow_the_settings(tmp_path: Path) -> None:
    environ = {
        "ENGAGE_CTR_DENOMINATOR": "page_views",
        "ENGAGE_PUBLISH_SNAPSHOT_MAX_AGE_SECONDS": "5",
    }
    assert export("rules", "--out", ".", **environ).exit_code == 0
    rules = rules_in(tmp_path)
    assert "clicks_per_page_view:" in rules["EngagementClickThroughDrop"]["expr"]
    assert "> 10 " in rules["EngagementSnapshotStale"]["expr"]


def test_a_rehearsal_divides_every_duration_except_those_of_the_pipeline(tmp_path: Path) -> None:
    result = export("prometheus", "--out", ".", "--speed", "60", "--target", "127.0.0.1:6067")
    assert result.exit_code == 0
    rules = rules_in(tmp_path / "rules")
    bounce = rules["EngagementBounceSpike"]
    assert (bounce["for"], bounce["keep_firing_for"]) == ("10s", "15s")
    assert "[15s:1s]" in rules["site:engagement_viewed_sessions:increase15m"]["expr"]
    assert "offset 2h47m30s" in rules["site:engagement_session_conversion_ratio:baseline"]["expr"]
    assert "A rehearsal" in Path("rules/product.yml").read_text("utf-8")
    assert_shipped(Path("rules"), "families.yml", "product.yml")
    pipeline = yaml.safe_load(Path("rules/pipeline.yml").read_text("utf-8"))
    assert pipeline == yaml.safe_load((RULES / "pipeline.yml").read_text("utf-8"))
    done = run(tool("promtool"), "check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout


def test_prometheus_scrapes_the_named_workers(tmp_path: Path) -> None:
    targets = ("127.0.0.1:6067", "127.0.0.1:6068")
    named = [part for target in targets for part in ("--target", target)]
    result = export(
        "prometheus", "--out", ".", "--job", "shop", "--alertmanager", "127.0.0.1:9093", *named
    )
    assert result.exit_code == 0
    config = yaml.safe_load(Path("prometheus.yml").read_text("utf-8"))
    (scrape,) = config["scrape_configs"]
    assert scrape["job_name"] == "shop"
    assert scrape["static_configs"] == [{"targets": [*targets]}]
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == [
        "127.0.0.1:9093"
    ]


def test_a_webhook_is_entered_for_its_receiver(tmp_path: Path) -> None:
    hooks = ("oncall=https://hooks.example.org/1", "deadman=http://127.0.0.1:9/x?a=b")
    named = [part for hook in hooks for part in ("--webhook", hook)]
    assert export("alertmanager", "--out", ".", *named).exit_code == 0
    done = run(tool("amtool"), "check-config", "alertmanager.yml")
    assert done.returncode == 0, done.stdout
    config = yaml.safe_load(Path("alertmanager.yml").read_text("utf-8"))
    found = {r["name"]: r.get("webhook_configs") for r in config["receivers"]}
    assert found["oncall"] == [{"url": "https://hooks.example.org/1", "send_resolved": True}]
    assert found["deadman"] == [{"url": "http://127.0.0.1:9/x?a=b", "send_resolved": False}]
    assert found["product"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--job", "a b"), "--job 'a b': use letters"),
        (("--prefix", "shop"), "--prefix 'shop': use letters and digits, such as Shop"),
        (("--target", "worker"), "'worker' is not host:port, such as 127.0.0.1:6067"),
        (("--webhook", "nobody=http://x"), "with one of product, operations, oncall, deadman"),
        (("--webhook", "oncall=ftp://x"), "http:// or https://"),
        (("--speed", "0"), "--speed"),
    ],
)
def test_impossible_options_are_refused_with_advice(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    result = export("rules", "--out", "out", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", "utf-8")
    result = export("rules", "--out", "out")
    assert result.exit_code == 2
    assert "out" in result.stderr


def test_the_commands_of_the_runbook_work(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    commands = re.findall(r"^engage (export .*)$", text, re.MULTILINE)
    kinds = {command.split()[1] for command in commands}
    assert kinds == {"rules", "alertmanager", "prometheus", "grafana"}
    for number, command in enumerate(commands):
        words = shlex.split(command)
        words[words.index("--out") + 1] = str(tmp_path / str(number))
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output


def test_prometheus_scrapes_over_https_where_the_pages_are_served_so(tmp_path: Path) -> None:
    files = {"TLS_CERTFILE": tmp_path / "page.pem", "TLS_KEYFILE": tmp_path / "page.key"}
    authority = tmp_path / "authority.pem"
    for file in (*files.values(), authority):
        file.write_text("a certificate")
    environ = {f"ENGAGE_WEB_{name}": str(file) for name, file in files.items()}
    result = export(
        "prometheus", "--out", ".", "--ca-file", str(authority), ENGAGE_WEB_PORT="7000", **environ
    )
    assert result.exit_code == 0, result.output
    [scrape] = yaml.safe_load(Path("prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert (scrape["scheme"], scrape["tls_config"]) == ("https", {"ca_file": str(authority)})
    assert scrape["dns_sd_configs"][0]["port"] == 7000
    done = run(tool("promtool"), "check", "config", "--syntax-only", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
