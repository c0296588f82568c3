"""`engage metrics` describes every metric; the command refuses to run on foreign packages."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import agents
from agents.cli.main import main
from agents.commands.catalogue import as_entries, as_markdown
from stream.configure.describe import describe
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings
from stream.web.data_quality import DATA_QUALITY

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, apart from the engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


def metrics(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["metrics", *arguments], env=environ)


def test_json_describes_every_metric() -> None:
    result = metrics("--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    entries = {entry["name"]: entry for entry in json.loads(result.stdout)}
    metrics_and_data_quality = (*catalogue(Settings()), *DATA_QUALITY)
    assert list(entries) == [one.name for one in metrics_and_data_quality]
    bounce = entries["bounce_rate"]
    assert bounce["windows"] == ["trailing_1h", "hour", "day", "all"]
    assert bounce["settings"]["bounce.mode"] == '"classic_interaction"'
    assert bounce["benchmark"] == {"text": "0.20 to 0.55", "source": "web analytics surveys"}
    assert bounce["gauge"] == "engagement_bounce_ratio"
    assert bounce["gauge_labels"] == ["site", "window"]
    assert entries["daily_active_users"]["gauge_labels"] == ["site"]
    assert entries["session_duration_p90"]["approximate"] is True


def test_the_formula_follows_the_settings() -> None:
    names = ("click_through_rate", "churn_rate")
    text = metrics(
        *names, ENGAGE_CTR_DENOMINATOR="page_views", ENGAGE_CHURN_DENOMINATOR="start_plus_new"
    )
    words = " ".join(text.stdout.split())
    assert "clicks on content ÷ page views" in words
    assert "customers lost ÷ (customers at the start + new ones)" in words
    assert 'ctr.denominator = "page_views"' in words


@pytest.mark.parametrize("width", ["40", "200"])
def test_a_person_sees_all_about_the_named_metrics_at_any_width(width: str) -> None:
    names = [entry["name"] for entry in as_entries(Settings())]
    words = "".join(metrics(*names, COLUMNS=width).stdout.split())
    for entry in as_entries(Settings()):
        for text in (entry["name"], entry["help"], entry["formula"], *entry["settings"]):
            assert "".join(text.split()) in words
        assert f"{entry['gauge']}{{{','.join(entry['gauge_labels'])}}}" in words


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_list_has_one_line_for_each_metric_and_fits(width: int) -> None:
    lines = metrics(COLUMNS=str(width)).stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line != line.rstrip() or "\x1b" in line for line in lines)
    themes = [line for line in lines if line and not line.startswith(" ")]
    assert themes[:3] == ["Audience", "Newcomers", "Active people"]
    rows = [line for line in lines if line.startswith(" ")]
    names = [entry["name"] for entry in as_entries(Settings())]
    assert len(rows) == len(names)
    if width >= 80:
        assert [row.split()[0] for row in rows] == names
    if width >= 120:
        (row,) = (row.split() for row in rows if row.split()[0] == "unique_click_through_rate")
        assert row[-2:] == ["ratio", "day"]


def test_own_metrics_have_a_theme_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "engage.toml").write_text(
        '[metrics.gift_share]\nnumerator = "clicks"\ndenominator = "people"\n'
    )
    own = metrics().stdout.partition("Your own\n")[2].splitlines()
    assert own[0].split()[0] == "gift_share"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    result = metrics("bounce_rat")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "unknown metric 'bounce_rat' (did you mean bounce_rate?)" in result.stderr


def test_one_metric_for_programs() -> None:
    (entry,) = json.loads(metrics("landing_page_time", "--format", "json").stdout)
    assert (entry["theme"], entry["dimensions"]) == ("Pages", ["page"])


def test_an_encoding_without_the_characters_is_no_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents", "metrics", "nps", "page_views"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "> 40" in done.stdout and done.stderr == ""


def test_every_setting_of_a_metric_exists() -> None:
    known = {row.key for row in describe(Settings())}
    for metric in catalogue(Settings()):
        assert set(metric.settings) <= known, metric.name


def test_the_markdown_table_is_complete() -> None:
    assert metrics("--format", "markdown").stdout == as_markdown(as_entries(Settings()))
    lines = as_markdown(as_entries(Settings())).splitlines()
    assert len(lines) == len(catalogue(Settings())) + len(DATA_QUALITY) + 2
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_the_checkout_runs_its_own_packages() -> None:
    agents.refuse_shadows()


def started(path: Path, *others: Path) -> "subprocess.CompletedProcess[str]":
    search = os.pathsep.join(map(str, (*others, path)))
    return subprocess.run(
        [sys.executable, "-P", "-m", "agents", "--help"],
        env=os.environ | {"PYTHONPATH": search}, text=True, capture_output=True, check=False,
    )  # fmt: skip


def test_start_up_refuses_a_foreign_stream(tmp_path: Path) -> None:
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream" / "__init__.py").write_text("raise ImportError('never run')")
    result = started(ROOT, tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("engage: the package `stream` that Python finds, ")
    assert str(tmp_path) in line and "environment of its own" in line


def test_start_up_refuses_an_agents_installed_over_ours(tmp_path: Path) -> None:
    for name in ("agents", "stream", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    assert started(tmp_path).returncode == 0
    (tmp_path / "agents" / "__init__.py").write_text("")
    result = started(tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "another distribution's package `agents`" in result.stderr
    shutil.copy(ROOT / "agents" / "__init__.py", tmp_path / "agents")
    (tmp_path / "stream" / "__init__.py").write_text("")
    assert "the package `stream` that Python finds" in started(tmp_path).stderr
