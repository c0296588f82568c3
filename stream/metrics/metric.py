"""Defines a metric: one frozen value with its formula, windows, dimensions, example and benchmark."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from schemas.outputs import WindowKind
from stream.counters.histogram import histogram_part
from stream.counters.measures import EVENTS, Grain
from stream.counters.segments import JOINT
from stream.metrics.families import COUNTERS
from stream.metrics.terms import Need, Term

Unit = Literal[
    "people", "customers", "sessions", "views", "pages", "ratio", "seconds", "currency",
    "visits", "interactions", "orders", "answers", "points", "score", "tickets", "carts", "events",
    "probability", "days",
]  # fmt: skip

#: Joins the names, and the values, of dimensions that belong together, as funnel and step.
JOINED = JOINT
#: Own dimensions whose values no event can make up.
FIXED_DIMENSIONS = frozenset({
    "survey", "active_days", "active_weeks", "risk_band", f"funnel{JOINED}step",
})  # fmt: skip
#: Dimensions that metrics bring along, beside those that are configured from the context.
OWN_DIMENSIONS = FIXED_DIMENSIONS | {"page", "content", "feature", "goal", "post", "network"}
#: Single names of own dimensions, as records have them.
OWN_DIMENSION_NAMES = frozenset(name for one in OWN_DIMENSIONS for name in one.split(JOINED))
#: Names that a field of the context cannot have as a dimension: those of own dimensions, the site, and
#: the two that the retention triangles of a report add.
RESERVED_DIMENSIONS = OWN_DIMENSION_NAMES | {"site", "cohort", "period"}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A range that the literature calls good. It is guidance, never an alert."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: a case in words, the values of the metric's terms, and the metric's value.

    The value is never 0: an empty counter would give that too.
    """

    text: str
    numerator: float
    denominator: float | None
    value: float

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError(f"the worked example {self.text!r} has the value of an empty counter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A published number. Ratios are 0 to 1; a ratio with an empty denominator is null."""

    name: str
    help: str
    unit: Unit
    #: Formula in words, shown beside the number.
    formula: str
    numerator: Term
    denominator: Term | None = None
    windows: tuple[WindowKind, ...]
    #: Prometheus gauge without its prefix. Several windows become a label.
    gauge: str
    example: Example
    benchmark: Benchmark | None = None
    #: The value is an estimate, such as a quantile of a histogram.
    approximate: bool = False
    #: The gauge shows the last window that has ended, not the current one.
    gauge_complete: bool = False
    #: Measure of whole sites that exists on the days on which a model has run. The gauge shows the last.
    computed: str = ""
    #: Settings that choose the terms or the windows. Changing one recomputes the metric from kept counts.
    chosen_by: tuple[str, ...] = ()
    #: Settings that change the counts it reads. The catalogue adds those of its measures and windows,
    #: so a theme names only what belongs to no measure.
    counted_by: tuple[str, ...] = ()
    #: Own dimensions by which it is available.
    by: tuple[str, ...] = ()
    #: Also available for the whole site and by the configured dimensions.
    plain: bool = True
    #: Days after the end of a window for which its people are watched. It is published after them.
    matures_days: int = 0
    #: Days before the end of its windows from which it reads a bucket. A change there concerns it.
    looks_back_days: int = 0
    #: Prometheus counters, by segment, of the totals of its numerator and denominator. From their growth
    #: a rule computes the ratio over any time, and knows the number of cases behind it.
    totals: tuple[str, str] | None = None
    #: A level: a changed day changes all windows after it.
    level: bool = False
    #: The length of its window is part of its meaning: it has no value over a range of other days.
    own_window: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """Settings that change it, beside those that change every metric."""
        return tuple(dict.fromkeys((*self.chosen_by, *self.counted_by)))

    def covers(self, dimension: str) -> bool:
        """Whether it is available by a dimension. "" is the whole site."""
        is_own = dimension in OWN_DIMENSIONS or JOINED in dimension
        return dimension in self.by or (self.plain and not is_own)

    def needs(self) -> frozenset[Need]:
        """Return the (measure, grain) pairs that its windows are computed from."""
        return _needs(self.numerator, self.denominator, self.windows)

    def measures(self) -> frozenset[str]:
        """Return the measures that it reads; a histogram is one."""
        return _measures(self.numerator, self.denominator, self.windows)


# A histogram has hundreds of needs, the same for every shard, report and fingerprint.
@lru_cache(maxsize=1024)
def _needs(
    numerator: Term, denominator: Term | None, windows: tuple[WindowKind, ...]
) -> frozenset[Need]:
    terms = [term for term in (numerator, denominator) if term is not None]
    return frozenset(need for kind in windows for term in terms for need in term.needs(kind))


@lru_cache(maxsize=1024)
def _measures(
    numerator: Term, denominator: Term | None, windows: tuple[WindowKind, ...]
) -> frozenset[str]:
    measures = (measure for measure, _ in _needs(numerator, denominator, windows))
    return frozenset((histogram_part(measure) or (measure,))[0] for measure in measures)


def required_grains(metrics: Iterable[Metric]) -> dict[str, tuple[Grain, ...]]:
    """Return for each measure the grains that a metric needs: what a shard must count."""
    needed: dict[str, set[Grain]] = {measure: {Grain.ALL} for measure in COUNTERS}
    # Empty windows are published on days and in hours that have events.
    needed[EVENTS] |= {Grain.HOUR, Grain.DAY}
    for measure, grain in frozenset().union(*(metric.needs() for metric in metrics)):
        needed.setdefault(measure, set()).add(grain)
    return {measure: tuple(sorted(grains)) for measure, grains in needed.items()}
