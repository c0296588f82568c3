"""Assessments that are due: the first day, and none without counts."""

from stream.churn.risk import ChurnRisk, RiskRules
from stream.counters.calendar import DAY_MS, Calendar

RULES = RiskRules(
    horizon_days=7,
    low_below=0.3,
    high_from=0.7,
    examples_min=1,
    examples_max=10,
    publishes_people=False,
    calendars=(Calendar(),),
)
DAY = 739_000
NOON_MS = Calendar().day_start_ms(DAY) + DAY_MS // 2


def risk_after(first_day: int) -> ChurnRisk:
    risk = ChurnRisk(RULES)
    risk.checkpoint_taken(NOON_MS, NOON_MS, first_day)
    risk.checkpoint_stored()
    return risk


def test_the_first_assessment_is_of_the_first_day_with_counts() -> None:
    assessment = risk_after(DAY - 3).begin()
    assert assessment is not None
    assert (assessment.day, assessment.settles) == (DAY - 3, True)


def test_no_day_is_assessed_without_counts() -> None:
    risk = risk_after(0)
    assert risk.begin() is None
    assert risk.settled is None
