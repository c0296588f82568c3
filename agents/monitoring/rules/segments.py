"""Ratios by segment: a trouble of one device or channel that the number of the whole site hides."""

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
    """One total of a segment over another, in the last hour."""

    numerator: str
    denominator: str
    #: Fewer of the denominator, now or in what is usual, and the ratio is left out: it is chance.
    minimum: int

    @property
    def stem(self) -> str:
        """What its rules' names begin with."""
        return f"segment:engagement_segment_{self.numerator}_per_{self.denominator}"

    @property
    def now(self) -> str:
        """The ratio itself."""
        return f"{self.stem}:ratio_increase1h"


CARTS = SegmentRatio(numerator="carts_abandoned", denominator="carts_resolved", minimum=50)


def segment_rules(ratio: SegmentRatio, pace: Pace) -> Iterator[Record]:
    """The ratio now, its baseline and its deviation.

    The deviation is that of a share of so many cases, sqrt(p (1 - p) / n): a segment has few, and
    how it has spread in a day says little of how it may.
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
    """The recorded growth of a total in an hour."""
    return f"segment:engagement_segment_{total}:increase1h"


def _increase(total: str, length: str, offset: str = "") -> str:
    return increase_of(f"segment:engagement_segment_{total}_total:max", length, offset)
