"""Ratios and what is usual for them: the same hour last week, or else the day before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace
from agents.monitoring.rules.rule import Record
from stream.counters.windows import ROLLING_DAYS
from stream.settings.application import Settings


class Judged(Protocol):
    """What an alert compares with what is usual for it."""

    @property
    def stem(self) -> str:
        """What its rules' names begin with."""

    @property
    def now(self) -> str:
        """The series of how it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One total of the snapshot over another, in the last 15 minutes."""

    numerator: str
    denominator: str
    #: Below so many of the denominator in 15 minutes, the ratio is chance and is left out.
    minimum: int
    #: The least that counts as usual spread: a flat history must not make every change a spike.
    floor: float

    @property
    def stem(self) -> str:
        """What its rules' names begin with."""
        return f"site:engagement_{self.numerator}_per_{self.denominator.removesuffix('s')}"

    @property
    def now(self) -> str:
        """The ratio itself."""
        return f"{self.stem}:ratio_increase15m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A gauge of the snapshot that is a ratio or a score already, in one of its windows."""

    family: str
    #: Kind of window; empty for a family that has no such label.
    window: str = ""
    floor: float
    #: Visits an hour below which it is chance and is left out, now and in what is usual: the few
    #: visits of a night, or of the first weeks, have shares so wild that nothing would be unusual.
    visits: int = 0

    @property
    def stem(self) -> str:
        """What its rules' names begin with."""
        return f"site:engagement_{self.family}"

    @property
    def gauge(self) -> str:
        """The gauge itself; an empty window also matches where the label is missing."""
        matcher = f'{{window=~"|{self.window}"}}' if self.window else ""
        return f"{self.stem}:max{matcher}"

    @property
    def now(self) -> str:
        """The gauge, where enough visits stand behind it."""
        return f"{self.stem}:busy" if self.visits else self.gauge


BOUNCE = Ratio(numerator="bounced_sessions", denominator="viewed_sessions", minimum=50, floor=0.02)
CONVERSION = Level(family="session_conversion_ratio", window="trailing_1h", floor=0.005, visits=200)
CARTS = Level(family="cart_abandonment_ratio", window="day", floor=0.02, visits=200)


def click_through(settings: Settings) -> Ratio:
    """Click-through over what the settings count as shown; of all clicks, also where few are matched."""
    shown = "page_views" if settings.ctr.denominator == "page_views" else "impressions"
    return Ratio(numerator="clicks", denominator=shown, minimum=1_000, floor=0.002)


def csat(settings: Settings) -> Level:
    """Satisfaction over the days that the settings choose."""
    return Level(family="csat_ratio", window=ROLLING_DAYS[settings.survey.window_days], floor=0.01)


def nps(settings: Settings) -> Level:
    """Promoters less detractors over the days that the settings choose."""
    return Level(family="nps_points", window=ROLLING_DAYS[settings.survey.window_days], floor=2)


def total(measure: str) -> str:
    """A total of the snapshot, all workers in one."""
    return f"site:engagement_{measure}_total:max"


def increase(measure: str, window: str, offset: str = "") -> str:
    """How much a total has grown.

    Increases are taken of the recorded total, the other way round than for counters of single
    workers: every worker serves the same total, so it goes on where one of them ends and another
    begins, while the series of each worker covers only a part of the window.
    """
    return increase_of(total(measure), window, offset)


def increase_of(series: str, window: str, offset: str = "") -> str:
    """How much a recorded total has grown in a window that ends now, or so long ago."""
    return f"increase({series}[{window}]{f' offset {offset}' if offset else ''})"


def recent(measure: str) -> str:
    """The recorded growth of a total in 15 minutes."""
    return f"site:engagement_{measure}:increase15m"


def baseline(of: Judged) -> str:
    """The name of what is usual for a ratio at this hour."""
    return f"{of.stem}:baseline"


def deviation(of: Judged) -> str:
    """The name of its usual spread."""
    return f"{of.stem}:deviation"


def z_score(of: Judged) -> str:
    """How many times its usual spread a ratio is away from what is usual."""
    return f"({of.now} - {baseline(of)}) / {deviation(of)}"


def same_hour_last_week(pace: Pace) -> tuple[str, str]:
    """(length, offset) of the hour around this time a week ago."""
    return pace.of(HOUR), pace.of(WEEK - HOUR / 2)


def day_before(pace: Pace) -> tuple[str, str]:
    """(length, offset) of the day that ended an hour ago: a spike is not in its own baseline."""
    return pace.of(DAY), pace.of(HOUR)


def ratio_rules(ratio: Ratio, pace: Pace) -> Iterator[Record]:
    """The ratio now, its baseline and its deviation. Ratios of sums, never means of ratios."""
    for measure in (ratio.numerator, ratio.denominator):
        yield Record(recent(measure), increase(measure, pace.of(15 * MINUTE)))
    over = f"({recent(ratio.denominator)} >= {ratio.minimum})"
    yield Record(ratio.now, f"{recent(ratio.numerator)} / {over}")
    # Both are only believed with as many cases as an hour of the least traffic has.
    enough = 4 * ratio.minimum
    usual = [
        f"{increase(ratio.numerator, *when)} / ({increase(ratio.denominator, *when)} >= {enough})"
        for when in (same_hour_last_week(pace), day_before(pace))
    ]
    yield Record(baseline(ratio), "\nor\n".join(usual))
    yield _deviation(ratio, pace)


def level_rules(level: Level, pace: Pace) -> Iterator[Record]:
    """Baseline and deviation of a gauge: its mean, since nothing says how many cases it rests on."""
    if level.visits:
        grown = increase("viewed_sessions", pace.of(HOUR))
        # The gauge may have a label for its window.
        yield Record(level.now, f"{level.gauge}\nand on (job, site)\n{grown} >= {level.visits}")
    usual = [
        f"avg_over_time({level.now}[{length}] offset {offset})"
        for length, offset in (same_hour_last_week(pace), day_before(pace))
    ]
    yield Record(baseline(level), "\nor\n".join(usual))
    yield _deviation(level, pace)


def _deviation(of: Ratio | Level, pace: Pace) -> Record:
    """Of the day around this hour a week ago, which a trouble of some hours has not widened yet."""
    spread = [
        f"stddev_over_time({of.now}[{length}] offset {offset})"
        for length, offset in ((pace.of(DAY), pace.of(WEEK - DAY / 2)), day_before(pace))
    ]
    return Record(deviation(of), f"clamp_min({' or '.join(spread)}, {of.floor})")
