"""Metrics of pages: views, where sessions begin and end, how long and how far people read."""

from collections.abc import Iterator

from stream.counters import measures
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Per, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_CLOSED = "Counts closed sessions, in the window in which they started."

LANDINGS = (
    Metric(
        name="page_views_per_page",
        help="Number of times that the page was shown.",
        unit="views",
        formula="number of page_view events with the page in page_url",
        numerator=Total(measures.VIEWS_OF_PAGE),
        windows=("hour", "day", "all"),
        gauge="page_views_of_page",
        example=Example("two people see the page, one of them twice", 3, None, 3),
        by=("page",),
        plain=False,
    ),
    Metric(
        name="cut_page_views",
        help="Page views whose page has a name of over 256 characters, which is cut to 256. Pages that "
        "begin alike are then one page.",
        unit="views",
        formula="number of page_view events with a page name of over 256 characters",
        numerator=Total(measures.CUT_PAGES),
        windows=("day", "all"),
        gauge="cut_page_views",
        example=Example("two views of a page with a path of 300 characters", 2, None, 2),
    ),
    Metric(
        name="landing_sessions",
        help=f"Sessions that begin on the page. {_CLOSED}",
        unit="sessions",
        formula="number of closed sessions by the page of their first page view; of several at one "
        "instant, of the first that arrived",
        numerator=Total(measures.LANDINGS),
        windows=("day",),
        gauge="landing_sessions",
        example=Example("4 sessions begin on the page", 4, None, 4),
        by=("page",),
        plain=False,
    ),
    Metric(
        name="landing_bounce_rate",
        help=f"Share of the sessions beginning on the page that are bounces. {_CLOSED}",
        unit="ratio",
        formula="bounced sessions that began on the page ÷ sessions that began on it",
        numerator=Total(measures.LANDING_BOUNCES),
        denominator=Total(measures.LANDINGS),
        windows=("day",),
        gauge="landing_bounce_ratio",
        example=Example("1 of 4 sessions that begin there has no other page", 1, 4, 0.25),
        by=("page",),
        plain=False,
    ),
    Metric(
        name="landing_page_time",
        help=f"Mean time on the first page of a session, if it is known. {_CLOSED}",
        unit="seconds",
        formula="mean of second page view − first (at most the session timeout); "
        "without a second one, of the engaged time there",
        numerator=Per(Total(measures.LANDING_MS), 1_000),
        denominator=Total(measures.LANDINGS_TIMED),
        windows=("day",),
        gauge="landing_page_time_seconds",
        example=Example("20 s and 40 s on the first page of two sessions", 60, 2, 30),
        by=("page",),
    ),
)


def scrolling(settings: Settings) -> Iterator[Metric]:
    """Yield the mean scroll depth, and the share of pages that reach each threshold."""
    by_view = settings.scroll.basis == "page_view"
    each = "page view" if by_view else "session and page"
    yield Metric(
        name="scroll_depth",
        help=f"Mean of the deepest scroll depth of a page in a {'view' if by_view else 'session'}. {_CLOSED}",
        unit="ratio",
        formula=f"sum of the maximum scroll depth of each {each} ÷ their number",
        numerator=Per(Total(measures.SCROLL_DEPTH), 10_000),
        denominator=Total(measures.PAGES_SCROLLED),
        windows=("day",),
        gauge="scroll_depth_ratio",
        example=Example("one session reaches 80 %, another 20 %", 1, 2, 0.5),
        benchmark=Benchmark("0.50", "web analytics surveys"),
        by=("page",),
    )
    for percent in settings.scroll.thresholds:
        yield Metric(
            name=f"scroll_reached_{percent}",
            help=f"Share of the {'page views' if by_view else 'pages of sessions'} scrolled down to "
            f"{percent} % or more. {_CLOSED}",
            unit="ratio",
            formula=f"{'page views' if by_view else 'sessions and pages'} that reached {percent} % ÷ "
            "all with a scroll depth",
            numerator=Total(measures.scroll_reached(percent)),
            denominator=Total(measures.PAGES_SCROLLED),
            windows=("day",),
            gauge=f"scroll_reached_{percent}_ratio",
            example=Example(f"3 of 4 sessions reach {percent} %", 3, 4, 0.75),
            chosen_by=("scroll.thresholds",),
            by=("page",),
        )


_LAST = {
    "exclude": "have none", "zero": "have 0", "until_last_event": "last until the last event",
}  # fmt: skip


def time_on_page(settings: Settings) -> Metric:
    """Build the mean time on a page: by heartbeats, or until the next page view."""
    chosen = settings.time_on_page
    formula = "mean of the engaged time of each pair of a session and a page with any"
    if chosen.mode == "engaged":
        formula += "; a heartbeat counts at most the session timeout"
    if chosen.mode == "pings":
        formula += (
            f": {chosen.heartbeat_seconds} s for each {chosen.heartbeat_seconds} s with a heartbeat of "
            f"a page view, and {chosen.min_visit_seconds} s for the first of them"
        )
    if chosen.mode == "next_pageview":
        formula = (
            "mean of the time until the next page view (at most the session timeout), "
            f"summed by session and page; last page views {_LAST[chosen.last_page]}"
        )
    return Metric(
        name="time_on_page",
        help=f"Mean time that a session spends on a page. {_CLOSED}",
        unit="seconds",
        formula=formula,
        numerator=Per(Total(measures.ON_PAGE_MS), 1_000),
        denominator=Total(measures.PAGES_TIMED),
        windows=("hour", "day"),
        gauge="time_on_page_seconds",
        example=Example("200 s over 2 sessions", 200, 2, 100),
        benchmark=Benchmark("52 s", "web analytics surveys"),
        by=("page",),
    )


def exit_rate(settings: Settings) -> Metric:
    """Build exits ÷ views of the page, or ÷ the sessions that saw it."""
    sessions = settings.exit.denominator == "sessions"
    measure = measures.SESSIONS_WITH_PAGE if sessions else measures.VIEWS_OF_PAGE
    when = _CLOSED if sessions else "An exit counts once its session is closed, at the last view."
    return Metric(
        name="exit_rate",
        help=f"Share of the page's views that end a session. {when}"
        if not sessions
        else f"Share of the sessions that saw the page and end on it. {when}",
        unit="ratio",
        formula="sessions whose last page view is of the page ÷ "
        + ("sessions that saw it" if sessions else "page views of it"),
        numerator=Total(measures.EXITS),
        denominator=Total(measure),
        windows=("day",),
        gauge="exit_ratio",
        example=Example("2 of 8 views of the page are the last of a session", 2, 8, 0.25),
        chosen_by=("exit.denominator",),
        by=("page",),
        plain=False,
    )


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of single pages."""
    yield from LANDINGS
    yield from scrolling(settings)
    yield time_on_page(settings)
    yield exit_rate(settings)


THEME = Theme(
    title="Pages",
    text="Views of each page, where sessions begin and end, how long and how far people read.",
    metrics=metrics,
)
