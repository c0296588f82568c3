"""Distinct people over any window as plain sums: which windows a person's newly active day or minute adds.

A mark is (top, mask): bit i of the mask says that the person was active on unit `top - i`, where a unit
is a day or a minute; bit 0 is always set. A person who becomes active on unit d is counted in each
window that contains d and held no active unit of theirs before: with the nearest active units `before`
< d < `after`, the windows of length w that end in max(d, before + w) … min(d + w - 1, after - 1).
Each (person, window) pair is thus counted once, in whatever order the events arrive.
"""

from collections.abc import Iterable
from typing import Any

from stream.counters.segments import Segment, SegmentSet

#: (top, mask), and for active days the first one ever.
Mark = tuple[int, ...]

#: Stands for "none": farther away than any window is long, so that the formulas need no special case.
FAR = 1_000


def add_unit(mark: Mark | None, unit: int) -> tuple[int, int]:
    """(top, mask) with one more active unit."""
    if mark is None:
        return unit, 1
    top, mask = mark[0], mark[1]
    if unit > top:
        return unit, mask << (unit - top) | 1
    return top, mask | 1 << (top - unit)


def has_unit(mark: Mark | None, unit: int) -> bool:
    """Whether the person was active in a unit."""
    return mark is not None and mark[0] - unit >= 0 and bool(mark[1] >> (mark[0] - unit) & 1)


def neighbours(mark: Mark | None, unit: int) -> tuple[int, int]:
    """Distances from a unit that is not marked to the nearest active units before and after it."""
    if mark is None:
        return FAR, FAR
    top, mask = mark[0], mark[1]
    if unit > top:
        return min(unit - top, FAR), FAR
    shift = top - unit
    newer = mask & ((1 << shift) - 1)
    older = mask >> (shift + 1)
    after = shift - newer.bit_length() + 1 if newer else FAR
    before = (older & -older).bit_length() if older else FAR
    return min(before, FAR), min(after, FAR)


def trim(mark: Mark, oldest: int) -> Mark:
    """The mark without the units before `oldest` (its newest unit always stays)."""
    keep = max(mark[0] - oldest, 0) + 1
    if mark[1].bit_length() <= keep:
        return mark
    return (mark[0], mark[1] & ((1 << keep) - 1), *mark[2:])


def windows_gained(unit: int, before: int, after: int, length: int) -> tuple[int, int]:
    """First and last unit on which a window ends that the new unit brings a person into.

    `before` and `after` are the distances from `neighbours`; last < first when there is none.
    """
    return max(unit, unit - before + length), min(unit + length - 1, unit + after - 1)


#: Most people have no others: they share one empty dict, which nobody writes to.
_NO_OTHERS: dict[int, Mark] = {}


class SegmentMarks:
    """A person's marks in each segment they were seen in.

    The segments of the newest profile are at hand, those with equal marks as one group: for nearly
    everyone that is a single one, whose `mark` is looked at without going through the segments.
    """

    __slots__ = ("group", "mark", "others", "rest", "segment_set", "stored")

    def __init__(self) -> None:
        self.segment_set: SegmentSet | None = None
        #: The first group of the profile's segments, and its mark.
        self.group: SegmentSet | None = None
        self.mark: Mark | None = None
        #: Its other groups, where segments have different marks.
        self.rest: list[tuple[SegmentSet, Mark | None]] = []
        #: Segments that the profile does not have.
        self.others: dict[int, Mark] = _NO_OTHERS
        #: As they were stored last, None once they have changed: days change once a day, and people
        #: are stored with every cut.
        self.stored: list[tuple[Any, ...]] | None = None

    def turn_to(self, segment_set: SegmentSet) -> None:
        """Bring the marks of a profile's segments to hand."""
        if self.segment_set is None and not self.others:
            self.segment_set = self.group = segment_set
            return
        others = self.others = self._by_segment()
        groups: dict[Mark | None, list[Segment]] = {}
        for segment in segment_set.segments:
            groups.setdefault(others.pop(segment.id, None), []).append(segment)
        (self.mark, first), *more = groups.items()
        self.segment_set, self.group = segment_set, segment_set.part(first)
        self.rest = [(segment_set.part(segments), mark) for mark, segments in more]

    def items(self) -> list[tuple[Mark, tuple[int, ...]]]:
        """Each mark with the segments that have it, in the order in which they came."""
        if not self.others and not self.rest:
            return (
                [] if self.mark is None or not self.group else [(self.mark, self.group.segment_ids)]
            )
        groups: dict[Mark, list[int]] = {}
        for segment_id, mark in self._by_segment().items():
            groups.setdefault(mark, []).append(segment_id)
        return [(mark, tuple(ids)) for mark, ids in groups.items()]

    def shorten(self, oldest: int, drop: bool) -> None:
        """Forget the units before `oldest`; with `drop` also marks that end before it."""
        if self.mark is not None:
            self.mark = trim(self.mark, oldest)
        if self.rest:
            rest = [(group, trim(mark, oldest)) for group, mark in self.rest if mark is not None]
            if all(mark == self.mark for _, mark in rest):
                # What told them apart is long past.
                self.group, rest = self.segment_set, []
            self.rest = [*rest]
        if self.others:
            kept = {
                i: trim(m, oldest) for i, m in self.others.items() if m[0] >= oldest or not drop
            }
            self.others = kept or _NO_OTHERS

    def put(self, ids: Iterable[int], mark: Mark) -> None:
        """Take up a stored mark of these segments."""
        if self.others is _NO_OTHERS:
            self.others = {}
        self.stored = None
        self.others.update(dict.fromkeys(ids, mark))

    def _by_segment(self) -> dict[int, Mark]:
        found = dict(self.others)
        for group, mark in ((self.group, self.mark), *self.rest):
            if mark is not None and group is not None:
                found.update(dict.fromkeys(group.segment_ids, mark))
        return found


#: The longest look back: from the last of a month to the first of the month before.
REACH_DAYS = 61
