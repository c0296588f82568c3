"""`engage churn-risk`: scores the churn-risk model by the events of files."""

import json
import sys
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from agents.commands.catalogue import RequestRefusedError
from agents.report.counting import count_files
from schemas.outputs import WindowKind
from stream.churn.features import stayed_away
from stream.churn.model import MISSING, is_installed
from stream.churn.validation import Outcomes, Scores, Tenth
from stream.report.churn import last_day
from stream.report.file_report import Report
from stream.settings.application import Settings

#: The model counts days.
DAYS: Final[tuple[WindowKind, ...]] = ("day",)


def run_churn_risk(settings: Settings, files: Sequence[str], *, format: str) -> int:
    """Learn from the files day by day and print the scores; 0, or 2 if there are none."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    risk = replace(settings.churn_risk, enabled=True)
    try:
        if not is_installed():
            raise RequestRefusedError(MISSING.replace(", or set churn_risk.enabled = false", ""))
        report = count_files(
            replace(settings, churn_risk=risk, dimensions=()), files, errors, kinds=DAYS
        )
        outcomes, examples = _outcomes(report, risk.horizon_days)
        scores = outcomes.scores()
        if scores is None:
            raise RequestRefusedError(
                f"the files are too short: the model learned from {examples:,} examples (a person "
                f"and day), and predicts after {risk.examples_min:,} (churn_risk.examples_min) what "
                f"comes true {risk.horizon_days} days later (churn_risk.horizon_days); give longer files"
            )
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    tenths = list(outcomes.tenths())
    if format == "json":
        _print_json(scores, tenths, examples, risk.horizon_days)
    else:
        _print_table(scores, tenths, examples, risk.horizon_days)
    return 0


def _outcomes(report: Report, horizon_days: int) -> tuple[Outcomes, int]:
    """Pair the predictions of each day with what came true; also count the examples learned from."""
    shard, outcomes = report.shard, Outcomes()
    assert shard.churn_risk is not None
    known_to = last_day(shard) - horizon_days
    for day, people in report.assessed_days():
        if day <= known_to:
            for one in people:
                outcomes.add(one.risk, stayed_away(one.bitmap, day, horizon_days))
    return outcomes, shard.churn_risk.model.learned


def _print_json(scores: Scores, tenths: list[Tenth], examples: int, horizon_days: int) -> None:
    found = {
        "horizon_days": horizon_days,
        "examples_learned": examples,
        **scores._asdict(),
        "calibration": [tenth._asdict() for tenth in tenths],
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _print_table(scores: Scores, tenths: list[Tenth], examples: int, horizon_days: int) -> None:
    console = Console(highlight=False, width=100)
    console.print(
        f"Risk that a person active in the last 28 days stays away for {horizon_days} days:\n"
        f"{scores.predictions:,} predictions, each made before its outcome was known; "
        f"{examples:,} examples learned."
    )
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    for title in ("", "model", f"always {scores.base_rate:.3f}"):
        table.add_column(title, justify="right" if title else "left")
    auc = "none" if scores.roc_auc is None else f"{scores.roc_auc:.4f}"
    table.add_row("ROC AUC, higher is better", auc, "0.5000")
    for name, own, base in (
        ("log loss, lower is better", scores.log_loss, scores.base_log_loss),
        ("Brier score, lower is better", scores.brier, scores.base_brier),
    ):
        table.add_row(name, f"{own:.4f}", f"{base:.4f}")
    console.print(table)
    calibration = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    for title in ("predictions by risk", "predicted", "stayed away"):
        calibration.add_column(title, justify="right")
    for tenth in tenths:
        calibration.add_row(
            f"{tenth.predictions:,}", f"{tenth.predicted:.3f}", f"{tenth.observed:.3f}"
        )
    console.print(calibration)
