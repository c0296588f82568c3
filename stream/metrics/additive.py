"""Tells which metrics have a value over any run of days, as the sum of what each day counts."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache

from stream.counters import measures
from stream.counters.histogram import histogram_part
from stream.counters.measures import Grain
from stream.metrics.histogram_terms import Quantile, TopTenth
from stream.metrics.metric import Metric
from stream.metrics.terms import (
    ByWindow,
    DailyRates,
    Level,
    Need,
    Predicted,
    Term,
    Total,
)

#: Prefixes of measures that count a person once in each bucket, in a window that ends there.
_DISTINCT = ("people_", "new_after_")


def is_distinct(measure: str) -> bool:
    """Whether two day buckets of a measure may count the same person."""
    if measure == measures.NEW_DAY:
        return False  # A person is new once.
    return measure.startswith(_DISTINCT) or measure.endswith("_day")


def days_add_up(term: Term) -> bool:
    """Whether a term has a value over any run of days, from the buckets of these days."""
    if isinstance(term, Predicted):
        return False
    if isinstance(term, Total):
        return not is_distinct(term.measure)
    if isinstance(term, Level | Quantile | DailyRates | TopTenth):
        return True
    if isinstance(term, ByWindow):
        # Days that add up to all time add up to any run of days.
        return {"day", "all"} <= term.terms.keys() and days_add_up(term.terms["day"])
    parts = list(_parts(term))
    return bool(parts) and all(map(days_add_up, parts))


def adds_up(metric: Metric) -> bool:
    """Whether a metric has a value over any run of days."""
    return all(days_add_up(term) for term in _terms(metric))


@lru_cache(maxsize=4096)
def day_needs(metric: Metric) -> frozenset[Need]:
    """Return the (measure, grain) pairs from which a metric is computed over a run of days."""
    return frozenset(need for term in _terms(metric) for need in term.needs("day"))


def base_of(measure: str) -> str:
    """Return the histogram of a measure that counts one of its buckets, else the measure."""
    part = histogram_part(measure)
    return part[0] if part else measure


def is_counted(needs: frozenset[Need], counted: Mapping[str, tuple[Grain, ...]]) -> bool:
    """Whether a shard counts all these measures in these grains."""
    return all(grain in counted.get(measure, ()) for measure, grain in needs)


def _terms(metric: Metric) -> Iterator[Term]:
    yield metric.numerator
    if metric.denominator is not None:
        yield metric.denominator


def _parts(term: Term) -> Iterator[Term]:
    if is_dataclass(term):
        for field in fields(term):
            value = getattr(term, field.name)
            if hasattr(value, "read"):
                yield value
