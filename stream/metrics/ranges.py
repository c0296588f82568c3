"""Metrics over a range of days that somebody asks for: which have a value there, and from which counts."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from stream.counters import measures
from stream.metrics.additive import is_distinct
from stream.metrics.histogram_terms import Quantile
from stream.metrics.metric import Metric
from stream.metrics.terms import (
    AtEnd,
    AtStart,
    ByWindow,
    DailyRates,
    InRange,
    Level,
    Predicted,
    Term,
    Total,
)  # fmt: skip

#: Measures of distinct people → their measure of a day, from which a range is counted.
_DAY_OF = tuple(
    (re.compile(pattern), day)
    for pattern, day in (
        (r"people_(\d+d|day|week|month)", measures.ACTIVE_DAY),
        (r"(converted|funnel_people|feature_users)_\d+d", r"\1_1d"),
        (r"buyers_(day|28d|month)", "buyers_day"),
        (r"(clickers_day|viewers_day|matched_clickers_\d+)", r"\1"),
        (r"(own_.+)_(day|week|month|trailing_\d+d)", r"\1_day"),
        (r"customers_lost_(30d|month)", measures.LOST),
        (r"customers_lost_involuntary_(30d|month)", measures.LOST_INVOLUNTARY),
    )
)


def over_range(metric: Metric) -> Metric | None:
    """Return the metric over a range of days; None if it has no value there."""
    if metric.own_window:
        return None
    numerator = _ranged(metric.numerator)
    if numerator is None:
        return None
    denominator = None
    if metric.denominator is not None:
        denominator = _ranged(metric.denominator)
        if denominator is None:
            return None
    return replace(metric, numerator=numerator, denominator=denominator, windows=("range",))


def over_all_days(metric: Metric) -> Metric | None:
    """Return a metric that has no window `all`, over all days; None if they do not add up."""
    if "all" in metric.windows or metric.level:
        return None
    return over_days(metric)


def over_days(metric: Metric) -> Metric | None:
    """Return the metric over a run of days, from the counts of these days; None if they do not add up."""
    found = over_range(metric)
    if found is None or any(one.endswith(measures.IN_RANGE) for one in found.measures()):
        return None
    return found


def in_report(metric: Metric) -> Metric:
    """Return the metric with the windows that it has in a report."""
    windows = metric.windows
    if over_all_days(metric) is not None:
        windows += ("all",)
    if over_range(metric) is not None:
        windows += ("range",)
    return replace(metric, windows=windows)


def _ranged(term: Term) -> Term | None:
    """Return the term that reads the same number over a range; None without one."""
    if isinstance(term, ByWindow):
        return _of_windows(term)
    if isinstance(term, Predicted):
        return None
    if isinstance(term, Total | AtEnd | AtStart):
        day = _day_measure(term.measure)
        if day:
            return InRange(day)
        return term if isinstance(term, Total) and not is_distinct(term.measure) else None
    if isinstance(term, Level | Quantile | DailyRates) or getattr(term, "has_range", False):
        return term
    parts = dict(_parts(term))
    ranged = {name: found for name, part in parts.items() if (found := _ranged(part)) is not None}
    whole: Any = term
    return replace(whole, **ranged) if parts and len(ranged) == len(parts) else None


def _of_windows(term: ByWindow) -> Term | None:
    """Return the term of a day, if days add up or people are counted over the range too."""
    one = term.terms.get("day") or next(iter(term.terms.values()))
    found = _ranged(one)
    if found is None or {"day", "all"} <= term.terms.keys():
        return found
    return (
        found if any(one.endswith(measures.IN_RANGE) for one, _ in found.needs("range")) else None
    )


def _day_measure(measure: str) -> str:
    """Return the day measure of distinct people; empty for another measure."""
    for pattern, day in _DAY_OF:
        if match := pattern.fullmatch(measure):
            return match.expand(day)
    return ""


def _parts(term: Term) -> Iterator[tuple[str, Term]]:
    if is_dataclass(term):
        for field in fields(term):
            value = getattr(term, field.name)
            if hasattr(value, "read"):
                yield field.name, value
