"""Days between days with events are filled, unless the gap is longer than a year."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stream.publish.day_runs import GAP_DAYS, DayRuns

NEAR = st.integers(700_000, 700_040)
FAR = st.sampled_from([690_000, 700_000 - GAP_DAYS - 1, 700_000 - GAP_DAYS - 2, 701_000, 709_000])
BATCHES = st.lists(st.lists(NEAR | FAR, max_size=4), max_size=5)


def filled(days: set[int]) -> set[int]:
    """Return the days, and those between two neighbours that are at most a year apart."""
    found, ordered = set(days), sorted(days)
    for before, after in pairwise(ordered):
        if after - before - 1 <= GAP_DAYS:
            found |= set(range(before, after))
    return found


@given(BATCHES)
def test_runs_hold_all_days_but_those_of_long_gaps(batches: list[list[int]]) -> None:
    runs, days = DayRuns(), set[int]()
    known: set[int] = set()
    for batch in batches:
        new = runs.add(batch)
        days |= set(batch)
        assert len(new) == len(set(new))
        assert known.isdisjoint(new)
        known |= set(new)
        assert known == filled(days)
        assert set(runs.days_from(0)) == known


def test_a_window_touches_a_run() -> None:
    runs = DayRuns()
    runs.add([700_000, 700_010, 705_000])
    assert runs.touches(700_010, 700_020)
    assert runs.touches(699_000, 706_000)
    assert not runs.touches(700_011, 704_999)
    assert runs.last == 705_000
