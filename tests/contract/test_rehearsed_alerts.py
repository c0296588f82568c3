"""Every alert about the pipeline is named by a chain test, which makes its fault on real servers."""

import ast
from collections.abc import Iterator
from pathlib import Path

from agents.monitoring.rules.pace import EARNEST
from agents.monitoring.rules.pipeline import pipeline_alerts
from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.application import Settings

CHAIN = Path(__file__).parents[1] / "chain"


def named(folder: Path) -> Iterator[str]:
    """Yield the texts in the code of the tests in a folder."""
    for file in folder.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_alert_about_the_pipeline_is_seen_by_a_chain_test() -> None:
    alerts = {a.name for a in pipeline_alerts(Settings(), Surroundings().job, EARNEST)}
    missing = alerts - {*named(CHAIN)}
    assert not missing, f"no test in {CHAIN.name}/ makes the fault of {sorted(missing)}"
