"""Plans a query: its windows, the buckets behind each of them, and the counts to read."""

from collections.abc import Iterable, Iterator
from typing import Any

from schemas.outputs import Window, WindowKind
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain, is_level
from stream.counters.table import BucketKey
from stream.counters.windows import GRAIN_OF, LENGTH_OF, Span, ending, step
from stream.metrics.additive import base_of, is_counted
from stream.metrics.metric import JOINED, OWN_DIMENSIONS, Metric
from stream.metrics.ranges import over_days
from stream.publish.query import (
    ROWS_MAX,
    STEPS,
    Asked,
    Column,
    Part,
    Plan,
    Query,
    QueryRefusedError,
    Step,
    Stored,
)

_RANGE: WindowKind = "range"
#: Windows of minutes: their counts are kept for hours only, and no step is that short.
_MINUTES = frozenset(kind for kind, grain in GRAIN_OF.items() if grain is Grain.MINUTE)


def plan(query: Query, calendar: Calendar, stored: Stored) -> Plan:
    """Return how to answer a query. Raises QueryRefusedError if a part of it has no exact answer."""
    steps = list(_steps(query, calendar, stored))
    notes = dict.fromkeys(_future(query, calendar, stored))
    if len(steps) * len(query.metrics) > ROWS_MAX:
        raise QueryRefusedError(
            f"{len(steps):,} windows of {len(query.metrics)} metrics are too many rows",
            {"rows_max": ROWS_MAX, "hint": "a shorter range or a longer step"},
        )
    parts = []
    for metric in query.metrics:
        dimension = _dimension(metric, query)
        asked = list(_asked(metric, query, steps, calendar, stored))
        mature = [one for one in asked if _is_mature(metric, one.span, calendar, stored)]
        if len(mature) < len(asked):
            notes[
                f"{metric.name} is known {metric.matures_days} days after a window ends: "
                f"{len(asked) - len(mature)} windows are left out"
            ] = None
        parts.append(Part(metric, dimension, mature))
    needed = [(part, _needs(part)) for part in parts]
    levels = [
        asked.span.last
        for part, needs in needed
        if any(is_level(measure) for measure, _ in needs)
        for asked in part.windows
    ]
    return Plan(
        query,
        parts,
        frozenset(column for part, needs in needed for column in _columns(part, needs, query)),
        frozenset(bucket for part in parts for bucket in _buckets(part)),
        max(levels, default=None),
        list(notes),
    )


def possible(metric: Metric, calendar: Calendar, stored: Stored) -> dict[str, Any]:
    """Return what can be asked of a metric: steps, windows and dimensions."""
    day = calendar.day_of(stored.reached_ms)
    examples: dict[Step, Span] = {
        "hour": ending("hour", calendar.hour_of(stored.reached_ms), calendar),
        "day": ending("day", day, calendar),
        "week": ending("week", day, calendar),
        "month": ending("month", day, calendar),
        "all": Span(_RANGE, day - 1, day),
    }
    days_add_up = _days_add_up(metric, stored)
    found: dict[str, Any] = {
        "step": [
            name
            for name, span in examples.items()
            if _source(metric, name, span, calendar, days_add_up=days_add_up)
        ],
        "window": [kind for kind in metric.windows if kind in LENGTH_OF and kind not in _MINUTES],
    }
    if metric.by:
        found["by"] = [name.replace(JOINED, ",") for name in metric.by]
    return found


def _steps(query: Query, calendar: Calendar, stored: Stored) -> Iterator[Span]:
    """Yield the windows of the step that hold an instant of the range and have begun."""
    if query.step == "hour":
        time_ms = calendar.hour_of(query.from_ms) * 60_000
        while time_ms < query.to_ms and time_ms <= stored.reached_ms:
            span = ending("hour", calendar.hour_of(time_ms), calendar)
            yield span
            time_ms = span.end_ms(calendar)
        return
    first, last = calendar.day_of(query.from_ms), calendar.day_of(query.to_ms - 1)
    if query.step == "all":
        yield Span(_RANGE, first, last)
        return
    last = min(last, calendar.day_of(stored.reached_ms))
    while first <= last:
        span = ending(query.step, first, calendar)
        yield span
        first = span.last + 1


def _future(query: Query, calendar: Calendar, stored: Stored) -> Iterator[str]:
    last = calendar.day_of(query.to_ms - 1)
    reached = calendar.day_of(stored.reached_ms)
    if query.step != "all" and last > reached:
        yield f"nothing is known after {calendar.rfc3339(stored.reached_ms)}: later windows are left out"
    if query.step == "all" and last > reached:
        yield f"the range is not over: the numbers reach to {calendar.rfc3339(stored.reached_ms)}"


def _asked(
    metric: Metric, query: Query, steps: Iterable[Span], calendar: Calendar, stored: Stored
) -> Iterator[Asked]:
    """Yield the windows of a metric. Raises QueryRefusedError for one that cannot be computed."""
    days_add_up = _days_add_up(metric, stored)
    for wanted in steps:
        span = _span(metric, query, wanted, calendar, days_add_up=days_add_up)
        if span is None:
            raise QueryRefusedError(_why(metric, query), possible(metric, calendar, stored))
        _check_kept(metric, span, calendar, stored)
        shown = span if span.kind in LENGTH_OF and query.step != "all" else wanted
        end_ms = shown.end_ms(calendar)
        window = Window(
            shown.kind,
            calendar.rfc3339(shown.start_ms(calendar)),
            calendar.rfc3339(end_ms),
            calendar.timezone,
        )
        is_final = stored.watermark_ms is not None and end_ms <= stored.watermark_ms
        yield Asked(window, span, is_final)


