"""Tells which measures add up over days, and what a measure is a part of."""

from collections.abc import Iterable, Mapping

from stream.counters import measures
from stream.counters.histogram import histogram_part
from stream.counters.measures import Grain
from stream.metrics.terms import Need

#: Prefixes of measures that count a person once in each bucket, in a window that ends there.
_DISTINCT = ("people_", "new_after_")


def is_distinct(measure: str) -> bool:
    """Whether two day buckets of a measure may count the same person."""
    if measure == measures.NEW_DAY:
        return False  # A person is new once.
    return measure.startswith(_DISTINCT) or measure.endswith("_day")


def base_of(measure: str) -> str:
    """Return the histogram of a measure that counts one of its buckets, else the measure."""
    part = histogram_part(measure)
    return part[0] if part else measure


def is_counted(needs: Iterable[Need], counted: Mapping[str, tuple[Grain, ...]]) -> bool:
    """Whether a shard counts all these measures in these grains."""
    return all(grain in counted.get(measure, ()) for measure, grain in needs)
