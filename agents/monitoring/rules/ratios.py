"""Ratios and levels, and what is usual for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from agents.monitoring.rules.pace import HOUR, MINUTE, Pace
from agents.monitoring.rules.recording import REPLICAS
from agents.monitoring.rules.rule import Record
from agents.monitoring.rules.usual import larger, usual_spread, usual_value
from stream.counters.windows import ROLLING_DAYS
from stream.settings.application import Settings


class Judged(Protocol):
    """Value that an alert compares with its usual value."""

    @property
    def stem(self) -> str:
        """Start of its rules' names."""

    @property
    def now(self) -> str:
        """Series of its current value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Quotient of the increases of two totals in the last 15 minutes."""

    numerator: str
    denominator: str
    #: Least increase of the denominator in 15 minutes; below it the ratio is chance and is left out.
    minimum: int
    #: Least usual spread: a flat history must not turn every change into a spike.
    floor: float

    @property
    def stem(self) -> str:
        """Start of its rules' names."""
        return f"site:engagement_{self.numerator}_per_{self.denominator.removesuffix('s')}"

    @property
    def now(self) -> str:
        """Series of the ratio."""
        return f"{self.stem}:ratio_increase15m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Gauge that is already a ratio or a score, in one of its windows."""

    family: str
    #: Kind of window; empty for a family without the label window.
    window: str = ""
    floor: float
    #: Least sessions an hour, now and in the usual value. With the few sessions of a night, or of the
    #: first weeks, shares vary so much that no change would be unusual.
    sessions: int = 0

    @property
    def stem(self) -> str:
        """Start of its rules' names."""
        return f"site:engagement_{self.family}"

    @property
    def gauge(self) -> str:
        """Selector of the gauge; it also matches a series without the label window."""
        matcher = f'{{window=~"|{self.window}"}}' if self.window else ""
        return f"{self.stem}:max{matcher}"

    @property
    def now(self) -> str:
        """Series of the gauge in hours with enough sessions."""
        return f"{self.stem}:busy" if self.sessions else self.gauge


BOUNCE = Ratio(numerator="bounced_sessions", denominator="viewed_sessions", minimum=50, floor=0.02)
CONVERSION = Level(
    family="session_conversion_ratio", window="trailing_1h", floor=0.005, sessions=200
)
CARTS = Level(family="cart_abandonment_ratio", window="day", floor=0.02, sessions=200)


def click_through(settings: Settings) -> Ratio:
    """Ratio of all clicks to what `ctr.denominator` names, whether clicks match impressions or not."""
    shown = "page_views" if settings.ctr.denominator == "page_views" else "impressions"
    return Ratio(numerator="clicks", denominator=shown, minimum=1_000, floor=0.002)


def csat(settings: Settings) -> Level:
    """Share of satisfied answers over `survey.window_days`."""
    return Level(family="csat_ratio", window=ROLLING_DAYS[settings.survey.window_days], floor=0.01)


def nps(settings: Settings) -> Level:
    """Net promoter score over `survey.window_days`."""
    return Level(family="nps_points", window=ROLLING_DAYS[settings.survey.window_days], floor=2)


def total(measure: str) -> str:
    """Recorded total of a measure, with all workers in one."""
    return f"site:engagement_{measure}_total:max"


def increase(measure: str, window: str) -> str:
    """Build the increase of a recorded total in a window.

    Every worker serves the same total, so the recorded one goes on when a worker is replaced; the
    series of one worker covers only a part of the window. Counters of single workers are rated
    first and then added.
    """
    return f"increase({total(measure)}[{window}])"


def recent(measure: str) -> str:
    """Recorded increase of a total in 15 minutes."""
    return f"site:engagement_{measure}:increase15m"


def baseline(of: Judged) -> str:
    """Name of the usual value at this hour."""
    return f"{of.stem}:baseline"


def deviation(of: Judged) -> str:
    """Name of the usual spread."""
    return f"{of.stem}:deviation"


def z_score(of: Judged) -> str:
    """Build the distance from the usual value, in usual spreads."""
    return f"({of.now} - {baseline(of)}) / {deviation(of)}"


def ratio_rules(ratio: Ratio, pace: Pace) -> Iterator[Record]:
    """Yield the ratio, its baseline and its deviation."""
    yield Record(recent(ratio.denominator), _at_once(ratio.denominator, pace))
    over = f"({_at_once(ratio.denominator, pace)} >= {ratio.minimum})"
    yield Record(ratio.now, f"{_at_once(ratio.numerator, pace)}\n/\n{over}")
    yield Record(baseline(ratio), usual_value(ratio.now, pace))
    spread = larger(
        chance(baseline(ratio), recent(ratio.denominator)), usual_spread(ratio.now, pace)
    )
    yield Record(deviation(ratio), f"clamp_min({spread}, {ratio.floor})")


def _at_once(measure: str, pace: Pace) -> str:
    """Build the increase of a total in 15 minutes from the pages of the workers themselves.

    A scrape can arrive between two rules. The recorded totals of that moment then belong to two
    pages, and a burst is in only one of them. One expression sees whole pages.
    """
    merged = f"max without ({REPLICAS}) (engagement_{measure}_total)"
    return f"increase(({merged})[{pace.of(15 * MINUTE)}:{pace.of(MINUTE)}])"


def level_rules(level: Level, pace: Pace) -> Iterator[Record]:
    """Yield baseline and deviation of a gauge."""
    if level.sessions:
        grown = increase("viewed_sessions", pace.of(HOUR))
        # The gauge can have a label for its window.
        yield Record(level.now, f"{level.gauge}\nand on (job, site)\n{grown} >= {level.sessions}")
    yield Record(baseline(level), usual_value(level.now, pace))
    yield Record(deviation(level), f"clamp_min({usual_spread(level.now, pace)}, {level.floor})")


def chance(share: str, cases: str) -> str:
    """Build the standard deviation of a share of this many cases by chance, sqrt(p (1 - p) / n).

    A share above 1, such as clicks without impressions, has none.
    """
    return f"sqrt(clamp_min({share} * (1 - {share}), 0) / ({cases} > 0))"
