"""Decides which values of dimensions count by name, as one job would have known them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from stream.engine.rules import Rules
from stream.report.jobs.messages import Counted, Name, Order


class Known(NamedTuple):
    """Values that one job would know after the same events."""

    #: (site, dimension, value)
    values: list[tuple[str, str, str]]
    #: Whether a job has counted others by name.
    is_exceeded: bool
    #: False: one job must count everybody to know.
    is_decided: bool


def decided(found: Sequence[Counted], rules: Rules) -> Known:
    """Return the first values of each dimension, by the order of the events that brought them.

    The first values of all are among the first ones of each job.
    """
    limits = rules.settings.limits
    dimensions = _first_of_each(name for one in found for name in one.names)
    segment_sets = {raw for one in found for raw in one.segment_sets}
    values: list[tuple[str, str, str]] = []
    # Of the caps over all dimensions no order is kept.
    is_decided = len(segment_sets) < limits.segment_sets_max
    is_exceeded, total = False, 0
    for (site, dimension), names in dimensions.items():
        most = rules.own_values_max.get(dimension, rules.settings.dimension_values_max)
        first = sorted(names.values(), key=_order)
        if len(first) > most:
            is_exceeded = True
            is_decided = is_decided and all(name.is_exact for name in first)
        values += [(site, dimension, name.value) for name in first[:most]]
        total += len(first)
    return Known(values, is_exceeded, is_decided and total < limits.segments_max)


def _first_of_each(names: Iterable[Name]) -> dict[tuple[str, str], dict[str, Name]]:
    """Return site and dimension → value → its first name."""
    found: dict[tuple[str, str], dict[str, Name]] = {}
    for name in names:
        known = found.setdefault((name.site, name.dimension), {})
        before = known.get(name.value)
        if before is not None:
            is_exact = name.is_exact and before.is_exact
            name = replace(min(name, before, key=_order), is_exact=is_exact)
        known[name.value] = name
    return found


def _order(name: Name) -> Order:
    return name.order