def _span(
    metric: Metric, query: Query, wanted: Span, calendar: Calendar, *, days_add_up: bool
) -> Span | None:
    """Return the buckets from which a metric is computed for a step; None without an exact value."""
    kind = query.window
    if kind is None:
        return _source(metric, query.step, wanted, calendar, days_add_up=days_add_up)
    if kind in metric.windows and kind in LENGTH_OF:
        grain = Grain.HOUR if query.step == "hour" else Grain.DAY
        return ending(kind, wanted.last, calendar) if GRAIN_OF[kind] is grain else None
    return wanted if kind == query.step and kind in metric.windows else None


def _days_add_up(metric: Metric, stored: Stored) -> bool:
    """Whether shards count by the day what a metric is the sum of."""
    summed = over_days(metric)
    return summed is not None and is_counted(summed.needs(), stored.counted)


def _why(metric: Metric, query: Query) -> str:
    if query.window is not None:
        return f"{metric.name} has no window {query.window} at step {query.step}"
    if query.step == "hour":
        return f"{metric.name} is not counted by the hour"
    if metric.own_window:
        return f"the length of its own window is part of what {metric.name} means"
    if query.step == "all":
        return (
            f"{metric.name} does not add up over days, since the same person counts on several; over "
            "a range it is known only if one of its windows covers the range exactly"
        )
    return f"{metric.name} has no value for a {query.step}: it does not add up over days"


def _source(
    metric: Metric, name: Step, wanted: Span, calendar: Calendar, *, days_add_up: bool
) -> Span | None:
    """Return the buckets of a metric for a step; None if it has no exact value there.

    The step's own window goes before a sum of days, then any window of exactly these days, and by
    the day or hour the rolling window that ends there.
    """
    if name == "hour":
        return _source_of_hour(metric, wanted, calendar)
    if name in metric.windows and name != "all":
        return wanted
    if days_add_up:
        return Span("day", wanted.first, wanted.last)
    spans = [
        ending(kind, wanted.last, calendar)
        for kind in metric.windows
        if GRAIN_OF[kind] is Grain.DAY
    ]
    exact = (span for span in spans if span[1:] == wanted[1:])
    rolling = (span for span in spans if span.kind in LENGTH_OF and name == "day")
    return next(exact, None) or next(rolling, None)


def _source_of_hour(metric: Metric, wanted: Span, calendar: Calendar) -> Span | None:
    if "hour" in metric.windows:
        return wanted
    rolling = [k for k in metric.windows if k in LENGTH_OF and GRAIN_OF[k] is Grain.HOUR]
    return ending(rolling[0], wanted.last, calendar) if rolling else None


def _check_kept(metric: Metric, span: Span, calendar: Calendar, stored: Stored) -> None:
    """Raise QueryRefusedError if a bucket of the span is older than what is kept."""
    if span.grain is Grain.HOUR:
        if span.start_ms(calendar) < stored.oldest_hour_ms:
            raise QueryRefusedError(
                "counts of hours are not kept that long (time.hour_retention_days)",
                {"from": calendar.rfc3339(stored.oldest_hour_ms), "step": list(STEPS[1:])},
            )
        return
    first = min(span.first, span.last - metric.looks_back_days)
    if first < stored.oldest_day:
        late = stored.oldest_day + span.last - first
        raise QueryRefusedError(
            f"{metric.name} needs days that are not kept any more (time.day_retention_days)",
            {"from": calendar.rfc3339(calendar.day_start_ms(late))[:10]},
        )


def _is_mature(metric: Metric, span: Span, calendar: Calendar, stored: Stored) -> bool:
    if not metric.matures_days:
        return True
    over_ms = calendar.day_start_ms(span.last + 1 + metric.matures_days)
    return stored.watermark_ms is not None and over_ms <= stored.watermark_ms


def _dimension(metric: Metric, query: Query) -> str:
    """Return the dimension of a metric that has exactly the wanted names; "" for the whole site."""
    wanted = {*query.by, *query.where}
    for name in (*metric.by, JOINED.join((*query.by, *query.where))):
        if set(name.split(JOINED)) - {""} == wanted and metric.covers(name):
            return name
    asked = ", ".join(sorted(wanted)) or "the whole site"
    has = [name.replace(JOINED, ",") for name in metric.by]
    raise QueryRefusedError(
        f"{metric.name} is not available by {asked}"
        if wanted
        else f"{metric.name} has no number for the whole site",
        {"by": has + ["one of `dimensions`"] * metric.plain},
    )


def _needs(part: Part) -> frozenset[tuple[str, Grain]]:
    kinds = {asked.span.kind for asked in part.windows}
    terms = [term for term in (part.metric.numerator, part.metric.denominator) if term is not None]
    return frozenset(need for kind in kinds for term in terms for need in term.needs(kind))


def _columns(part: Part, needs: Iterable[tuple[str, Grain]], query: Query) -> Iterator[Column]:
    """Yield what a part reads: its own dimension, those that its terms compare with, and the site."""
    dimension = part.dimension
    # A share may compare with the whole site; joint dimensions with one of their names alone.
    dimensions = {dimension, "", dimension.partition(JOINED)[2]}
    is_alone = JOINED not in dimension and (part.metric.plain or dimension in OWN_DIMENSIONS)
    for measure in {base_of(measure) for measure, _ in needs}:
        for name in dimensions:
            value = query.where.get(name) if is_alone else None
            yield Column(measure, query.site, name, value)


def _buckets(part: Part) -> Iterator[BucketKey]:
    for asked in part.windows:
        span = asked.span
        for index in range(span.first, span.last + 1, step(span.kind)):
            yield span.grain, index
        if part.metric.looks_back_days:
            yield span.grain, span.last - part.metric.looks_back_days
