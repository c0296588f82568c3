"""Behaviour: pages, sessions, bounces."""

from collections.abc import Iterator

from stream.counters import measures
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Has, Quantile, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_CLOSED = "Closed sessions, in the window in which they started."

VISITS = (
    Metric(
        name="page_views",
        help="Pages shown.",
        unit="views",
        formula="number of page_view events",
        numerator=Total(measures.PAGE_VIEWS),
        windows=("minute", "hour", "day", "all"),
        gauge="page_views",
        example=Example("three people with 2, 2 and 3 pages", 7, None, 7),
    ),
    Metric(
        name="sessions",
        help=f"Visits. {_CLOSED}",
        unit="sessions",
        formula="number of closed sessions",
        numerator=Total(measures.SESSIONS),
        windows=("hour", "day", "all"),
        gauge="sessions",
        example=Example("a person who comes back after an hour", 2, None, 2),
    ),
)

OUTCOMES = (
    Metric(
        name="bounce_rate",
        help=f"Share of visits that end where they began. {_CLOSED}",
        unit="ratio",
        formula="sessions with one page view and no interactive event ÷ sessions with a page view",
        numerator=Total(measures.BOUNCED_SESSIONS),
        denominator=Total(measures.VIEWED_SESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge="bounce_ratio",
        example=Example("3 of 5 visits have one page", 3, 5, 0.6),
        benchmark=Benchmark("0.20 to 0.55", "web analytics surveys"),
    ),
    Metric(
        name="engagement_rate",
        help=f"Share of visits with a page view that are long, or see several pages. {_CLOSED}",
        unit="ratio",
        formula="sessions with a page view that last engaged_min_seconds or "
        "have engaged_min_page_views ÷ sessions with a page view",
        numerator=Total(measures.ENGAGED_SESSIONS),
        denominator=Total(measures.VIEWED_SESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge="engagement_ratio",
        example=Example("3 of 5 visits see two pages or take 10 s", 3, 5, 0.6),
    ),
)


_TIMED = ("duration.zero_sessions",)
_COUNTED: dict[str, str] = {
    "page_views": "page views of sessions",
    "unique_pages": "different pages of each session",
    "page_view_ids": "different page_view_id of the page views and heartbeats of sessions",
    "actions": "page views and interactive events of sessions with a page view",
}


def pages_per_session(settings: Settings) -> Metric:
    """Pages of a visit, over what the settings call one."""
    return Metric(
        name="pages_per_session",
        help=f"Mean number of pages of a visit. {_CLOSED}",
        unit="pages",
        formula=f"{_COUNTED[settings.pages.count]} ÷ sessions",
        numerator=Total(measures.SESSION_PAGE_VIEWS),
        denominator=Total(measures.SESSIONS),
        windows=("hour", "day", "all"),
        gauge="pages_per_session",
        example=Example("7 page views in 5 sessions", 7, 5, 1.4),
        benchmark=Benchmark("1.7 to 4", "web analytics surveys"),
    )


def durations(settings: Settings) -> Iterator[Metric]:
    """How long visits last: mean and percentiles."""
    lasting = _lasting(settings)
    zeros = settings.duration.zero_sessions == "include"
    timed = Total(measures.SESSIONS if zeros else measures.TIMED_SESSIONS)
    yield Metric(
        name="session_duration",
        help=f"Mean length of a visit. {_CLOSED}",
        unit="seconds",
        formula=f"mean of {lasting}",
        numerator=Total(measures.SESSION_DURATION_MS, scale=1 / 1000),
        denominator=timed,
        windows=("hour", "day", "all"),
        gauge="session_duration_mean_seconds",
        example=Example("visits of 0, 60 and 120 s", 180, 3, 60)
        if zeros
        else Example("visits of 0, 60 and 120 s", 180, 2, 90),
        chosen_by=_TIMED,
    )
    for percent in (50, 90):
        yield Metric(
            name=f"session_duration_p{percent}",
            help=f"Length that {percent} % of visits do not exceed. {_CLOSED}",
            unit="seconds",
            formula=f"{percent}th percentile of {lasting}",
            numerator=Quantile(measures.SESSION_DURATION, percent / 100),
            denominator=Has(timed),
            windows=("hour", "day", "all"),
            gauge=f"session_duration_p{percent}_seconds",
            approximate=True,
            example=Example(f"{percent} of 100 visits take 30 s or less", 30, 1, 30),
            chosen_by=_TIMED,
        )


def _lasting(settings: Settings) -> str:
    duration = settings.duration
    words = "last event − first event of a session"
    if duration.basis == "engaged":
        words = "the engaged time of a session"
    if duration.cap_seconds:
        words += f", at most {duration.cap_seconds} s"
    if duration.zero_sessions == "exclude":
        return f"{words}; a session of 0 s does not count"
    return f"{words}; a session of one event has 0 and counts"


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of page views and sessions."""
    yield from VISITS
    yield pages_per_session(settings)
    yield from durations(settings)
    yield from OUTCOMES


THEME = Theme(
    title="Behaviour",
    text="Page views, sessions, how long they last and how many bounce.",
    metrics=metrics,
)
