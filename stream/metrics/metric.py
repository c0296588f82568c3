"""What a metric is: one frozen value with its name, formula, windows, benchmark and worked example."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from schemas.outputs import WindowKind
from stream.counters.measures import EVENTS, Grain
from stream.metrics.families import COUNTERS
from stream.metrics.terms import Need, Term

Unit = Literal[
    "people", "customers", "sessions", "views", "pages", "ratio", "seconds", "currency",
    "visits", "interactions", "orders", "answers", "points", "score", "tickets", "carts", "events",
    "probability", "days",
]  # fmt: skip


#: Dimensions of metrics themselves, beyond those that are configured from the context. Some come
#: together: their names and values are joined by JOINED.
JOINED = "\x1f"
OWN_DIMENSIONS = frozenset({
    "page", "content", "feature", "goal", "post", "network", "survey", "active_days",
    "active_weeks", "risk_band", f"funnel{JOINED}step",
})  # fmt: skip
#: Names that a field of the context cannot have as a dimension: the parts of own dimensions, the site,
#: and the two that the retention triangles of a report add.
RESERVED_DIMENSIONS = frozenset(
    {name for joined in OWN_DIMENSIONS for name in joined.split(JOINED)}
    | {"site", "cohort", "period"}
)

#: What decides which events make one session.
SESSION_KNOBS = (
    "session.timeout_seconds", "session.boundary", "session.source", "session.max_duration_hours",
    "session.id_scope", "session.id_max_hours", "session.split_at_midnight", "session.assign",
    "session.timeout_by_platform", "session.platform_field", "session.split_on_campaign_change",
    "session.include_open", "pages.count",
)  # fmt: skip

#: What decides how long a page was in front of somebody.
READING_KNOBS = (
    "time_on_page.mode", "time_on_page.heartbeat_seconds", "time_on_page.min_visit_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What the literature calls good: guidance, never an alert."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: numerator and denominator as people write them, and the value they give.

    `parts` are the values of the metric's terms. A value that equals the empty one proves nothing.
    """

    text: str
    numerator: float
    denominator: float | None
    value: float

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError(f"the worked example {self.text!r} has the value of no data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One published number. Ratios are 0 to 1; a ratio with an empty denominator is null."""

    name: str
    help: str
    unit: Unit
    #: The formula in words, as it is shown beside the number.
    formula: str
    numerator: Term
    denominator: Term | None = None
    windows: tuple[WindowKind, ...]
    #: Prometheus gauge, without prefix; its windows become a label when there are several.
    gauge: str
    example: Example
    benchmark: Benchmark | None = None
    #: Its value is an estimate (a quantile from a histogram).
    approximate: bool = False
    #: The gauge shows the last window that has ended, not the one under way.
    gauge_complete: bool = False
    #: A measure that the whole site has on the days on which it was computed: the gauge shows the last.
    computed: str = ""
    #: Settings that change it.
    knobs: tuple[str, ...] = ()
    #: Own dimensions by which it is available, besides the site and the configured ones.
    by: tuple[str, ...] = ()
    #: Available for the site and by the configured dimensions; else only by its own ones.
    plain: bool = True
    #: How many days after the end of a window its people are watched; it is published after them.
    matures_days: int = 0
    #: How many days before the end of its windows it reads a bucket: a change of that one concerns it.
    looks_back_days: int = 0
    #: Names of the Prometheus counters, by segment, of its numerator and its denominator since counting
    #: began: from their growth a rule has the ratio of any time, and how many cases it rests on.
    totals: tuple[str, str] | None = None
    #: All windows from a change on are changed: a level, not a count.
    level: bool = field(default=False)

    def covers(self, dimension: str) -> bool:
        """Whether it is available by a dimension; "" is the whole site."""
        is_own = dimension in OWN_DIMENSIONS or JOINED in dimension
        return dimension in self.by or (self.plain and not is_own)

    def needs(self) -> frozenset[Need]:
        """The (measure, grain) pairs that its windows are computed from."""
        return _needs(self)


@lru_cache(maxsize=1024)
def _needs(metric: Metric) -> frozenset[Need]:
    # Hundreds for a histogram, and the same for every shard, report and fingerprint.
    terms = [term for term in (metric.numerator, metric.denominator) if term is not None]
    return frozenset(need for kind in metric.windows for term in terms for need in term.needs(kind))


def required_grains(metrics: Iterable[Metric]) -> dict[str, tuple[Grain, ...]]:
    """For each measure the grains that any of the metrics needs: what the shard must count."""
    needed: dict[str, set[Grain]] = {measure: {Grain.ALL} for measure in COUNTERS}
    # Which days and hours have events decides which empty windows are published.
    needed[EVENTS] |= {Grain.HOUR, Grain.DAY}
    for measure, grain in frozenset().union(*(metric.needs() for metric in metrics)):
        needed.setdefault(measure, set()).add(grain)
    return {measure: tuple(sorted(grains)) for measure, grains in needed.items()}
