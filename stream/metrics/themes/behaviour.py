"""Metrics of behaviour: page views, sessions, durations and bounces."""

from collections.abc import Iterator

from stream.counters import measures
from stream.metrics.histogram_terms import Quantile
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Has, Per, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_CLOSED = "Counts closed sessions, in the window in which they started."

VISITS = (
    Metric(
        name="page_views",
        help="Number of pages shown.",
        unit="views",
        formula="number of page_view events",
        numerator=Total(measures.PAGE_VIEWS),
        windows=("minute", "hour", "day", "all"),
        gauge="page_views",
        example=Example("three people with 2, 2 and 3 pages", 7, None, 7),
    ),
    Metric(
        name="sessions",
        help=f"Number of sessions. {_CLOSED}",
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
        help=f"Share of sessions that end on their first page. {_CLOSED}",
        unit="ratio",
        formula="sessions with one page view and no interactive event ÷ sessions with a page view",
        numerator=Total(measures.BOUNCED_SESSIONS),
        denominator=Total(measures.VIEWED_SESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge="bounce_ratio",
        example=Example("3 of 5 sessions have one page", 3, 5, 0.6),
        benchmark=Benchmark("0.20 to 0.55", "web analytics surveys"),
    ),
    Metric(
        name="engagement_rate",
        help=f"Share of sessions with a page view that are long or have several pages. {_CLOSED}",
        unit="ratio",
        formula="sessions with a page view that last engaged_min_seconds or "
        "have engaged_min_page_views ÷ sessions with a page view",
        numerator=Total(measures.ENGAGED_SESSIONS),
        denominator=Total(measures.VIEWED_SESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge="engagement_ratio",
        example=Example("3 of 5 sessions have two pages or last 10 s", 3, 5, 0.6),
    ),
)


_TIMED = ("duration.zero_sessions",)
_COUNTED: dict[str, str] = {
    "page_views": "page views of sessions",
    "unique_pages": "distinct pages of each session",
    "page_view_ids": "distinct page_view_id of page views and heartbeats of sessions",
    "actions": "page views and interactive events of sessions with a page view",
}


def pages_per_session(settings: Settings) -> Metric:
    """Build the mean number of pages of a session, as the settings count them."""
    return Metric(
        name="pages_per_session",
        help=f"Mean number of pages of a session. {_CLOSED}",
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
    """Yield the mean duration of sessions and its percentiles."""
    lasting = _lasting(settings)
    zeros = settings.duration.zero_sessions == "include"
    timed = Total(measures.SESSIONS if zeros else measures.TIMED_SESSIONS)
    yield Metric(
        name="session_duration",
        help=f"Mean duration of a session. {_CLOSED}",
        unit="seconds",
        formula=f"mean of {lasting}",
        numerator=Per(Total(measures.SESSION_DURATION_MS), 1_000),
        denominator=timed,
        windows=("hour", "day", "all"),
        gauge="session_duration_mean_seconds",
        example=Example("sessions of 0, 60 and 120 s", 180, 3, 60)
        if zeros
        else Example("sessions of 0, 60 and 120 s", 180, 2, 90),
        chosen_by=_TIMED,
    )
    for percent in (50, 90):
        yield Metric(
            name=f"session_duration_p{percent}",
            help=f"Duration that {percent} % of sessions do not exceed. {_CLOSED}",
            unit="seconds",
            formula=f"{percent}th percentile of {lasting}",
            numerator=Quantile(measures.SESSION_DURATION, percent / 100),
            denominator=Has(timed),
            windows=("hour", "day", "all"),
            gauge=f"session_duration_p{percent}_seconds",
            approximate=True,
            example=Example(f"{percent} of 100 sessions last 30 s or less", 30, 1, 30),
            chosen_by=_TIMED,
        )


def _lasting(settings: Settings) -> str:
    duration = settings.duration
    words = "last event − first event of a session"
    if duration.heartbeats == "ignore":
        words += ", heartbeats apart"
    if duration.basis == "engaged":
        words = "the engaged time of a session"
    if duration.cap_seconds:
        words += f", at most {duration.cap_seconds} s"
    if duration.zero_sessions == "exclude":
        return f"{words}; sessions of 0 s do not count"
    return f"{words}; a session of one event counts as 0 s"


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
