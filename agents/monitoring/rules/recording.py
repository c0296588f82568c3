"""Recording rules that merge replicas: one for each family of the page."""

from collections.abc import Iterable, Iterator

from agents.monitoring.rules.pace import EARNEST, MINUTE, Pace
from agents.monitoring.rules.rule import Record
from stream.metrics.families import Family

#: Labels of replicas. All other labels stay, so that the rules work beside other rules.
REPLICAS = "instance, pod"
_QUANTILES = (0.5, 0.95, 0.99)
_LEVELS = (
    ("dimension", "segment"), ("site", "site"), ("partition", "partition"), ("node", "node"),
)  # fmt: skip


def level_of(family: Family) -> str:
    """First part of a rule's name: the subject of one series of the family."""
    return next((level for label, level in _LEVELS if label in family.labels), "job")


def recorded(family: Family) -> str:
    """Name of a family's recording rule, for dashboards and alerts."""
    if family.kind == "histogram":
        return f"{level_of(family)}:{family.name}_bucket:rate5m"
    if family.kind == "counter" and not family.is_shared:
        return f"{level_of(family)}:{family.name}:rate5m"
    return f"{level_of(family)}:{family.series}:{family.merge}"


def recording_rules(families: Iterable[Family], pace: Pace) -> Iterator[Record]:
    """Yield the rule that merges each family's replicas, with its rate and quantiles."""
    for family in families:
        yield Record(recorded(family), _expression(family, pace))
        if family.kind == "counter" and family.is_shared:
            yield _rate_of_total(family, pace)
        if family.kind == "histogram":
            yield from _quantiles(family)


def _expression(family: Family, pace: Pace) -> str:
    # Families of single workers are about the pipeline, which a rehearsal makes no faster.
    window = (pace if family.is_shared else EARNEST).of(5 * MINUTE)
    if family.kind == "histogram":
        return f"sum without ({REPLICAS}) (rate({family.name}_bucket[{window}]))"
    if family.kind == "counter" and not family.is_shared:
        return f"sum without ({REPLICAS}) (rate({family.series}[{window}]))"
    return f"{family.merge} without ({REPLICAS}) ({family.series})"


def _rate_of_total(family: Family, pace: Pace) -> Record:
    """Build the rate of the recorded total, not of each worker's: see ratios.increase."""
    window = pace.of(5 * MINUTE)
    return Record(f"{level_of(family)}:{family.name}:rate5m", f"rate({recorded(family)}[{window}])")


def _quantiles(family: Family) -> Iterator[Record]:
    for quantile in _QUANTILES:
        name = f"{level_of(family)}:{family.name}:p{round(quantile * 100)}_rate5m"
        yield Record(name, f"histogram_quantile({quantile}, {recorded(family)})")
