"""`engage churn-risk` on files: scores as a table or as JSON, and a plain message without scores."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from agents.commands.topics import wanted_topics
from stream.settings.application import Settings
from stream.settings.churn import ChurnRiskSettings
from tests.conftest import needs_river

needs_river()
MONDAY = 1_704_067_200_000
DAY_MS = 86_400_000
TOML = "[churn_risk]\nhorizon_days = 5\nexamples_min = 50\n"


def events(directory: Path, days: int) -> str:
    """Write events of twenty people: half come daily, the others only on their first day."""
    lines = [
        json.dumps({"type": "page_view", "page_url": "/", "event_id": f"{day}-{who}",
                    "event_time": MONDAY + day * DAY_MS + who, "user_id": f"p{who}"})
        for day in range(days) for who in range(20) if who % 2 == 0 or who == day
    ]  # fmt: skip
    path = directory / "events.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engage.toml").write_text(TOML, "utf-8")


def churn_risk(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["churn-risk", *arguments])


def test_json_holds_the_scores_and_every_person_in_the_calibration(tmp_path: Path) -> None:
    result = churn_risk("--format", "json", events(tmp_path, 40))
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["horizon_days"] == 5
    assert found["roc_auc"] > 0.9
    assert found["log_loss"] < found["base_log_loss"]
    assert sum(tenth["predictions"] for tenth in found["calibration"]) == found["predictions"]


def test_a_table_names_the_prediction_and_its_baseline(tmp_path: Path) -> None:
    result = churn_risk(events(tmp_path, 40))
    assert result.exit_code == 0, result.stderr
    assert "ROC AUC" in result.stdout
    assert "stays away for 5" in result.stdout
    assert "predicted" in result.stdout


def test_files_that_are_too_short_are_refused_with_the_cause(tmp_path: Path) -> None:
    result = churn_risk(events(tmp_path, 8))
    assert result.exit_code == 2
    assert "churn_risk.examples_min" in result.stderr
    assert "give longer files" in result.stderr


def test_a_report_counts_people_by_risk_when_enabled(tmp_path: Path) -> None:
    (tmp_path / "engage.toml").write_text(TOML + "enabled = true\n", "utf-8")
    arguments = ["report", "--metric", "churn_risk_by_band", events(tmp_path, 40)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "risk_band = low" in result.stdout


def test_the_topic_of_single_people_is_created_only_on_request() -> None:
    def names(risk: ChurnRiskSettings) -> list[str]:
        return [topic.name for topic in wanted_topics(Settings(churn_risk=risk))]

    assert "risks" in names(ChurnRiskSettings(enabled=True, topic="risks"))
    assert "risks" not in names(ChurnRiskSettings(topic="risks"))
