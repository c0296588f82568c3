"""Predictions and their scores match river's progressive validation and SciPy."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from stream.churn.features import features_at, stayed_away
from stream.churn.model import Examples, drawn
from stream.churn.validation import Outcomes
from stream.counters.calendar import DAY_MS
from stream.report.churn import last_day
from stream.report.file_report import Report
from stream.settings.application import Settings
from stream.settings.churn import ChurnRiskSettings
from tests.conftest import needs_river

needs_river()
from river import compose, evaluate, linear_model, metrics, optim  # noqa: E402
from scipy.stats import mannwhitneyu  # noqa: E402

HORIZON = 5
DAYS = 45
NOON_MS = 1_711_972_800_000


def random_outcomes(count: int) -> tuple[Outcomes, list[tuple[float, bool]]]:
    random, outcomes = Random(5), Outcomes()
    found = []
    for _ in range(count):
        risk = round(random.random(), 2)
        found.append((risk, random.random() < risk**2))
        outcomes.add(*found[-1])
    return outcomes, found


def test_scores_match_those_of_river() -> None:
    outcomes, found = random_outcomes(2_000)
    others = (
        metrics.LogLoss(), metrics.MSE(),
    )  # fmt: skip
    for risk, away in found:
        others[0].update(away, risk)
        others[1].update(float(away), risk)
    scores = outcomes.scores()
    assert scores is not None
    assert scores.predictions == len(found)
    assert scores.base_rate == pytest.approx(sum(away for _, away in found) / len(found))
    assert scores.log_loss == pytest.approx(others[0].get(), rel=1e-6)
    assert scores.brier == pytest.approx(others[1].get())
    # The area is the share of pairs in the right order; pairs with equal risks count half.
    stayed, came = ([risk for risk, away in found if away is one] for one in (True, False))
    in_order = mannwhitneyu(stayed, came).statistic
    assert scores.roc_auc == pytest.approx(in_order / len(stayed) / len(came))


def test_the_tenths_hold_every_prediction_and_rise() -> None:
    outcomes, found = random_outcomes(2_000)
    tenths = list(outcomes.tenths())
    assert len(tenths) == 10
    assert sum(tenth.predictions for tenth in tenths) == len(found)
    assert [t.predicted for t in tenths] == sorted(t.predicted for t in tenths)
    assert tenths[-1].observed > 0.7 > 0.1 > tenths[0].observed


def test_equal_predictions_make_one_tenth_and_no_order() -> None:
    outcomes = Outcomes()
    for away in (True, True, False, False):
        outcomes.add(0.5, away)
    assert [tenth.predictions for tenth in outcomes.tenths()] == [4]
    scores = outcomes.scores()
    assert scores is not None
    assert (scores.roc_auc, scores.brier) == (0.5, 0.25)
    assert Outcomes().scores() is None
    assert list(Outcomes().tenths()) == []


def traffic() -> Report:
    """Report of sixty people; most come often for a while and then stay away."""
    random = Random(11)
    # From the first day on, as river does: every risk is a half then.
    risk = ChurnRiskSettings(enabled=True, horizon_days=HORIZON, examples_min=0)
    report = Report(Settings(churn_risk=risk), NOON_MS + 365 * DAY_MS, pytest.fail)
    came = []
    for who in range(60):
        first, stays = random.randrange(DAYS), random.randrange(1, DAYS)
        days = range(first, min(first + stays, DAYS))
        came += [(day, who) for day in days if day == first or random.random() < 0.6]
    report.read("x", [_EVENT % (d, w, NOON_MS + d * DAY_MS, w) for d, w in sorted(came)])
    return report


_EVENT = b'{"type":"page_view","event_id":"%d-%d","event_time":%d,"user_id":"p%d"}'


def questions(report: Report, days: range) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every person at the end of every day, in the order of learning."""
    bitmaps = [m for p in report.shard.people.young.values() for m, _ in p.active.items()]
    for day in days:
        examples: Examples = Counter()
        for bitmap in bitmaps:
            if found := features_at(bitmap, day, False):
                examples[found, stayed_away(bitmap, day, HORIZON)] += 1
        for features, away in drawn(examples, examples.total(), day + HORIZON):
            yield features.inputs() | {"day": day}, away


def test_it_equals_the_progressive_validation_of_river_with_delayed_labels() -> None:
    report, outcomes = traffic(), Outcomes()
    judged_to = last_day(report.shard) - HORIZON
    days = []
    for day, people in report.assessed_days():
        days.append(day)
        for one in people if day <= judged_to else ():
            outcomes.add(one.risk, stayed_away(one.bitmap, day, HORIZON))
    scores = outcomes.scores()
    assert scores is not None
    assert scores.predictions > 500
    model = compose.Discard("day") | linear_model.LogisticRegression(
        optim.SGD(0.02), intercept_lr=0.02
    )
    # An answer is known when its last day is over, after the questions of that day.
    others = evaluate.progressive_val_score(
        questions(report, range(days[0], judged_to + 1)),
        model,
        metrics.LogLoss(),
        moment=lambda x: datetime.fromordinal(x["day"]),
        delay=timedelta(days=HORIZON, hours=1),
    )
    assert scores.log_loss == pytest.approx(others.get(), rel=1e-9)
    assert scores.log_loss < scores.base_log_loss
