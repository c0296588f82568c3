"""Ratios by segment: a fault of one device or channel hides in the number of the whole site."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.monitoring.rules.pace import DAY, HOUR, Pace
from agents.monitoring.rules.ratios import baseline, chance, deviation
from agents.monitoring.rules.rule import Record
from agents.monitoring.rules.usual import usual_value


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRatio:
    """Quotient of the increases of two totals of a segment in the last hour."""

    numerator: str
    denominator: str
    #: Least increase of the denominator; below it the ratio is chance and is left out.
    minimum: int
    #: Least usual spread, for shares that are 0 or 1 by habit.
    floor: float

    @property
    def stem(self) -> str:
        """Start of its rules' names."""
        return f"segment:engagement_segment_{self.numerator}_per_{self.denominator}"

    @property
    def now(self) -> str:
        """Series of the ratio."""
        return f"{self.stem}:ratio_increase1h"


CARTS = SegmentRatio(
    numerator="carts_abandoned", denominator="carts_resolved", minimum=50, floor=0.02
)


def segment_rules(ratio: SegmentRatio, pace: Pace) -> Iterator[Record]:
    """Yield the ratio, its baseline and its deviation.

    A segment has few cases, so its spread of one day says little. The deviation is that by chance.
    """
    hour = pace.of(HOUR)
    recent = growth(ratio.denominator)
    for measure in (ratio.numerator, ratio.denominator):
        yield Record(growth(measure), f"increase({total(measure)}[{hour}])")
    yield Record(ratio.now, f"{growth(ratio.numerator)} / ({recent} >= {ratio.minimum})")
    share = baseline(ratio)
    # A segment may have few cases in any hour of its first day, but enough in all of them.
    day = f"[{pace.of(DAY)}] offset {pace.of(HOUR)}"
    first_day = (
        f"increase({total(ratio.numerator)}{day}) / "
        f"(increase({total(ratio.denominator)}{day}) >= {ratio.minimum})"
    )
    yield Record(share, f"{usual_value(ratio.now, pace)}\nor\n{first_day}")
    yield Record(deviation(ratio), f"clamp_min({chance(share, recent)}, {ratio.floor})")


def growth(measure: str) -> str:
    """Recorded increase of a total in an hour."""
    return f"segment:engagement_segment_{measure}:increase1h"


def total(measure: str) -> str:
    """Recorded total of a measure of a segment, with all workers in one."""
    return f"segment:engagement_segment_{measure}_total:max"
