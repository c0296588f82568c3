"""A query: its request, its refusal, and its answer from merged counts."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from schemas.outputs import MetricRecord, Window, WindowKind
from stream.counters.measures import Grain
from stream.counters.segments import JOINT
from stream.counters.table import BucketKey
from stream.counters.windows import Span
from stream.metrics.metric import Metric
from stream.publish.merged_counts import MergedCounts, SegmentKey
from stream.publish.reader import SegmentReader, value_of

Step: TypeAlias = Literal["hour", "day", "week", "month", "all"]
STEPS: tuple[Step, ...] = get_args(Step)
#: Most records of one answer.
ROWS_MAX = 10_000


class QueryRefusedError(Exception):
    """A query without an exact answer; `possible` says what can be asked instead."""

    def __init__(self, text: str, possible: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.possible = dict(possible or {})


class Query(NamedTuple):
    """A query for numbers of one site."""

    metrics: tuple[Metric, ...]
    site: str
    step: Step
    #: First instant, and the first one after it, in epoch ms.
    from_ms: int
    to_ms: int
    #: Names of dimensions by which the numbers are broken down.
    by: tuple[str, ...] = ()
    #: Dimension → the one value that is wanted.
    where: Mapping[str, str] = {}
    #: Window of each value, if it is not the step itself: a rolling one that ends with the step.
    window: WindowKind | None = None
    #: Only the largest values of the dimensions.
    limit: int | None = None


class Stored(NamedTuple):
    """Range of the stored counts, and the instant up to which they are complete."""

    newest_ms: int
    watermark_ms: int | None
    revision: int
    #: Oldest day and hour of which counts are kept.
    oldest_day: int
    oldest_hour_ms: int
    #: Measure → grains in which shards count it.
    counted: Mapping[str, tuple[Grain, ...]]

    @property
    def reached_ms(self) -> int:
        """The instant up to which something is known: of the newest event, or later in silence."""
        return max(self.newest_ms, self.watermark_ms or 0)


class Column(NamedTuple):
    """Counts of a measure, or of all buckets of a histogram, in the segments of a dimension."""

    measure: str
    site: str
    dimension: str
    #: Only this value of the dimension; None: all of them.
    value: str | None


class Asked(NamedTuple):
    """One window of the answer, and the buckets from which its value is computed."""

    window: Window
    span: Span
    is_final: bool


class Part(NamedTuple):
    """A metric with its windows, for the whole site or by a dimension."""

    metric: Metric
    dimension: str
    windows: Sequence[Asked]


class Plan(NamedTuple):
    """Plan of an answer: the counts to read, and the numbers to compute from them."""

    query: Query
    parts: Sequence[Part]
    columns: frozenset[Column]
    buckets: frozenset[BucketKey]
    #: Last day up to which all stored day buckets are needed, for levels; None: no level is read.
    levels_until: int | None
    notes: Sequence[str]


def answer(plan: Plan, merged: MergedCounts, stored: Stored) -> list[MetricRecord]:
    """Compute the records of a plan, in the order of metrics, windows and segments.

    A segment without counts in a window has no record there. Raises QueryRefusedError for too many.
    """
    chosen = _segments(plan, merged)
    rows = sum(
        len(part.windows) * len(found) for part, found in zip(plan.parts, chosen, strict=True)
    )
    if rows > ROWS_MAX:
        raise QueryRefusedError(
            f"the answer would have up to {rows:,} rows",
            {"rows_max": ROWS_MAX, "hint": "a shorter range, a longer step, `limit` or `where`"},
        )
    calendar, watermark_ms = merged.calendar(plan.query.site), stored.watermark_ms
    watermark = None if watermark_ms is None else calendar.rfc3339(watermark_ms)
    records = []
    for (metric, dimension, windows), segments in zip(plan.parts, chosen, strict=True):
        readers = [merged.reader(segment) for segment in segments]
        for window, span, is_final in windows:
            for reader in readers:
                value = value_of(metric, reader, span)
                if dimension and value.is_empty:
                    continue
                records.append(
                    merged.record(
                        metric, reader.segment, span, value, window=window,
                        revision=stored.revision, is_final=is_final, watermark=watermark,
                    )
                )  # fmt: skip
    return records


def _segments(plan: Plan, merged: MergedCounts) -> list[list[SegmentKey]]:
    """Return the segments of each part, in the order of their values; the largest ones with a limit."""
    query = plan.query
    whole: SegmentKey = (query.site, "", "")
    largest: dict[str, set[SegmentKey]] = {}
    chosen = []
    for part in plan.parts:
        if not part.dimension:
            chosen.append([whole])
            continue
        found = [s for s in merged.segments if _is_wanted(s, part.dimension, query)]
        if query.limit is not None and part.dimension not in largest:
            # By the first metric, so that all metrics show the same values.
            size = {segment: _size(part, merged.reader(segment)) for segment in found}
            ranked = sorted(found, key=lambda segment: (-size[segment], segment))
            largest[part.dimension] = set(ranked[: query.limit])
        kept = largest.get(part.dimension)
        chosen.append(sorted(s for s in found if kept is None or s in kept))
    return chosen


def _is_wanted(segment: SegmentKey, dimension: str, query: Query) -> bool:
    site, own, value = segment
    if site != query.site or own != dimension:
        return False
    if not query.where:
        return True
    names = dimension.split(JOINT)
    values = value.split(JOINT, len(names) - 1)
    return all(query.where.get(n, v) == v for n, v in zip(names, values, strict=False))


def _size(part: Part, reader: SegmentReader) -> float:
    """Return what makes a segment large: its cases in all windows, such as its sessions."""
    values = [value_of(part.metric, reader, asked.span) for asked in part.windows]
    return sum(v.numerator if v.denominator is None else v.denominator for v in values)
