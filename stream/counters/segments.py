"""Interning of what counters are about: sites, segments, profiles and series, each a small integer."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.envelope import Context
from stream.counters.calendar import Calendar

#: The value that takes what does not fit under the cap of a dimension.
OTHER = "other"
#: Joins the values of dimensions that come together: no single value may hold it.
JOINT = "\x1f"
_SEGMENT_SET, _SEGMENT, _SERIES = "p", "g", "s"
_CACHE_MAX = 100_000


class Segment:
    """One side of a site to count separately: (site, dimension, value); the whole site has no dimension."""

    __slots__ = ("_intern", "calendar", "dimension", "id", "series_ids", "site", "value")

    def __init__(
        self,
        segment_id: int,
        site: str,
        dimension: str,
        value: str,
        calendar: Calendar,
        intern: Callable[["Segment", str], int],
    ) -> None:
        self.id = segment_id
        self.site = site
        self.dimension = dimension
        self.value = value
        self.calendar = calendar
        self.series_ids: dict[str, tuple[int, ...]] = {}
        self._intern = intern

    def series(self, measure: str) -> tuple[int, ...]:
        """The one series of a measure for this segment, as a tuple."""
        found = self.series_ids.get(measure)
        if found is None:
            found = self.series_ids[measure] = (self._intern(self, measure),)
        return found


class SegmentSet:
    """The segments that one event counts in: its site as a whole and one per dimension it carries."""

    __slots__ = (
        "_parts", "calendar", "id", "order", "rule", "segment_ids", "segments", "series_ids",
        "site",
    )  # fmt: skip

    def __init__(self, segment_set_id: int, site: str, segments: tuple[Segment, ...]) -> None:
        self.id = segment_set_id
        self.site = site
        self.segments = segments
        self.segment_ids = tuple(segment.id for segment in segments)
        self.calendar = segments[0].calendar
        #: Sorts profiles the same way in every shard, whatever their ids.
        self.order = tuple((segment.dimension, segment.value) for segment in segments[1:])
        self.series_ids: dict[str, tuple[int, ...]] = {}
        self._parts: dict[tuple[int, ...], SegmentSet] = {}
        #: A plan that is applied instead of each event's own: the traffic of bots, or of one's own.
        self.rule: Any = None

    def excluded_by(self, rule: object) -> "SegmentSet":
        """The same profile for traffic that is not counted like others."""
        excluded = SegmentSet(self.id, self.site, self.segments)
        excluded.rule = rule
        return excluded

    def part(self, segments: Sequence[Segment]) -> "SegmentSet":
        """Some of its segments, to count in these alone."""
        if len(segments) == len(self.segments):
            return self
        ids = tuple([segment.id for segment in segments])
        found = self._parts.get(ids)
        if found is None:
            found = self._parts[ids] = SegmentSet(self.id, self.site, tuple(segments))
        return found

    def series(self, measure: str) -> tuple[int, ...]:
        """The series of a measure for each segment."""
        found = self.series_ids.get(measure)
        if found is None:
            ids = tuple(segment.series(measure)[0] for segment in self.segments)
            found = self.series_ids[measure] = ids
        return found


#: What an increment is for: all segments of a profile, or one of them.
Group = SegmentSet | Segment


def by_segment(segment_sets: dict[SegmentSet, int]) -> dict[Segment, int]:
    """The sums by segment of counts by profile: there are far fewer segments than profiles."""
    segments: dict[Segment, int] = {}
    for segment_set, count in segment_sets.items():
        for segment in segment_set.segments:
            segments[segment] = segments.get(segment, 0) + count
    return segments


class SegmentRegistry:
    """All names of a shard. New ones are kept in `fresh` until the next cut stores them."""

    def __init__(
        self,
        dimensions: Sequence[str],
        values_max: int,
        calendar_of: Callable[[str], Calendar],
        excluded: Callable[[Mapping[str, str]], object | None] | None = None,
        own_max: Mapping[str, int] | None = None,
    ) -> None:
        """`aside`: the plan for contexts whose traffic is not counted like others."""
        self._rule_of = excluded
        self.dimensions = tuple(dimensions)
        self.fresh: dict[int, bytes] = {}
        self.series: dict[int, tuple[str, str, str, str]] = {}
        self._values_max = values_max
        #: Dimension → how many values it may have, where that is not the usual number.
        self._own_max = own_max or {}
        self._calendar_of = calendar_of
        self._segment_sets: dict[tuple[tuple[str, str], ...] | str, SegmentSet] = {}
        self._by_id: dict[int, SegmentSet] = {}
        #: Site → context → profile: what every event asks for.
        self.lookup: dict[str, dict[Context | None, SegmentSet]] = {}
        self._looked_up = 0
        self._segments: dict[tuple[str, str, str], Segment] = {}
        self._segment_by_id: dict[int, Segment] = {}
        self._values: dict[tuple[str, str], set[str]] = {}
        self._next_id = 1

    def segment_set(self, site: str, context: Context | None) -> SegmentSet:
        """The profile of an event with this context."""
        found = self.lookup.get(site, {}).get(context)
        if found is None:
            self._looked_up += 1
            if self._looked_up % _CACHE_MAX == 0:
                self.lookup.clear()
            found = self.segment_set_of(site, context or {})
            if self._rule_of is not None and (rule := self._rule_of(context or {})) is not None:
                found = found.excluded_by(rule)
            self.lookup.setdefault(site, {})[context] = found
        return found

    def segment_set_of(self, site: str, context: Mapping[str, str]) -> SegmentSet:
        """The same, not remembered for the next event."""
        pairs = [
            (dimension, self._admit(site, dimension, value))
            for dimension in self.dimensions
            if (value := context.get(dimension))
        ]
        return self._intern_segment_set(site, pairs)

    def fill(self) -> Iterator[tuple[str, str, float]]:
        """(site, dimension, share of the values that it may have); another thread may ask."""
        for (site, dimension), known in list(self._values.items()):
            yield site, dimension, len(known) / self._own_max.get(dimension, self._values_max)

    def own_segment(self, site: str, dimension: str, value: str) -> Segment:
        """The segment of a value that is no part of the context, such as a page or a feature."""
        return self._segment(site, dimension, self._admit(site, dimension, value))

    def by_id(self, segment_set_id: int) -> SegmentSet:
        """A profile read from stored state. Raises KeyError when the names do not hold it."""
        return self._by_id[segment_set_id]

    def segment(self, segment_id: int) -> Segment:
        """A segment read from stored state. Raises KeyError when the names do not hold it."""
        return self._segment_by_id[segment_id]

    def take_changes(self) -> dict[int, bytes]:
        """Give up the names added since the last call: id → JSON."""
        fresh, self.fresh = self.fresh, {}
        return fresh

    def load(self, stored: Iterable[tuple[int, bytes]]) -> None:
        """Take up what earlier cuts stored: (id, JSON) pairs."""
        for name_id, raw in sorted(stored):
            kind, *parts = json.loads(raw)
            self._next_id = max(self._next_id, name_id + 1)
            if kind == _SEGMENT:
                self._add_segment(name_id, *parts)
                site, dimension, value = parts
                if dimension and value != OTHER:
                    self._values.setdefault((site, dimension), set()).add(value)
            elif kind == _SEGMENT_SET:
                site, pairs = parts
                for dimension, value in pairs:
                    self._values.setdefault((site, dimension), set()).add(value)
                self._add_segment_set(name_id, site, [(d, v) for d, v in pairs])
            else:
                measure, site, dimension, value = parts
                segment = self._segment(site, dimension, value)
                segment.series_ids[measure] = (name_id,)
                self.series[name_id] = (measure, site, dimension, value)

    def _admit(self, site: str, dimension: str, value: str) -> str:
        known = self._values.setdefault((site, dimension), set())
        if value in known:
            return value
        if len(known) >= self._own_max.get(dimension, self._values_max):
            return OTHER
        known.add(value)
        return value

    def _intern_segment_set(self, site: str, pairs: list[tuple[str, str]]) -> SegmentSet:
        found = self._segment_sets.get((("", site), *pairs))
        if found is not None:
            return found
        # Segments first: they must have their ids before what refers to them.
        for dimension, value in [("", ""), *pairs]:
            self._segment(site, dimension, value)
        segment_set_id = self._allocate([_SEGMENT_SET, site, pairs])
        return self._add_segment_set(segment_set_id, site, pairs)

    def _add_segment_set(
        self, segment_set_id: int, site: str, pairs: list[tuple[str, str]]
    ) -> SegmentSet:
        segments = (self._segment(site, "", ""), *(self._segment(site, d, v) for d, v in pairs))
        segment_set = SegmentSet(segment_set_id, site, segments)
        self._segment_sets[(("", site), *pairs)] = self._by_id[segment_set_id] = segment_set
        return segment_set

    def _segment(self, site: str, dimension: str, value: str) -> Segment:
        key = (site, dimension, value)
        found = self._segments.get(key)
        if found is None:
            segment_id = self._allocate([_SEGMENT, site, dimension, value])
            found = self._add_segment(segment_id, site, dimension, value)
        return found

    def _add_segment(self, segment_id: int, site: str, dimension: str, value: str) -> Segment:
        calendar = self._calendar_of(site)
        segment = Segment(segment_id, site, dimension, value, calendar, self._intern_series)
        self._segments[site, dimension, value] = self._segment_by_id[segment_id] = segment
        return segment

    def _intern_series(self, segment: Segment, measure: str) -> int:
        name = (measure, segment.site, segment.dimension, segment.value)
        series_id = self._allocate([_SERIES, *name])
        self.series[series_id] = name
        return series_id

    def _allocate(self, name: list[object]) -> int:
        name_id = self._next_id
        self._next_id += 1
        self.fresh[name_id] = json.dumps(name, ensure_ascii=False, separators=(",", ":")).encode()
        return name_id


def series_name(raw: bytes) -> tuple[str, tuple[str, str, str]] | None:
    """(measure, (site, dimension, value)) of a stored name; None when it is a profile's."""
    kind, *parts = json.loads(raw)
    if kind != _SERIES:
        return None
    measure, site, dimension, value = parts
    return measure, (site, dimension, value)
