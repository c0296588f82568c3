"""Distinct people over any window as plain sums: which windows a person's newly active day or minute adds.

A mark is (top, mask): bit i of the mask says that the person was active on unit `top - i`, where a unit
is a day or a minute; bit 0 is always set. A person who becomes active on unit d is counted in each
window that contains d and held no active unit of theirs before: with the nearest active units `before`
< d < `after`, the windows of length w that end in max(d, before + w) … min(d + w - 1, after - 1).
Each (person, window) pair is thus counted once, in whatever order the events arrive.
"""

from collections.abc import Iterable

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

    The segments of one profile, the newest, usually share one mark: it is kept once, and looked at
    without going through the segments.
    """

    __slots__ = ("ids", "mark", "others")

    def __init__(self) -> None:
        #: Segments that have `mark`; all others are in `others`.
        self.ids: tuple[int, ...] = ()
        self.mark: Mark | None = None
        self.others: dict[int, Mark] = _NO_OTHERS

    def turn_to(self, ids: tuple[int, ...]) -> bool:
        """Make these segments the ones that share `mark`; False, when they have different marks."""
        if self.mark is not None:
            self.set(self.mark, self.ids)
        others = self.others
        mark = others.get(ids[0])
        if any(others.get(segment_id) != mark for segment_id in ids):
            self.ids, self.mark = (), None
            return False
        if mark is not None:
            for segment_id in ids:
                others.pop(segment_id, None)
        self.ids, self.mark = ids, mark
        return True

    def items(self) -> list[tuple[Mark, list[int]]]:
        """Each mark with the segments that have it."""
        groups: dict[Mark, list[int]] = {}
        if self.mark is not None:
            groups[self.mark] = list(self.ids)
        for segment_id, mark in self.others.items():
            groups.setdefault(mark, []).append(segment_id)
        return list(groups.items())

    def set(self, mark: Mark, ids: Iterable[int]) -> None:
        """These segments have one mark."""
        if self.others is _NO_OTHERS:
            self.others = {}
        self.others.update(dict.fromkeys(ids, mark))

    def set_one(self, segment_id: int, mark: Mark) -> None:
        """One segment has a mark of its own."""
        self.set(mark, (segment_id,))
