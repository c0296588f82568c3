"""Registry of a shard's names: sites, segments, segment sets and series, each with a small integer id."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from schemas.envelope import Context
from stream.counters.calendar import Calendar
from stream.counters.sites import NO_LIMIT, OTHER, Sites
from stream.counters.values import Values

#: Joins the values of combined dimensions; no single value may contain it.
JOINT = "\x1f"
_SEGMENT_SET, _SEGMENT, _SERIES = "p", "g", "s"
#: Contexts looked up: as many as the codec shares between events.
_CACHE_MAX = 20_000


class Segment:
    """Part of a site that is counted separately: (site, dimension, value); the whole site has no dimension."""

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
        """Return the one series of a measure for this segment, as a tuple."""
        found = self.series_ids.get(measure)
        if found is None:
            found = self.series_ids[measure] = (self._intern(self, measure),)
        return found


class SegmentSet:
    """Segments in which one event counts: its whole site, and one for each dimension it carries."""

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
        #: Sort key of the set that is equal in every shard, unlike the id.
        self.order = tuple((segment.dimension, segment.value) for segment in segments[1:])
        self.series_ids: dict[str, tuple[int, ...]] = {}
        self._parts: dict[tuple[int, ...], SegmentSet] = {}
        #: Rule that replaces the rule of each event's type, for excluded traffic; None: no
        #: exclusion.
        self.rule: Any = None

    def excluded_by(self, rule: object) -> "SegmentSet":
        """Return the same set with the rule of excluded traffic."""
        excluded = SegmentSet(self.id, self.site, self.segments)
        excluded.rule = rule
        return excluded

    def part(self, segments: Sequence[Segment]) -> "SegmentSet":
        """Return the set of only these segments."""
        if len(segments) == len(self.segments):
            return self
        ids = tuple([segment.id for segment in segments])
        found = self._parts.get(ids)
        if found is None:
            found = self._parts[ids] = SegmentSet(self.id, self.site, tuple(segments))
        return found

    def series(self, measure: str) -> tuple[int, ...]:
        """Return the series of a measure for each segment."""
        found = self.series_ids.get(measure)
        if found is None:
            ids = tuple(segment.series(measure)[0] for segment in self.segments)
            found = self.series_ids[measure] = ids
        return found


#: Target of an increment: all segments of a set, or one segment.
Group = SegmentSet | Segment


def by_segment(segment_sets: dict[SegmentSet, int]) -> dict[Segment, int]:
    """Turn counts by segment set into counts by segment, of which there are far fewer."""
    segments: dict[Segment, int] = {}
    for segment_set, count in segment_sets.items():
        for segment in segment_set.segments:
            segments[segment] = segments.get(segment, 0) + count
    return segments


class SegmentRegistry:
    """All names of a shard. New ones stay in `fresh` until the next checkpoint stores them."""

    def __init__(
        self,
        dimensions: Sequence[str],
        values_max: int,
        calendar_of: Callable[[str], Calendar],
        excluded: Callable[[Mapping[str, str]], object | None] | None = None,
        own_max: Mapping[str, int] | None = None,
        sites: Sites | None = None,
        segments_max: int = NO_LIMIT,
        segment_sets_max: int = NO_LIMIT,
        fixed: Collection[str] = (),
    ) -> None:
        """`excluded` returns the rule of a context whose traffic is excluded, else None.

        `values_max`, `own_max`, `segments_max` and `fixed` are those of `Values`.
        """
        self.sites = Sites() if sites is None else sites
        self.values = Values(values_max, own_max or {}, segments_max, fixed)
        self._segment_sets_max = segment_sets_max
        self._rule_of = excluded
        self.dimensions = tuple(dimensions)
        self.fresh: dict[int, bytes] = {}
        self.series: dict[int, tuple[str, str, str, str]] = {}
        self._calendar_of = calendar_of
        self._segment_sets: dict[tuple[tuple[str, str], ...] | str, SegmentSet] = {}
        self._by_id: dict[int, SegmentSet] = {}
        #: Site → context → segment set: the lookup of every event.
        self.lookup: dict[str, dict[Context | None, SegmentSet]] = {}
        self._looked_up = 0
        self._segments: dict[tuple[str, str, str], Segment] = {}
        self._segment_by_id: dict[int, Segment] = {}
        self._next_id = 1

    def admit_site(self, site: str) -> bool:
        """Return whether the events of a site count under its own name.

        A new site is stored at once, so that every later reader of the log knows the same sites.
        """
        if not self.sites.admit(site):
            return False
        self._segment(site, "", "")
        return True

    def segment_set(self, site: str, context: Context | None) -> SegmentSet:
        """Return the segment set of an event with this context."""
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
        """Return the segment set of a context, without caching it for the next event."""
        pairs = [
            (dimension, self.values.admit(site, dimension, value))
            for dimension in self.dimensions
            if (value := context.get(dimension))
        ]
        return self._intern_segment_set(site, pairs)

    def cap_fills(self) -> Iterator[tuple[str, float]]:
        """Yield each setting that caps the names of a shard, with the used share of it."""
        yield "limits.sites_max", self.sites.fill
        yield "limits.segments_max", self.values.fill
        yield "limits.segment_sets_max", len(self._segment_sets) / self._segment_sets_max

    def own_segment(self, site: str, dimension: str, value: str) -> Segment:
        """Return the segment of a value outside the context, such as a page or a feature."""
        return self._segment(site, dimension, self.values.admit(site, dimension, value))

    def named_segment(self, site: str, dimension: str, value: str) -> Segment:
        """Return the segment of a value that another registry has admitted."""
        return self._segment(site, dimension, value)

    def by_id(self, segment_set_id: int) -> SegmentSet:
        """Return a segment set that stored state refers to. Raises KeyError for an unknown id."""
        return self._by_id[segment_set_id]

    def segment(self, segment_id: int) -> Segment:
        """Return a segment that stored state refers to. Raises KeyError for an unknown id."""
        return self._segment_by_id[segment_id]

    def take_changes(self) -> dict[int, bytes]:
        """Give up the names added since the last call: id → JSON."""
        fresh, self.fresh = self.fresh, {}
        return fresh

    def load(self, stored: Iterable[tuple[int, bytes]]) -> None:
        """Restore the names of earlier checkpoints: (id, JSON) pairs."""
        for name_id, raw in sorted(stored):
            kind, *parts = json.loads(raw)
            self._next_id = max(self._next_id, name_id + 1)
            if kind == _SEGMENT:
                self._add_segment(name_id, *parts)
                site, dimension, value = parts
                if not dimension:
                    self.sites.load(site)
                elif value != OTHER:
                    self.values.load(site, dimension, value)
            elif kind == _SEGMENT_SET:
                site, pairs = parts
                for dimension, value in pairs:
                    self.values.load(site, dimension, value)
                self._add_segment_set(name_id, site, [(d, v) for d, v in pairs])
            else:
                measure, site, dimension, value = parts
                segment = self._segment(site, dimension, value)
                segment.series_ids[measure] = (name_id,)
                self.series[name_id] = (measure, site, dimension, value)

    def _intern_segment_set(self, site: str, pairs: list[tuple[str, str]]) -> SegmentSet:
        found = self._segment_sets.get((("", site), *pairs))
        if found is not None:
            return found
        # Segments first: they need their ids before the set that refers to them.
        for dimension, value in [("", ""), *pairs]:
            self._segment(site, dimension, value)
        is_full = len(self._segment_sets) >= self._segment_sets_max
        if is_full and any(value != OTHER for _, value in pairs):
            # One set for all new combinations of these dimensions: there are few of those.
            return self._intern_segment_set(site, [(dimension, OTHER) for dimension, _ in pairs])
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
    """Return (measure, (site, dimension, value)) of a stored name; None unless it names a series."""
    if not raw.startswith(_SERIES_BEGINS):
        return None
    _, measure, site, dimension, value = _decode_series(raw)
    return measure, (site, dimension, value)


_SERIES_BEGINS = b'["s",'
#: Workers read tens of thousands of names at once.
_decode_series = msgspec.json.Decoder(tuple[str, str, str, str, str]).decode
