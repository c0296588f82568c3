"""Ratios by segment: a fault of one device or channel hides in the number of the whole site."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.monitoring.rules.pace import HOUR, Pace
from agents.monitoring.rules.ratios import (
    baseline,
    day_before,
    deviation,
    increase_of,
    same_hour_last_week,
)
from agents.monitoring.rules.rule import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRatio:
    """Quotient of the increases of two totals of a segment in the last hour."""

    numerator: str
    denominator: str
    #: Least increase of the denominator, now and in the usual value; below it the ratio is chance.
    minimum: int

    @property
    def stem(self) -> str:
        """Start of its rules' names."""
        return f"segment:engagement_segment_{self.numerator}_per_{self.denominator}"

    @property
    def now(self) -> str:
        """Series of the ratio."""
        return f"{self.stem}:ratio_increase1h"


CARTS = SegmentRatio(numerator="carts_abandoned", denominator="carts_resolved", minimum=50)


def segment_rules(ratio: SegmentRatio, pace: Pace) -> Iterator[Record]:
    """Yield the ratio, its baseline and its deviation.

    The deviation is that of a share p of n cases by chance, sqrt(p (1 - p) / n). A segment has few
    cases, so its spread of one day says little.
    """
    hour = pace.of(HOUR)
    recent = growth(ratio.denominator)
    for total in (ratio.numerator, ratio.denominator):
        yield Record(growth(total), _increase(total, hour))
    yield Record(ratio.now, f"{growth(ratio.numerator)} / ({recent} >= {ratio.minimum})")
    usual = [
        f"{_increase(ratio.numerator, length, offset)} / "
        f"({_increase(ratio.denominator, length, offset)} >= {ratio.minimum})"
        for length, offset in (same_hour_last_week(pace), day_before(pace))
    ]
    share = baseline(ratio)
    yield Record(share, "\nor\n".join(usual))
    yield Record(deviation(ratio), f"sqrt({share} * (1 - {share}) / ({recent} > 0))")


def growth(total: str) -> str:
    """Recorded increase of a total in an hour."""
    return f"segment:engagement_segment_{total}:increase1h"


def _increase(total: str, length: str, offset: str = "") -> str:
    return increase_of(f"segment:engagement_segment_{total}_total:max", length, offset)
