"""Which metric records are due: windows that are new, changed, or have become final."""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from schemas.outputs import MetricRecord, WindowKind
from stream.board import Board, SegmentKey, Value
from stream.calendar import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from stream.counters import BucketKey
from stream.measures import Grain
from stream.metrics.metric import Metric
from stream.windows import GRAIN_OF, LENGTH_OF, Span, ending, holding
from stream.windows import before as preceding

#: (site, window)
SiteSpan = tuple[str, Span]
#: first: of a number that had none; first_final: that was final at once; revised: changed while its
#: window was open; finalized: of a window that has ended; corrected: changed after that.
RecordOutcome = Literal["first", "first_final", "revised", "finalized", "corrected"]
_DAYS_KEPT_MS = 62 * DAY_MS
#: The watermark at the end of a file: everything is final.
END_OF_INPUT = 1 << 60


class Emission:
    """Decides record by record; told the watermark and the newest event time of all shards.

    A window of a site exists when its day (for hours), its hour (for minutes) or the range of its
    days holds accepted events, or when it is the current one. So empty windows between events come
    out as zeros and nulls, but a jump in time does not make years of them. A window that does not
    exist is published only if it counts something, as rolling windows do after the last event.
    """

    def __init__(
        self, board: Board, metrics: Sequence[Metric], kinds: Collection[WindowKind] | None = None
    ) -> None:
        self._board = board
        self._by_kind: dict[WindowKind, list[Metric]] = {}
        for metric in metrics:
            for kind in metric.windows:
                if kinds is None or kind in kinds:
                    self._by_kind.setdefault(kind, []).append(metric)
        self._covered: dict[tuple[WindowKind, str], list[Metric]] = {}
        self._day_kinds = [kind for kind in self._by_kind if GRAIN_OF[kind] is Grain.DAY]
        self._hour_kinds = [kind for kind in self._by_kind if GRAIN_OF[kind] is Grain.HOUR]
        self._minute_kinds = [kind for kind in self._by_kind if GRAIN_OF[kind] is Grain.MINUTE]
        #: How many records there were: see RecordOutcome.
        self.outcomes: Counter[RecordOutcome] = Counter()
        self._published: dict[SiteSpan, dict[tuple[str, SegmentKey], tuple[Value, bool]]] = {}
        self._candidates: dict[SiteSpan, None] = {}
        #: For each kind, how many days its metrics mature.
        self._waits: dict[WindowKind, set[int]] = {
            kind: {metric.matures_days for metric in own} for kind, own in self._by_kind.items()
        }
        #: For each kind, how many days its metrics look back beyond the window.
        self._lags: dict[WindowKind, set[int]] = {
            kind: {metric.looks_back_days for metric in own} - {0}
            for kind, own in self._by_kind.items()
        }
        #: Windows looked at before.
        self._seen: set[SiteSpan] = set()
        #: The segments that had something in them.
        self._seen_segments: dict[SiteSpan, set[SegmentKey]] = {}
        #: Those of the windows that were not final, by their end.
        self._open: list[tuple[int, str, Span]] = []
        #: Site → first and last day with events, as far as the days between are filled in.
        self._filled: dict[str, tuple[int, int]] = {}

    def note(
        self, buckets: Iterable[BucketKey], oldest_minute: int = 0, oldest_hour: int = 0
    ) -> None:
        """These buckets have changed: look at every window that holds them.

        Minutes and hours before the oldest ones are not kept any more, and would look empty: their
        windows are left as they were published.
        """
        oldest = {Grain.MINUTE: oldest_minute, Grain.HOUR: oldest_hour}
        changed = [b for b in buckets if b[1] >= oldest.get(b[0], 0)]
        for site in list(self._board.sites()):
            calendar = self._board.calendar(site)
            for grain, index in changed:
                if grain is Grain.HOUR and calendar.hour_of(index * MINUTE_MS) != index:
                    continue  # Hours of a site whose zone is half an hour apart.
                for kind in self._by_kind:
                    for span in holding(kind, grain, index, calendar):
                        self._candidates[site, span] = None
                    for days in self._lags[kind] if grain is Grain.DAY else ():
                        self._candidates[site, ending(kind, index + days, calendar)] = None
                if self._board.has_events(site, grain, index):
                    self._note_inside(site, grain, index, oldest)
            self._note_days(site, [index for grain, index in changed if grain is Grain.DAY])

    def note_current(self, newest_ms: int) -> None:
        """Look at the windows under way at the newest event time."""
        for site in list(self._board.sites()):
            calendar = self._board.calendar(site)
            day, hour = calendar.slot(newest_ms)
            index_of = {Grain.MINUTE: newest_ms // MINUTE_MS, Grain.HOUR: hour, Grain.DAY: day}
            for kind in self._by_kind:
                index = index_of.get(GRAIN_OF[kind], 0)
                self._candidates[site, ending(kind, index, calendar)] = None

    def due(
        self, watermark_ms: int | None, newest_ms: int, revision: int
    ) -> Iterator[list[MetricRecord]]:
        """The records that differ from what was published last; final ones once more as final.

        A list a window, so that a caller with other duties can stop in between.
        """
        while self._open and watermark_ms is not None and self._open[0][0] <= watermark_ms:
            _, site, span = heapq.heappop(self._open)
            self._candidates[site, span] = None
        candidates, self._candidates = sorted(self._candidates), {}
        for site, span in candidates:
            calendar = self._board.calendar(site)
            if _begins_ms(span, calendar) > newest_ms:
                self._candidates[site, span] = None  # Still to come.
                continue
            if span.grain is Grain.HOUR and not self._board.has_all_hours(site, span.last):
                if (site, span) in self._seen:
                    self._candidates[site, span] = None
                continue
            is_final = self._is_final(site, span, watermark_ms)
            mature = self._mature_days(site, span, watermark_ms)
            exists = self._exists(site, span, newest_ms)
            known = watermark_ms is not None and watermark_ms != END_OF_INPUT
            watermark = calendar.rfc3339(watermark_ms or 0) if known else None
            window = span.window(calendar)
            yield [
                self._board.record(
                    metric, segment, span, value, window=window,
                    revision=revision, is_final=is_final, watermark=watermark,
                )
                for metric, segment, value in self._changed(site, span, exists, is_final, mature)
            ]  # fmt: skip

    def forget_before(self, time_ms: int) -> None:
        """Forget what was published for windows that no event after this time can change any more.

        A person's first day in a month is counted on the first of the month: days are kept longer.
        """

        def is_past(site: str, span: Span) -> bool:
            kept_ms = _DAYS_KEPT_MS if span.grain is Grain.DAY else 0
            return span.end_ms(self._board.calendar(site)) < time_ms - kept_ms

        self._published = {k: v for k, v in self._published.items() if not is_past(*k)}
        self._seen = {seen for seen in self._seen if not is_past(*seen)}
        self._seen_segments = {
            seen: found for seen, found in self._seen_segments.items() if not is_past(*seen)
        }

    def _segments(self, site: str, span: Span) -> list[SegmentKey]:
        """The whole site, and each segment that counts something in the window or has done so."""
        before = self._seen_segments.setdefault((site, span), set())
        before |= self._board.segments_in(site, span)
        if span.kind in LENGTH_OF:
            # One zero closes a series of rolling windows, also of a segment.
            before |= self._seen_segments.get((site, preceding(span)), set())
        return [(site, "", ""), *sorted(before)]

    def _changed(
        self, site: str, span: Span, exists: bool, is_final: bool, mature: int
    ) -> Iterator[tuple[Metric, SegmentKey, Value]]:
        published = self._published.setdefault((site, span), {})
        for segment in self._segments(site, span):
            for metric in self._covering(span.kind, segment[1]):
                if metric.matures_days > mature:
                    continue
                value = self._board.evaluate(metric, segment, span)
                before = published.get((metric.name, segment))
                if before is None and not self._is_wanted(metric, segment, span, value, exists):
                    continue
                if before != (value, is_final):
                    published[metric.name, segment] = value, is_final
                    self.outcomes[_outcome(before, value, is_final)] += 1
                    yield metric, segment, value

    def _covering(self, kind: WindowKind, dimension: str) -> list[Metric]:
        """The metrics that a kind of window has for segments of a dimension."""
        found = self._covered.get((kind, dimension))
        if found is None:
            found = [metric for metric in self._by_kind[kind] if metric.covers(dimension)]
            self._covered[kind, dimension] = found
        return found

    def _is_wanted(
        self, metric: Metric, segment: SegmentKey, span: Span, value: Value, exists: bool
    ) -> bool:
        """Whether a window is worth a first record."""
        if value.is_empty:
            whole_site = not segment[1]
            return (exists and whole_site) or self._just_emptied(metric, segment, span)
        # A level has a value on every day that ever comes; it is published while there are events.
        return exists or not metric.level

    def _is_final(self, site: str, span: Span, watermark_ms: int | None) -> bool:
        if span.kind == "all":
            return watermark_ms == END_OF_INPUT
        end = span.end_ms(self._board.calendar(site))
        is_final = watermark_ms is not None and end <= watermark_ms
        if (site, span) not in self._seen:
            for days in self._waits[span.kind]:
                ripe = self._ripe_ms(site, span, days)
                if watermark_ms is None or ripe > watermark_ms:
                    heapq.heappush(self._open, (ripe, site, span))
        self._seen.add((site, span))
        return is_final

    def _mature_days(self, site: str, span: Span, watermark_ms: int | None) -> int:
        """How many days since the end of a window are over; the days of a file end with its events."""
        waits = self._waits[span.kind] - {0}
        if not waits or watermark_ms is None:
            return 0
        if watermark_ms == END_OF_INPUT:
            return max(self._filled.get(site, (0, 0))[1] - span.last, 0)
        over = (days for days in waits if self._ripe_ms(site, span, days) <= watermark_ms)
        return max(over, default=0)

    def _ripe_ms(self, site: str, span: Span, days: int) -> int:
        """The end of a window, or of so many days after it."""
        calendar = self._board.calendar(site)
        return calendar.day_start_ms(span.last + 1 + days) if days else span.end_ms(calendar)

    def _exists(self, site: str, span: Span, newest_ms: int) -> bool:
        if span.kind == "all":
            return True
        calendar = self._board.calendar(site)
        if span.grain is Grain.DAY:
            at_end = newest_ms == END_OF_INPUT
            if not at_end and span == ending(span.kind, calendar.day_of(newest_ms), calendar):
                return True
            first, last = self._filled.get(site, (1, 0))
            newest = span.last if span.kind in LENGTH_OF else span.first
            return first <= span.last and newest <= last
        day, hour = calendar.slot(span.last * MINUTE_MS)
        if span.grain is Grain.HOUR:
            return self._board.has_events(site, Grain.DAY, day)
        return self._board.has_events(site, Grain.HOUR, hour)

    def _just_emptied(self, metric: Metric, segment: SegmentKey, span: Span) -> bool:
        """The window before it was not empty: one zero closes a series of rolling windows."""
        if span.kind not in LENGTH_OF:
            return False
        published = self._published.get((segment[0], preceding(span)), {})
        before = published.get((metric.name, segment))
        return before is not None and not before[0].is_empty

    def _note_inside(
        self, site: str, grain: Grain, index: int, oldest: Mapping[Grain, int]
    ) -> None:
        """A day with events has all its hours, an hour with events all its minutes."""
        calendar = self._board.calendar(site)
        if grain is Grain.DAY:
            end = calendar.day_start_ms(index + 1)
            for start in range(calendar.day_start_ms(index), end, HOUR_MS):
                if start // MINUTE_MS >= oldest[Grain.HOUR]:
                    for kind in self._hour_kinds:
                        self._look_at(site, ending(kind, start // MINUTE_MS, calendar))
        elif grain is Grain.HOUR:
            for kind in self._minute_kinds:
                for minute in range(max(index, oldest[Grain.MINUTE]), index + 60):
                    self._look_at(site, ending(kind, minute, calendar))

    def _note_days(self, site: str, changed: list[int]) -> None:
        """The days between days with events, and for a level all days after one that changed."""
        board, calendar = self._board, self._board.calendar(site)
        days = [day for day in changed if board.has_events(site, Grain.DAY, day)]
        if days:
            first, last = self._filled.get(site, (days[0], days[0] - 1))
            self._filled[site] = (min(first, *days), max(last, *days))
            for day in range(*self._filled[site]):
                for kind in self._day_kinds:
                    self._look_at(site, ending(kind, day, calendar))
        leveled = [day for day in changed if board.has_levels(site, day)]
        if leveled and site in self._filled:
            for day in range(min(leveled), self._filled[site][1] + 1):
                for kind in self._day_kinds:
                    self._candidates[site, ending(kind, day, calendar)] = None

    def _look_at(self, site: str, span: Span) -> None:
        if (site, span) not in self._seen:
            self._candidates[site, span] = None


def _outcome(before: tuple[Value, bool] | None, value: Value, is_final: bool) -> RecordOutcome:
    if before is None:
        return "first_final" if is_final else "first"
    if before[1]:
        return "corrected" if value != before[0] else "revised"
    return "finalized" if is_final else "revised"


def _begins_ms(span: Span, calendar: Calendar) -> int:
    """First instant of the newest part of a window: before that it is still to come."""
    if span.kind in LENGTH_OF:
        return Span(span.kind, span.last, span.last).start_ms(calendar)
    return span.start_ms(calendar) if span.kind != "all" else 0
