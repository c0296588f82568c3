"""Builds the tests of a closed session: whether it bounced, and whether it was engaged."""

from collections.abc import Callable

from stream.sessions.session import CONVERTED, Session
from stream.settings.sessions import BounceSettings

Test = Callable[[Session], bool]


def bounce_test(settings: BounceSettings) -> Test:
    """Build the test whether a session with a page view bounced, by `bounce.mode`."""
    mode = settings.mode
    if mode == "single_pageview":
        return lambda session: session.views() == 1
    if mode == "classic_interaction":
        return lambda session: session.views() == 1 and not session.interactive
    if mode == "posthog":
        least_ms = settings.engaged_min_seconds * 1000
        return lambda session: (
            session.views() == 1
            and not session.interactive
            and session.end - session.start < least_ms
        )
    engaged = engaged_test(settings)
    return lambda session: not engaged(session)


def engaged_test(settings: BounceSettings) -> Test:
    """Build the test whether a session was engaged, as Google Analytics 4 means it."""
    least_ms, views = settings.engaged_min_seconds * 1000, settings.engaged_min_page_views
    engaging = CONVERTED if settings.engaged_goals else 0
    return lambda session: (
        session.views() >= views
        or session.end - session.start >= least_ms
        or bool(session.marks & engaging)
    )
