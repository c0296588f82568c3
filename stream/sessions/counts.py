"""Counts of a session: added when it closes, subtracted when a later event changes it."""

from collections.abc import Mapping

from stream.counters import measures
from stream.counters.calendar import MINUTE_MS
from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.segments import Group, Segment, SegmentRegistry, SegmentSet
from stream.counters.table import Counters
from stream.sessions.page_path import PagePath
from stream.sessions.pages import Pages
from stream.sessions.rules import SessionRules
from stream.sessions.session import CARTED, CONVERTED, ORDERED, Session, goals_in

#: Measure → count
_Counts = dict[str, int]


class SessionCounts:
    """Sums of the sessions closed or reopened since the last checkpoint, combined by minute and segments."""

    def __init__(
        self, rules: SessionRules, registry: SegmentRegistry, pages: Pages, counters: Counters
    ) -> None:
        self._rules = rules
        self._registry = registry
        self._pages = pages
        self._counters = counters
        self._collected: dict[tuple[int, Group], _Counts] = {}

    def add(self, session: Session, sign: int) -> None:
        """Count a closed session, or subtract it, at the minute in which it counts."""
        if not session.real:
            return
        minute = self.minute_of(session)
        segment_set = self._registry.by_id(session.segment_set_id)
        counts = self._of(minute, segment_set)
        _more(counts, measures.SESSIONS, sign)
        self._add_duration(session, counts, sign)
        if session.marks & CARTED:
            _more(counts, measures.CARTED_SESSIONS, sign)
            if not session.marks & ORDERED:
                _more(counts, measures.ABANDONED_SESSIONS, sign)
        if session.marks & CONVERTED:
            _more(counts, measures.CONVERTED_SESSIONS, sign)
            if goals := goals_in(session.marks):
                _more(counts, measures.SESSION_GOALS, sign * goals)
        views = session.page_views
        if self._rules.count_is_page_view_ids:
            views = session.views()
        if views:
            pages = views if self._rules.count_pages is None else self._rules.count_pages(session)
            _more(counts, measures.SESSION_PAGE_VIEWS, sign * pages)
            _more(counts, measures.VIEWED_SESSIONS, sign)
            if self._rules.bounced(session):
                _more(counts, measures.BOUNCED_SESSIONS, sign)
            if self._rules.engaged(session):
                _more(counts, measures.ENGAGED_SESSIONS, sign)
        if session.page_path is not None:
            self._add_page_path(session, session.page_path, segment_set, counts, sign)

    def add_first(self, segment_set: SegmentSet, minute: int, sign: int) -> None:
        """Count the first session of a person, or subtract it, at a minute."""
        _more(self._of(minute, segment_set), measures.FIRST_SESSIONS, sign)

    def minute_of(self, session: Session) -> int:
        """Return the minute in which a session counts."""
        return (session.end if self._rules.assign_is_end else session.start) // MINUTE_MS

    def _add_duration(self, session: Session, counts: _Counts, sign: int) -> None:
        rules = self._rules
        duration = session.end - session.start
        if rules.is_measured:
            duration = measured_ms(session, rules)
            if rules.settings.duration.zero_sessions == "exclude":
                if not duration:
                    return
                _more(counts, measures.TIMED_SESSIONS, sign)
        _more(counts, measures.SESSION_DURATION_MS, sign * duration)
        bucket = histogram_measure(measures.SESSION_DURATION, duration_bucket(duration))
        _more(counts, bucket, sign)

    def flush(self) -> None:
        """Add the sums to the counters, by segment."""
        sums: dict[tuple[int, Segment], _Counts] = {}
        for (minute, group), counts in self._collected.items():
            segments = group.segments if isinstance(group, SegmentSet) else (group,)
            for segment in segments:
                target = sums.setdefault((minute, segment), {})
                for measure, count in counts.items():
                    _more(target, measure, count)
        for (minute, segment), counts in sums.items():
            for measure, count in counts.items():
                if count:
                    self._counters.add(measure, segment, minute, count)
        self._collected.clear()

    def _of(self, minute: int, group: Group) -> _Counts:
        counts = self._collected.get((minute, group))
        if counts is None:
            counts = self._collected[minute, group] = {}
        return counts

    def _add_page_path(
        self,
        session: Session,
        page_path: PagePath,
        segment_set: SegmentSet,
        counts: _Counts,
        sign: int,
    ) -> None:
        minute, site = self.minute_of(session), segment_set.site
        engaged = engaged_of(page_path, self._rules) if page_path.looks else _NONE
        if page_path.entry_ms >= 0:
            targets = [counts]
            if page_path.entry_page:
                entry = self._of(minute, self._pages.segment(site, page_path.entry_page))
                targets.append(entry)
                _more(entry, measures.LANDINGS, sign)
                if self._rules.bounced(session):
                    _more(entry, measures.LANDING_BOUNCES, sign)
            landing_ms = page_path.landing_ms(self._rules.timeout_ms, engaged)
            if landing_ms is not None:
                for target in targets:
                    _more(target, measures.LANDINGS_TIMED, sign)
                    _more(target, measures.LANDING_MS, sign * landing_ms)
            self._add_exit(page_path, site, minute, sign)
        if page_path.looks:
            self._add_looks(page_path, engaged, site, minute, counts, sign)
        if self._rules.mode_is_next_pageview:
            self._add_pauses(session, page_path, site, counts, sign)

    def _add_exit(self, page_path: PagePath, site: str, minute: int, sign: int) -> None:
        """Count an exit at its view, like page views; by sessions, count it and the viewed pages at the start."""
        if self._rules.exit_denominator_is_sessions:
            for page in {page for _, page, _ in page_path.path if page}:
                seen = self._of(minute, self._pages.segment(site, page))
                _more(seen, measures.SESSIONS_WITH_PAGE, sign)
        else:
            minute = page_path.exit_ms // MINUTE_MS
        if page_path.exit_page:
            exits = self._of(minute, self._pages.segment(site, page_path.exit_page))
            _more(exits, measures.EXITS, sign)

    def _add_looks(
        self,
        page_path: PagePath,
        engaged: Mapping[int, int],
        site: str,
        minute: int,
        counts: _Counts,
        sign: int,
    ) -> None:
        """Count engaged time and scroll depth, for each pair of session and page."""
        between, by_view = self._rules.mode_is_next_pageview, self._rules.scroll_basis_is_page_view
        for page, (_, depth) in page_path.looks.items():
            engaged_ms = engaged.get(page, 0)
            for target in (counts, self._of(minute, self._pages.segment(site, page))):
                if engaged_ms and not between:
                    _more(target, measures.PAGES_TIMED, sign)
                    _more(target, measures.ON_PAGE_MS, sign * engaged_ms)
                if depth >= 0 and not by_view:
                    self._add_depth(target, depth, sign)
        if by_view and page_path.page_pings is not None:
            for (_, page), depth in page_path.page_pings.depths.items():
                for target in (counts, self._of(minute, self._pages.segment(site, page))):
                    self._add_depth(target, depth, sign)

    def _add_depth(self, target: _Counts, depth: int, sign: int) -> None:
        """Count a scroll depth, in hundredths of a percent."""
        _more(target, measures.PAGES_SCROLLED, sign)
        _more(target, measures.SCROLL_DEPTH, sign * depth)
        for percent, reached in self._rules.scroll_thresholds:
            if depth >= percent * 100:
                _more(target, reached, sign)

    def _add_pauses(
        self, session: Session, page_path: PagePath, site: str, counts: _Counts, sign: int
    ) -> None:
        """Count the time until the next page view as time on page, instead of engaged time."""
        minute, most_ms = self.minute_of(session), self._rules.timeout_ms
        spent: dict[int, int] = {}
        pauses = list(page_path.pauses(most_ms))
        if page_path.path and self._rules.last_page != "exclude":
            time_ms, last_page, _ = page_path.views()[-1]
            pause = min(session.end - time_ms, most_ms)
            pauses.append((last_page, pause if self._rules.last_page == "until_last_event" else 0))
        for page, pause in pauses:
            if page:
                spent[page] = spent.get(page, 0) + pause
        for page, pause in spent.items():
            for target in (counts, self._of(minute, self._pages.segment(site, page))):
                _more(target, measures.PAGES_TIMED, sign)
                _more(target, measures.ON_PAGE_MS, sign * pause)


