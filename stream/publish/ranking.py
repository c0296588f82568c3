"""Chooses the sites and segments that are shown, when there are too many: those with the most events."""

from collections.abc import Sequence

from stream.counters.measures import EVENTS, Grain
from stream.publish.merged_counts import MergedCounts, SegmentKey
from stream.publish.snapshot import Gauge


def ranked(merged: MergedCounts) -> list[SegmentKey]:
    """Return all segments: whole sites first, then those with more events since counting began."""
    totals = merged.rows(Grain.ALL, 0)

    def rank(segment: SegmentKey) -> tuple[bool, int, SegmentKey]:
        row = totals.get(segment)
        # Segments such as pages count no events, but views, impressions or others.
        weight = (row.get(EVENTS) or max(row.values(), default=0)) if row else 0
        return bool(segment[1]), -weight, segment

    return sorted(merged.segments, key=rank)


def within(
    found: list[Gauge], segments: Sequence[SegmentKey], series_max: int
) -> tuple[list[Gauge], Sequence[SegmentKey]]:
    """Return the gauges of as many whole segments as fit into `series_max`, and these segments.

    `found` are the gauges of `segments` in that order, or at least the first `series_max` + 1.
    """
    if len(found) <= series_max:
        return found, segments
    last = _segment(found[series_max])
    end = next(place for place, gauge in enumerate(found) if _segment(gauge) == last)
    return found[:end], segments[: segments.index(last)]


def _segment(gauge: Gauge) -> SegmentKey:
    return gauge.site, gauge.dimension, gauge.label
