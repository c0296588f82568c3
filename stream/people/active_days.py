"""Active days as bitmaps, and the windows in which a new active day counts a person.

A bitmap is (top, mask): bit i of the mask is set if the person was active on unit `top - i`. A unit is a
day, an hour or a minute; bit 0 is always set. A person who becomes active on unit d is counted in each
window that contains d and no earlier known active unit: with the nearest active units `before` < d <
`after`, the windows of length w that end in max(d, before + w) … min(d + w - 1, after - 1). Each
(person, window) pair is counted once, for any order of events. So distinct people over any window are
plain sums.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mypy_extensions import mypyc_attr

from stream.counters.segments import Segment, SegmentSet

#: (top, mask); for active days also the first active day ever.
Bitmap = tuple[int, ...]

#: Distance that stands for "none": longer than any window, so the formulas need no special case.
FAR = 1_000


def add_unit(bitmap: Bitmap | None, unit: int) -> tuple[int, int]:
    """Return (top, mask) with one more active unit."""
    if bitmap is None:
        return unit, 1
    top, mask = bitmap[0], bitmap[1]
    if unit > top:
        return unit, mask << (unit - top) | 1
    return top, mask | 1 << (top - unit)


def has_unit(bitmap: Bitmap | None, unit: int) -> bool:
    """Return whether the person was active in a unit."""
    return (
        bitmap is not None and bitmap[0] - unit >= 0 and bool(bitmap[1] >> (bitmap[0] - unit) & 1)
    )


def has_any(bitmap: Bitmap | None, first: int, last: int) -> bool:
    """Return whether the person was active in one of the units first … last."""
    if bitmap is None or bitmap[0] < first:
        return False
    recent = bitmap[1] >> max(bitmap[0] - last, 0)
    return (
        bool(recent & ((1 << (min(bitmap[0], last) - first + 1)) - 1)) if last >= first else False
    )


def neighbours(bitmap: Bitmap | None, unit: int) -> tuple[int, int]:
    """Return the distances from an inactive unit to the nearest active units before and after it."""
    if bitmap is None:
        return FAR, FAR
    top, mask = bitmap[0], bitmap[1]
    if unit > top:
        return min(unit - top, FAR), FAR
    shift = top - unit
    newer = mask & ((1 << shift) - 1)
    older = mask >> (shift + 1)
    after = shift - newer.bit_length() + 1 if newer else FAR
    before = (older & -older).bit_length() if older else FAR
    return min(before, FAR), min(after, FAR)


def trim(bitmap: Bitmap, oldest: int) -> Bitmap:
    """Drop the units before `oldest`; the newest unit always stays."""
    keep = max(bitmap[0] - oldest, 0) + 1
    if bitmap[1].bit_length() <= keep:
        return bitmap
    return (bitmap[0], bitmap[1] & ((1 << keep) - 1), *bitmap[2:])


def windows_gained(unit: int, before: int, after: int, length: int) -> tuple[int, int]:
    """Return the first and last unit on which a window ends that now counts the person.

    `before` and `after` are the distances from `neighbours`; last < first if no window does.
    """
    return max(unit, unit - before + length), min(unit + length - 1, unit + after - 1)


#: Most people have no others: they share one empty dict, which is never written to.
_NO_OTHERS: dict[int, Bitmap] = {}
#: Most people have no other groups.
_NO_REST: Sequence[tuple[SegmentSet, Bitmap | None]] = ()


@mypyc_attr(acyclic=True)
class SegmentBitmaps:
    """A person's bitmaps, one for each segment they were seen in.

    The segments of the newest segment set are at hand, grouped by equal bitmaps. Nearly everyone has a
    single group, whose `bitmap` is read without going through the segments.
    """

    __slots__ = ("bitmap", "group", "others", "rest", "segment_set", "stored", "unread")

    def __init__(self) -> None:
        self.segment_set: SegmentSet | None = None
        #: The first group of the segment set, and its bitmap.
        self.group: SegmentSet | None = None
        self.bitmap: Bitmap | None = None
        #: The other groups, if segments have different bitmaps.
        self.rest: Sequence[tuple[SegmentSet, Bitmap | None]] = _NO_REST
        #: Segments outside the segment set.
        self.others: dict[int, Bitmap] = _NO_OTHERS
        #: The form stored last; None once it has changed. Days change once a day, but people are
        #: stored with every checkpoint.
        self.stored: list[tuple[Any, ...]] | None = None
        #: Stored bitmaps that no event has touched yet; None once the other fields hold them.
        self.unread: list[tuple[Any, ...]] | None = None

    def restore(self, stored: list[tuple[Any, ...]]) -> None:
        """Take over a stored form; it is read when an event touches the bitmaps."""
        self.stored = self.unread = stored

    def turn_to(self, segment_set: SegmentSet) -> None:
        """Bring the bitmaps of a segment set to hand."""
        unread = self.unread
        if unread is not None:
            if len(unread) == 1 and tuple(unread[0][0]) == segment_set.segment_ids:
                self.segment_set = self.group = segment_set
                self.bitmap = _restored(unread[0])
                self.unread = None
                return
            self._read(unread)
        if self.segment_set is None and not self.others:
            self.segment_set = self.group = segment_set
            return
        others = self.others = self._by_segment()
        groups: dict[Bitmap | None, list[Segment]] = {}
        for segment in segment_set.segments:
            groups.setdefault(others.pop(segment.id, None), []).append(segment)
        (self.bitmap, first), *more = groups.items()
        self.segment_set, self.group = segment_set, segment_set.part(first)
        self.rest = [(segment_set.part(segments), bitmap) for bitmap, segments in more]

    def items(self) -> list[tuple[Bitmap, tuple[int, ...]]]:
        """Return each bitmap with the ids of its segments, in the order in which they came."""
        if self.unread is not None:
            return [(_restored(stored), tuple(stored[0])) for stored in self.unread]
        if not self.others and not self.rest:
            return (
                []
                if self.bitmap is None or not self.group
                else [(self.bitmap, self.group.segment_ids)]
            )
        groups: dict[Bitmap, list[int]] = {}
        for segment_id, bitmap in self._by_segment().items():
            groups.setdefault(bitmap, []).append(segment_id)
        return [(bitmap, tuple(ids)) for bitmap, ids in groups.items()]

    def shorten(self, oldest: int, drop: bool) -> None:
        """Drop the units before `oldest`; with `drop` also bitmaps that end before it."""
        if self.unread is not None:
            self._read(self.unread)
        if self.bitmap is not None:
            self.bitmap = trim(self.bitmap, oldest)
        if self.rest:
            rest = [
                (group, trim(bitmap, oldest)) for group, bitmap in self.rest if bitmap is not None
            ]
            if all(bitmap == self.bitmap for _, bitmap in rest):
                # The days that told them apart are dropped.
                self.group, rest = self.segment_set, []
            self.rest = [*rest]
        if self.others:
            kept = {
                i: trim(m, oldest) for i, m in self.others.items() if m[0] >= oldest or not drop
            }
            self.others = kept or _NO_OTHERS

    def _read(self, unread: Iterable[tuple[Any, ...]]) -> None:
        """Take stored bitmaps into the other fields."""
        self.unread = None
        found: dict[int, Bitmap] = {}
        for stored in unread:
            found.update(dict.fromkeys(stored[0], _restored(stored)))
        self.others = found or _NO_OTHERS

    def _by_segment(self) -> dict[int, Bitmap]:
        found = dict(self.others)
        for group, bitmap in ((self.group, self.bitmap), *self.rest):
            if bitmap is not None and group is not None:
                found.update(dict.fromkeys(group.segment_ids, bitmap))
        return found


def _restored(stored: tuple[Any, ...]) -> Bitmap:
    """Return the bitmap of a stored form, (ids, top, mask, …); wide masks are bytes."""
    mask = stored[2]
    number = mask if isinstance(mask, int) else int.from_bytes(mask, "big")
    return (stored[1], number) if len(stored) == 3 else (stored[1], number, *stored[3:])


def mark_unit(
    bitmaps: SegmentBitmaps,
    segment_set: SegmentSet,
    unit: int,
    note: Callable[[SegmentSet, Bitmap | None, int], Bitmap],
) -> None:
    """Mark a unit in each segment of the segment set; `note` counts it for groups in which it is new."""
    if bitmaps.segment_set is not segment_set:
        bitmaps.turn_to(segment_set)
    if not has_unit(bitmaps.bitmap, unit):
        bitmaps.bitmap = note(bitmaps.group or segment_set, bitmaps.bitmap, unit)
        bitmaps.stored = None
    if bitmaps.rest and not all(has_unit(bitmap, unit) for _, bitmap in bitmaps.rest):
        bitmaps.rest = [
            (group, bitmap if has_unit(bitmap, unit) else note(group, bitmap, unit))
            for group, bitmap in bitmaps.rest
        ]
        bitmaps.stored = None


#: The longest look back in days: from the last of a month to the first of the month before.
REACH_DAYS = 61
