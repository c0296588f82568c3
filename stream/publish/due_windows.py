"""Finds the windows to evaluate: those that changed, are current, or have ended."""

import heapq
from collections.abc import Collection, Iterable, Mapping

from schemas.outputs import WindowKind
from stream.counters.calendar import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.counters.windows import GRAIN_OF, LENGTH_OF, Span, ending, holding, span_at
from stream.publish.day_runs import DayRuns
from stream.publish.merged_counts import MergedCounts

#: (site, window)
SiteSpan = tuple[str, Span]
_DAYS_KEPT_MS = 62 * DAY_MS
#: Days of the longest month.
_MONTH_DAYS = 31
#: The watermark after the end of a log that is never continued: everything is final.
END_OF_INPUT = 1 << 60


class DueWindows:
    """Windows to evaluate, from changed buckets, the watermark and the newest event time of all shards.

    A window exists if accepted events lie in its day (for hours), in its hour (for minutes), or within the
    runs of its site's days. The current window of a stream exists too. Empty windows between events
    become zeros and nulls; a jump in time does not fill years (see `DayRuns`).
    """

    def __init__(
        self,
        merged: MergedCounts,
        waits: Mapping[WindowKind, set[int]],
        lags: Mapping[WindowKind, set[int]],
        bounded: bool = False,
    ) -> None:
        """`waits` and `lags`: maturity and look-back of each window kind's metrics, in days.

        `bounded`: the input has an end, as a file has; `all` is final once the watermark is beyond it.
        """
        self._merged = merged
        self._bounded = bounded
        self._waits, self._lags = waits, lags
        self._kinds_of = {
            grain: [kind for kind in waits if GRAIN_OF[kind] is grain] for grain in Grain
        }
        self._candidates: dict[SiteSpan, None] = {}
        #: Windows evaluated before.
        self._seen: set[SiteSpan] = set()
        #: Those that were not final, by their end.
        self._open: list[tuple[int, str, Span]] = []
        #: Windows without events that were current for the previous publisher.
        self._current_then: set[SiteSpan] = set()
        #: Site → runs of days with events; the days between are filled.
        self._runs: dict[str, DayRuns] = {}

    def note(self, buckets: Iterable[BucketKey], oldest_minute: int, oldest_hour: int) -> None:
        """Add every window that holds one of these changed buckets.

        Minutes and hours before the oldest ones were dropped and would look empty: their windows stay as
        they were published.
        """
        oldest = {Grain.MINUTE: oldest_minute, Grain.HOUR: oldest_hour}
        changed = [b for b in buckets if b[1] >= oldest.get(b[0], 0)]
        for site in list(self._merged.sites()):
            calendar = self._merged.calendar(site)
            for grain, index in changed:
                hours = self._kinds_of_hour(index, calendar) if grain is Grain.HOUR else self._waits
                if not hours:
                    continue  # An hour of a site whose zone is half an hour apart.
                for kind in hours:
                    for span in holding(kind, grain, index, calendar):
                        self._candidates[site, span] = None
                    for days in self._lags[kind] if grain is Grain.DAY else ():
                        self._candidates[site, ending(kind, index + days, calendar)] = None
                if self._merged.has_events(site, grain, index):
                    self._add_parts(site, grain, index, oldest)
            self._add_days(site, [index for grain, index in changed if grain is Grain.DAY])

    def note_current(self, time_ms: int) -> None:
        """Add the windows that are current at a time, usually that of the newest event."""
        for site in list(self._merged.sites()):
            calendar = self._merged.calendar(site)
            for kind in self._waits:
                self._candidates[site, span_at(kind, time_ms, calendar)] = None

    def unfinished_from_ms(self, watermark_ms: int) -> int:
        """Return the time before which all windows of days are finished at this watermark."""
        longest = max((days for waits in self._waits.values() for days in waits), default=0)
        return watermark_ms - (longest + _MONTH_DAYS) * DAY_MS

    def take_over(self, watermark_ms: int, newest_ms: int) -> None:
        """Go on for a previous publisher: add the windows that were unfinished or current then.

        All buckets are in the merged counts; those that changed since are noted after this.
        """
        since_ms = self.unfinished_from_ms(watermark_ms)
        for site in list(self._merged.sites()):
            days = self._merged.days_with_events(site)
            if not days:
                continue
            runs = self._runs[site] = DayRuns()
            runs.add(days)
            for day in runs.days_from(self._merged.calendar(site).day_of(since_ms)):
                self._add_day(site, day)
        if newest_ms:
            before = set(self._candidates)
            self.note_current(newest_ms)
            # A window without events is published only while it is current, as these were.
            self._current_then = self._candidates.keys() - before

    def take(self, watermark_ms: int | None) -> list[SiteSpan]:
        """Return the windows to evaluate now, in order; `is_to_wait` puts back those that must wait."""
        while self._open and watermark_ms is not None and self._open[0][0] <= watermark_ms:
            _, site, span = heapq.heappop(self._open)
            self._candidates[site, span] = None
        found, self._candidates = sorted(self._candidates), {}
        return found

    def is_to_wait(self, site: str, span: Span, newest_ms: int) -> bool:
        """Whether it is too early for a window; it is put back for the next time."""
        if self.begins_ms(site, span) > newest_ms:
            self._candidates[site, span] = None
            return True
        if span.grain is Grain.HOUR and not self._merged.has_all_hours(site, span.last):
            if (site, span) in self._seen:
                self._candidates[site, span] = None
            return True
        return False

    def begins_ms(self, site: str, span: Span) -> int:
        """Return the first instant of the newest part of a window; before that it is in the future."""
        calendar = self._merged.calendar(site)
        if span.kind in LENGTH_OF:
            return Span(span.kind, span.last, span.last).start_ms(calendar)
        return span.start_ms(calendar) if span.kind != "all" else 0

    def is_final(self, site: str, span: Span, watermark_ms: int | None, newest_ms: int) -> bool:
        """Whether a window has ended; it is evaluated again at its end, and when its metrics mature."""
        if span.kind == "all":
            if watermark_ms is None or watermark_ms == END_OF_INPUT:
                return watermark_ms is not None
            return self._bounded and watermark_ms > newest_ms
        end = span.end_ms(self._merged.calendar(site))
        if (site, span) not in self._seen:
            for days in self._waits[span.kind]:
                matures_ms = self._matures_ms(site, span, days)
                if watermark_ms is None or matures_ms > watermark_ms:
                    heapq.heappush(self._open, (matures_ms, site, span))
        self._seen.add((site, span))
        return watermark_ms is not None and end <= watermark_ms

    def mature_days(self, site: str, span: Span, watermark_ms: int | None) -> int:
        """Return the full days since the end of a window, as far as its metrics wait for them."""
        waits = self._waits[span.kind] - {0}
        if not waits or watermark_ms is None:
            return 0
        if watermark_ms == END_OF_INPUT:
            # The days of the log end with its events.
            return max(self._runs[site].last - span.last, 0) if site in self._runs else 0
        over = (days for days in waits if self._matures_ms(site, span, days) <= watermark_ms)
        return max(over, default=0)

    def exists(self, site: str, span: Span, newest_ms: int) -> bool:
        """Whether a window is published even if nothing was counted in it."""
        if span.kind == "all" or (site, span) in self._current_then:
            return True
        calendar = self._merged.calendar(site)
        if span.grain is Grain.DAY:
            at_end = self._bounded or newest_ms == END_OF_INPUT
            if not at_end and span == ending(span.kind, calendar.day_of(newest_ms), calendar):
                return True
            newest = span.last if span.kind in LENGTH_OF else span.first
            return site in self._runs and self._runs[site].touches(newest, span.last)
        day, hour = calendar.slot(span.last * MINUTE_MS)
        if span.grain is Grain.HOUR:
            return self._merged.has_events(site, Grain.DAY, day)
        return self._merged.has_events(site, Grain.HOUR, hour)

    def is_past(self, site: str, span: Span, time_ms: int) -> bool:
        """Whether no event after a time can change a window.

        Days are kept longer: a person's first day in a month counts on the first of the month.
        """
        kept_ms = _DAYS_KEPT_MS if span.grain is Grain.DAY else 0
        return span.end_ms(self._merged.calendar(site)) < time_ms - kept_ms

    def forget_before(self, time_ms: int) -> None:
        """Forget the windows that no event after this time can change."""
        self._seen = {seen for seen in self._seen if not self.is_past(*seen, time_ms)}

    def _kinds_of_hour(self, index: int, calendar: Calendar) -> list[WindowKind]:
        """Return the kinds of windows that may hold an hour bucket of a zone."""
        hours = self._kinds_of[Grain.HOUR]
        if calendar.hour_of(index * MINUTE_MS) == index:
            return hours
        rolls = calendar.rolling_hour_of(index * MINUTE_MS) == index
        return [kind for kind in hours if kind in LENGTH_OF] if rolls else []

    def _matures_ms(self, site: str, span: Span, days: int) -> int:
        """Return the end of a window plus `days`."""
        calendar = self._merged.calendar(site)
        return calendar.day_start_ms(span.last + 1 + days) if days else span.end_ms(calendar)

    def _add_parts(self, site: str, grain: Grain, index: int, oldest: Mapping[Grain, int]) -> None:
        """Add all hours of a day with events, or all minutes of an hour with events."""
        calendar = self._merged.calendar(site)
        if grain is Grain.DAY:
            end = calendar.day_start_ms(index + 1)
            for start in range(calendar.day_start_ms(index), end, HOUR_MS):
                if start // MINUTE_MS >= oldest[Grain.HOUR]:
                    for kind in self._kinds_of[Grain.HOUR]:
                        self._add(site, ending(kind, start // MINUTE_MS, calendar))
        elif grain is Grain.HOUR:
            for kind in self._kinds_of[Grain.MINUTE]:
                for minute in range(max(index, oldest[Grain.MINUTE]), index + 60):
                    self._add(site, ending(kind, minute, calendar))

    def _add_days(self, site: str, changed: Collection[int]) -> None:
        """Add the days between days with events, and for a level all days after one that changed."""
        if days := [day for day in changed if self._merged.has_events(site, Grain.DAY, day)]:
            # Only days that are new between: an evaluated and forgotten one stays forgotten.
            for day in self._runs.setdefault(site, DayRuns()).add(days):
                self._add_day(site, day)
        leveled = [day for day in changed if self._merged.has_levels(site, day)]
        if leveled and site in self._runs:
            for day in self._runs[site].days_from(min(leveled)):
                for kind in self._kinds_of[Grain.DAY]:
                    self._candidates[site, ending(kind, day, self._merged.calendar(site))] = None

    def _add_day(self, site: str, day: int) -> None:
        for kind in self._kinds_of[Grain.DAY]:
            self._add(site, ending(kind, day, self._merged.calendar(site)))

    def _add(self, site: str, span: Span) -> None:
        if (site, span) not in self._seen:
            self._candidates[site, span] = None
