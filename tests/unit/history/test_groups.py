"""Groups of segments: one state for segments with the same entries, split when an entry is in a part."""

from stream.counters.calendar import Calendar
from stream.counters.segments import Group, SegmentRegistry
from stream.history.distinct_days import DayWindows, DistinctDays
from stream.history.groups import Groups, segments_of

NAMES = SegmentRegistry(("country", "device"), 10, lambda site: Calendar())
GERMAN = NAMES.segment_set_of("default", {"country": "DE", "device": "phone"})
FRENCH = NAMES.segment_set_of("default", {"country": "FR", "device": "phone"})


def names_of(group: Group) -> set[str]:
    return {segment.value for segment in segments_of(group)}


def groups_of(*entries: Group) -> tuple[Groups[DistinctDays], list[set[str]]]:
    """Return the states after one day in each of these groups, and the segments of each state."""
    groups = Groups(DistinctDays(entries[0], DayWindows(())))
    for day, group in enumerate(entries):
        for state in groups.of(group):
            state.change(day, 1, None)
    return groups, [names_of(state.group) for state in groups.all]


def test_one_segment_set_has_one_state() -> None:
    assert groups_of(GERMAN, GERMAN, GERMAN)[1] == [{"", "DE", "phone"}]


def test_an_entry_in_a_part_of_a_group_splits_it() -> None:
    groups, found = groups_of(GERMAN, FRENCH)
    assert sorted(map(sorted, found)) == [["", "phone"], ["DE"], ["FR"]]
    days = {tuple(sorted(names_of(state.group))): state._ordered for state in groups.all}
    assert days == {("", "phone"): [0, 1], ("DE",): [0], ("FR",): [1]}


def test_groups_together_are_the_segments_of_an_entry() -> None:
    groups, _ = groups_of(GERMAN, FRENCH, GERMAN)
    for entry in (GERMAN, FRENCH):
        found = [segment for state in groups.of(entry) for segment in segments_of(state.group)]
        assert sorted(segment.id for segment in found) == sorted(entry.segment_ids)
