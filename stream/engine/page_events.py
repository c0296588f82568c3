"""What an event shows of pages and content: views, time, scroll depth, clicks; once an event, as the fold."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schemas.events.page_views import PageView
from stream.counters.calendar import MINUTE_MS
from stream.engine.event_rules import EventRule
from stream.sessions.page_path import PagePath
from stream.sessions.page_pings import PagePings
from stream.sessions.pages import Page
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, sid_digest

if TYPE_CHECKING:
    from stream.engine.shard import Shard

_no_pages: Mapping[str, Page] = {}


def page_of(shard: "Shard", event: Any, rule: EventRule, time_ms: int) -> int:
    """The page of a page view or heartbeat, 0 for none; a view is counted there, in a session or not."""
    url = event.page_url
    if url is None:
        return 0
    pages = shard.pages
    page = pages.lookup.get(event.site, _no_pages).get(url)
    if page is None:
        page = pages.of(event.site, url)
    if rule.page_view:
        pages.view(page, time_ms // MINUTE_MS)
    return page.id


def count_content(shard: "Shard", event: Any, rule: EventRule, minute: int) -> None:
    """Count an impression of some content, or a click on it, for that content."""
    shard.pages.content(event.site, event.content_id, rule.click, minute)


def see(
    shard: "Shard", session: Session, event: Any, rule: EventRule, page: int, time_ms: int
) -> None:
    """Note the page view, or the time and the scroll depth of a heartbeat."""
    page_path = session.page_path
    if page_path is None:
        page_path = session.page_path = PagePath()
    rules = shard.sessions.rules
    if rules.keep_page_pings:
        _note_page_ping(session, page_path, event, page, time_ms, rules)
    if rule.page_view:
        session.page_views += 1
        page_path.view(page, time_ms, shard.pages.order)
        if rules.keep_path:
            page_path.path.append((time_ms, page))
        return
    engaged_ms = event.engaged_ms
    if engaged_ms is None:
        engaged_ms = rules.heartbeat_ms
    if rules.mode_is_pings:
        engaged_ms = 0
    page_path.look(page, engaged_ms, event.scroll_depth)


def _note_page_ping(
    session: Session, page_path: PagePath, event: Any, page: int, time_ms: int, rules: SessionRules
) -> None:
    """Note a page view or a heartbeat by the id of its page view; without one, by what it has."""
    page_pings = page_path.page_pings
    if page_pings is None:
        page_pings = page_path.page_pings = PagePings()
    is_view = event.__class__ is PageView
    without = event.event_id if is_view else event.page_url
    view = sid_digest(event.page_view_id or f"\x1f{without}")
    if rules.count_is_page_view_ids:
        page_pings.views.add(view)
        session.real = True
    if is_view:
        return
    if rules.mode_is_pings:
        page_pings.beats.add((view, page, time_ms))
    if rules.scroll_basis_is_page_view and event.scroll_depth is not None:
        page_pings.scroll(view, page, round(event.scroll_depth * 100))