#: Engaged time without heartbeats.
_NONE: Mapping[int, int] = {}


def engaged_of(page_path: PagePath, rules: SessionRules) -> Mapping[int, int]:
    """Return the engaged time of each page in ms, by the settings."""
    if not rules.mode_is_pings:
        return page_path.engaged()
    page_pings = page_path.page_pings
    if page_pings is None:
        return {}
    return page_pings.engaged_ms(rules.heartbeat_ms, rules.min_visit_ms, rules.timeout_ms)


def measured_ms(session: Session, rules: SessionRules) -> int:
    """Return the duration of a session by `[duration]`, if it differs from last event minus first event."""
    page_path, settings = session.page_path, rules.settings.duration
    if settings.basis == "engaged":
        duration = 0 if page_path is None else sum(engaged_of(page_path, rules).values())
    else:
        start, end = session.start, session.end
        if rules.keep_real_span:
            start, end = session.real_start, session.real_end
        if settings.whole_seconds:
            start, end = start // 1000 * 1000, end // 1000 * 1000
        duration = end - start
        first_ms = (
            None
            if page_path is None or page_path.page_pings is None
            else page_path.page_pings.first_ms()
        )
        if (
            first_ms is not None
            and page_path is not None
            and not rules.keep_real_span
            and not 0 <= page_path.entry_ms <= first_ms
        ):
            # The page was open before its first heartbeat.
            duration += rules.min_visit_ms
    return min(duration, settings.cap_seconds * 1000) if settings.cap_seconds else duration


def _more(counts: _Counts, measure: str, count: int) -> None:
    counts[measure] = counts.get(measure, 0) + count
