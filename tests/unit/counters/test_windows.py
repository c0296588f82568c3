"""Windows as runs of buckets: the windows of a bucket, and where each begins and ends."""

from datetime import date

import pytest

from schemas.outputs import Window, WindowKind
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, KINDS, LENGTH_OF, Span, ending, holding, span_at

UTC = Calendar()
DAY = date(2024, 2, 29).toordinal()
NOON_MS = 1_709_208_000_000


def test_a_trailing_window_ends_with_its_bucket() -> None:
    assert ending("trailing_7d", DAY, UTC) == Span("trailing_7d", DAY - 6, DAY)
    assert ending("trailing_5m", 100, UTC) == Span("trailing_5m", 96, 100)
    assert ending("day", DAY, UTC) == Span("day", DAY, DAY)


def test_a_calendar_window_surrounds_the_day() -> None:
    # 29 February 2024 is a Thursday.
    assert ending("week", DAY, UTC) == Span("week", DAY - 3, DAY + 3)
    assert ending("month", DAY, UTC) == Span("month", DAY - 28, DAY)


@pytest.mark.parametrize("kind", KINDS)
def test_the_window_of_an_instant_holds_it(kind: WindowKind) -> None:
    span = span_at(kind, NOON_MS, UTC)
    if kind == "all":
        assert span == Span("all", 0, 0)
    else:
        assert span.start_ms(UTC) <= NOON_MS < span.end_ms(UTC)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bucket_belongs_to_as_many_windows_as_a_window_has_buckets(kind: WindowKind) -> None:
    index = {Grain.DAY: DAY, Grain.ALL: 0}.get(GRAIN_OF[kind], NOON_MS // 60_000)
    spans = list(holding(kind, GRAIN_OF[kind], index, UTC))
    assert len(set(spans)) == LENGTH_OF.get(kind, 1)
    assert all(span.first <= index <= span.last for span in spans)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bucket_of_another_grain_belongs_to_no_window(kind: WindowKind) -> None:
    for grain in set(Grain) - {GRAIN_OF[kind]}:
        assert list(holding(kind, grain, 0, UTC)) == []


def test_a_window_is_published_with_its_zone_and_offset() -> None:
    calendar = Calendar("America/New_York")
    span = ending("day", date(2024, 3, 10).toordinal(), calendar)
    assert span.window(calendar) == Window(
        "day", "2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00", "America/New_York"
    )


def test_all_has_no_beginning_and_no_end() -> None:
    assert Span("all", 0, 0).window(UTC) == Window("all", None, None, "UTC")


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_an_hour_lasts_an_hour(timezone: str) -> None:
    calendar = Calendar(timezone)
    span = span_at("hour", NOON_MS, calendar)
    assert span.end_ms(calendar) - span.start_ms(calendar) == 3_600_000
