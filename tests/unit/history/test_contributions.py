"""Changes of counts: collected by group, spread over segments and grains, and gone if they cancel out."""

from stream.counters.calendar import DAY_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.counters.table import Counters
from stream.history.contributions import Contributions

NAMES = SegmentRegistry(("country",), 10, lambda site: Calendar())
GERMAN = NAMES.segment_set_of("default", {"country": "DE"})
FRENCH = NAMES.segment_set_of("default", {"country": "FR"})
SITE, GERMANY = GERMAN.segments
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2
DAY = Calendar().day_of(NOON_MS)


def flushed(counts: Contributions) -> dict[tuple[str, str, Grain, int], int]:
    """Return what a flush counts, by (measure, country, grain, bucket)."""
    counters = Counters({"m": tuple(Grain), "days": (Grain.DAY,)})
    counts.flush(counters)
    return {
        (NAMES.series[series][0], NAMES.series[series][3], grain, index): count
        for grain, table in counters.tables.items()
        for index, bucket in table.items()
        for series, count in bucket.items()
    }


def changes() -> Contributions:
    counts = Contributions()
    counts.at("m", GERMAN, NOON_MS, 2)
    counts.at("m", FRENCH, NOON_MS, 3)
    counts.during("days", GERMAN, DAY, DAY + 1, 1)
    counts.between("days", GERMANY, DAY, DAY + 365, 7)
    counts.ever("m", SITE, 1)
    return counts


def test_a_flush_counts_what_the_expanded_form_says() -> None:
    expanded = changes().expanded()
    found = {
        (m, segment.value, grain, index): n for (m, segment, grain, index), n in expanded.items()
    }
    assert flushed(changes()) == found
    assert found["m", "", Grain.DAY, DAY] == 5
    assert found["m", "", Grain.ALL, 0] == 6
    assert found["days", "DE", Grain.DAY, DAY] == 8
    assert found["days", "DE", Grain.DAY, DAY + 365] == -7


def test_what_cancels_out_is_not_counted() -> None:
    counts = Contributions()
    for by in (1, -1):
        counts.at("m", GERMAN, NOON_MS, by)
        counts.during("days", GERMAN, DAY, DAY + 27, by)
        counts.ever("m", SITE, by)
    assert flushed(counts) == {}


def test_a_flush_leaves_nothing_behind() -> None:
    counts = changes()
    flushed(counts)
    assert flushed(counts) == {}


def test_merged_changes_add_up() -> None:
    counts, other = changes(), changes()
    counts.merge(other)
    assert counts.expanded() == {key: 2 * n for key, n in other.expanded().items()}
