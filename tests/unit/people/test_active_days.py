"""Active days turn a newly active day into the windows it adds, in any order of the days."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.counters.calendar import Calendar
from stream.counters.segments import Segment, SegmentSet
from stream.people.active_days import (
    FAR,
    Bitmap,
    SegmentBitmaps,
    add_unit,
    has_unit,
    neighbours,
    trim,
    windows_gained,
)

DAY = 738_000


def active_on(*units: int) -> Bitmap | None:
    bitmap: Bitmap | None = None
    for unit in units:
        bitmap = add_unit(bitmap, unit)
    return bitmap


def gained(units: tuple[int, ...], length: int) -> list[int]:
    """Return the last units of all windows that count a person, once for each count."""
    bitmap: Bitmap | None = None
    ends: list[int] = []
    for unit in units:
        if not has_unit(bitmap, unit):
            first, last = windows_gained(unit, *neighbours(bitmap, unit), length)
            ends += range(first, last + 1)
            bitmap = add_unit(bitmap, unit)
    return sorted(ends)


def test_a_new_person_has_no_day() -> None:
    assert not has_unit(None, DAY)
    assert neighbours(None, DAY) == (FAR, FAR)


def test_an_active_day_is_known_and_its_neighbours_are_not() -> None:
    bitmap = active_on(DAY)
    assert [has_unit(bitmap, DAY + n) for n in (-1, 0, 1)] == [False, True, False]


@pytest.mark.parametrize("order", list(permutations([DAY, DAY + 3, DAY - 40])))
def test_the_order_of_the_days_changes_nothing(order: tuple[int, ...]) -> None:
    assert active_on(*order) == active_on(DAY - 40, DAY, DAY + 3)


def test_the_nearest_days_on_both_sides_are_found() -> None:
    bitmap = active_on(DAY - 9, DAY - 2, DAY + 5, DAY + 60)
    assert neighbours(bitmap, DAY) == (2, 5)
    assert neighbours(bitmap, DAY + 70) == (10, FAR)
    assert neighbours(bitmap, DAY - 10) == (FAR, 1)


def test_a_first_day_adds_every_window_that_holds_it() -> None:
    assert windows_gained(DAY, FAR, FAR, 7) == (DAY, DAY + 6)


def test_a_person_active_yesterday_adds_one_window() -> None:
    assert windows_gained(DAY, 1, FAR, 28) == (DAY + 27, DAY + 27)


def test_a_day_between_two_near_ones_adds_none() -> None:
    first, last = windows_gained(DAY, 3, 3, 7)
    assert last < first or (first, last) == (DAY + 4, DAY + 2)


def test_a_window_of_one_day_is_the_day_itself() -> None:
    assert windows_gained(DAY, 1, 1, 1) == (DAY, DAY)


@given(st.lists(st.integers(0, 70), min_size=1, max_size=8), st.sampled_from([1, 5, 7, 28, 30]))
def test_each_window_with_an_active_day_is_counted_once(offsets: list[int], length: int) -> None:
    days = tuple(DAY + offset for offset in offsets)
    windows = {end for day in days for end in range(day, day + length)}
    assert gained(days, length) == sorted(windows)


def test_trimming_drops_old_days_and_keeps_the_newest() -> None:
    bitmap = active_on(DAY, DAY + 10, DAY + 70)
    assert bitmap is not None
    short = trim(bitmap, DAY + 10)
    assert [has_unit(short, DAY + n) for n in (0, 10, 70)] == [False, True, True]
    assert has_unit(trim(bitmap, DAY + 500), DAY + 70)


def test_trimming_keeps_the_first_day_ever() -> None:
    assert trim((DAY + 70, 1 << 70 | 1, DAY), DAY + 60) == (DAY + 70, 1, DAY)


def segment_set(*ids: int) -> SegmentSet:
    def segment(number: int) -> Segment:
        return Segment(number, "s", "d", str(number), Calendar(), lambda _segment, _measure: 0)

    return SegmentSet(0, "s", tuple(segment(number) for number in ids))


def test_segments_of_one_set_share_their_active_days() -> None:
    bitmaps = SegmentBitmaps()
    bitmaps.turn_to(segment_set(1, 2))
    bitmaps.bitmap = (DAY, 1)
    bitmaps.turn_to(segment_set(1, 2))
    assert bitmaps.items() == [((DAY, 1), (1, 2))]
    assert not bitmaps.rest


def test_segments_with_different_days_do_not_share_them() -> None:
    bitmaps = SegmentBitmaps()
    bitmaps.turn_to(segment_set(1, 2))
    bitmaps.bitmap = (DAY, 1)
    # Segment 3 is new: it must not get the days of segment 1.
    bitmaps.turn_to(segment_set(1, 3))
    assert bitmaps.bitmap == (DAY, 1)
    assert [(group.segment_ids, bitmap) for group, bitmap in bitmaps.rest] == [((3,), None)]
    assert bitmaps.others == {2: (DAY, 1)}
    assert bitmaps.items() == [((DAY, 1), (2, 1))]


def test_segments_share_their_days_again_when_the_difference_is_too_old() -> None:
    bitmaps = SegmentBitmaps()
    both = segment_set(1, 2)
    bitmaps.turn_to(both)
    [first], [second] = segment_set(1).segments, segment_set(2).segments
    bitmaps.group, bitmaps.bitmap = both.part([first]), (DAY, 1 << 40 | 1)
    bitmaps.rest = [(both.part([second]), (DAY, 1))]
    bitmaps.shorten(DAY - 40, drop=True)
    assert len(bitmaps.rest) == 1
    bitmaps.shorten(DAY - 10, drop=True)
    assert (bitmaps.group, bitmaps.bitmap, bitmaps.rest) == (both, (DAY, 1), [])
