"""Choice of the sites and segments that are shown: whole ones, those with the most events first."""

import pytest

from stream.counters.calendar import Calendar
from stream.counters.measures import CONTENT_IMPRESSIONS, EVENTS, Grain
from stream.publish.merged_counts import MergedCounts, SegmentKey
from stream.publish.ranking import ranked, within
from stream.publish.snapshot import Gauge

SHOP, BLOG, OTHER = ("shop", "", ""), ("blog", "", ""), ("other", "", "")
DE, AD = ("shop", "country", "DE"), ("shop", "content", "ad")


def _merged() -> MergedCounts:
    merged = MergedCounts(lambda site: Calendar(), "")
    merged.put(
        (Grain.ALL, 0),
        {
            DE: {EVENTS: 4},
            BLOG: {EVENTS: 1},
            AD: {CONTENT_IMPRESSIONS: 9},
            SHOP: {EVENTS: 5},
            OTHER: {EVENTS: 1},
        },
    )
    return merged


def test_whole_sites_come_first_then_those_with_more_events() -> None:
    assert ranked(_merged()) == [SHOP, BLOG, OTHER, AD, DE]


def _gauges(*numbers: int) -> list[Gauge]:
    """Return so many gauges of each segment, in their order."""
    return [
        Gauge(f"m{n}", "day", *segment, 1.0)
        for segment, number in zip(ranked(_merged()), numbers, strict=True)
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("most", "shown", "number"),
    [
        (10, [SHOP, BLOG, OTHER, AD, DE], 10),
        (9, [SHOP, BLOG, OTHER, AD], 8),
        (4, [SHOP, BLOG], 4),
        (3, [SHOP], 3),
        (2, [], 0),
    ],
)
def test_a_segment_is_shown_whole_or_not_at_all(
    most: int, shown: list[SegmentKey], number: int
) -> None:
    order = ranked(_merged())
    found, segments = within(_gauges(3, 1, 2, 2, 2)[: most + 1], order, most)
    assert list(segments) == shown
    assert len(found) == number
    assert {(g.site, g.dimension, g.label) for g in found} == set(shown)
