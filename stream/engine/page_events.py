"""Applies the events that show pages and content: views, time, scroll depth, impressions and clicks."""

from collections.abc import Mapping
from typing import Any

from schemas.events.page_views import PageView
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import CUT_PAGES
from stream.counters.segments import SegmentSet
from stream.engine.event_rules import EventRule
from stream.engine.state import ShardState
from stream.sessions.page_path import PagePath
from stream.sessions.page_pings import PagePings
from stream.sessions.pages import Page
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, view_digest

_no_pages: Mapping[str, Page] = {}


def page_of(
    state: ShardState, event: Any, rule: EventRule, segment_set: SegmentSet, time_ms: int
) -> int:
    """Return the page of a page view or heartbeat, 0 without a URL; count a view, session or not."""
    url = event.page_url
    if url is None:
        return 0
    pages = state.pages
    page = pages.lookup.get(event.site, _no_pages).get(url)
    if page is None:
        page = pages.of(event.site, url)
    if rule.page_view:
        pages.view(page, time_ms // MINUTE_MS)
        if page.is_cut:
            state.contributions.at(CUT_PAGES, segment_set, time_ms, 1)
    return page.id


def count_content(state: ShardState, event: Any, rule: EventRule, minute: int) -> None:
    """Count an impression of content, or a click on it."""
    state.pages.content(event.site, event.content_id, rule.click, minute)


def add_page(
    state: ShardState, session: Session, event: Any, rule: EventRule, page: int, time_ms: int
) -> None:
    """Add a page view, or the time and scroll depth of a heartbeat, to a session."""
    page_path = session.page_path
    if page_path is None:
        page_path = session.page_path = PagePath()
    rules = state.sessions.rules
    if rules.keep_page_pings:
        _add_page_ping(session, page_path, event, page, time_ms, rules)
    if rule.page_view:
        session.page_views += 1
        page_path.view(page, time_ms, state.topic_rank)
        if rules.keep_path:
            page_path.step(page, time_ms, state.topic_rank)
        return
    engaged_ms = event.engaged_ms
    if engaged_ms is None:
        engaged_ms = rules.heartbeat_ms
    if engaged_ms > rules.timeout_ms:
        # A laptop that slept, not a person who looked.
        engaged_ms = rules.timeout_ms
    if rules.mode_is_pings:
        engaged_ms = 0
    page_path.look(page, engaged_ms, event.scroll_depth)


def _add_page_ping(
    session: Session, page_path: PagePath, event: Any, page: int, time_ms: int, rules: SessionRules
) -> None:
    """Add a page view or heartbeat under its page view id.

    Without such an id a page view stands under its event id, and a heartbeat under its URL.
    """
    page_pings = page_path.page_pings
    if page_pings is None:
        page_pings = page_path.page_pings = PagePings()
    is_view = event.__class__ is PageView
    substitute = event.event_id if is_view else event.page_url
    view = view_digest(event.page_view_id, substitute)
    if rules.count_is_page_view_ids:
        page_pings.views.add(view)
        session.real = True
    if is_view:
        return
    if rules.mode_is_pings:
        page_pings.beats.add((view, page, time_ms))
    if rules.scroll_basis_is_page_view and event.scroll_depth is not None:
        page_pings.scroll(view, page, round(event.scroll_depth * 100))
