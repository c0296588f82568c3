"""Distinct people over any window as plain sums: which windows a person's newly active day or minute adds.

A mark is (top, mask): bit i of the mask says that the person was active on unit `top - i`, where a unit
is a day or a minute; bit 0 is always set. A person who becomes active on unit d is counted in each
window that contains d and held no active unit of theirs before: with the nearest active units `before`
< d < `after`, the windows of length w that end in max(d, before + w) … min(d + w - 1, after - 1).
Each (person, window) pair is thus counted once, in whatever order the events arrive.
"""

from collections.abc import Iterable

Mark = tuple[int, int]

#: Stands for "none": farther away than any window is long, so that the formulas need no special case.
FAR = 1_000


def add_unit(mark: Mark | None, unit: int) -> Mark:
    """The mark with one more active unit."""
    if mark is None:
        return unit, 1
    top, mask = mark
    if unit > top:
        return unit, mask << (unit - top) | 1
    return top, mask | 1 << (top - unit)


def has_unit(mark: Mark | None, unit: int) -> bool:
    """Whether the person was active in a unit."""
    return mark is not None and 0 <= mark[0] - unit and bool(mark[1] >> (mark[0] - unit) & 1)


def neighbours(mark: Mark | None, unit: int) -> tuple[int, int]:
    """Distances from a unit that is not marked to the nearest active units before and after it."""
    if mark is None:
        return FAR, FAR
    top, mask = mark
    if unit > top:
        return min(unit - top, FAR), FAR
    shift = top - unit
    newer = mask & ((1 << shift) - 1)
    older = mask >> (shift + 1)
    after = shift - newer.bit_length() + 1 if newer else FAR
    before = (older & -older).bit_length() if older else FAR
    return min(before, FAR), min(after, FAR)


def union(marks: Iterable[Mark]) -> Mark | None:
    """One mark with the active units of all."""
    top, mask = 0, 0
    for other_top, other_mask in marks:
        if not mask:
            top, mask = other_top, other_mask
        elif other_top > top:
            top, mask = other_top, mask << (other_top - top) | other_mask
        else:
            mask |= other_mask << (top - other_top)
    return (top, mask) if mask else None


def trim(mark: Mark, oldest: int) -> Mark:
    """The mark without the units before `oldest` (its newest unit always stays)."""
    top, mask = mark
    keep = max(top - oldest, 0) + 1
    return (top, mask & ((1 << keep) - 1)) if mask.bit_length() > keep else mark


def windows_gained(unit: int, before: int, after: int, length: int) -> tuple[int, int]:
    """First and last unit on which a window ends that the new unit brings a person into.

    `before` and `after` are the distances from `neighbours`; last < first when there is none.
    """
    return max(unit, unit - before + length), min(unit + length - 1, unit + after - 1)
