"""Vocabulary of the oracle: keys, answers, and the choices of the definitions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.oracle.time import Wall, Window

EventDict = dict[str, Any]
#: (site, dimension, value); the whole site has no dimension.
Segment = tuple[str, str, str]


class Answer(NamedTuple):
    """Numerator and denominator; None for a metric without a denominator."""

    numerator: float
    denominator: float | None = None


class Key(NamedTuple):
    """Key of one number."""

    metric: str
    segment: Segment
    window: Window


Answers = dict[Key, Answer]


@dataclass(frozen=True)
class Choices:
    """Settings that decide what a number means."""

    timezone: str = "UTC"
    site_timezones: Mapping[str, str] = field(default_factory=dict)
    week_start: str = "monday"
    site_week_starts: Mapping[str, str] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()
    by_user: bool = True
    passive: frozenset[str] = frozenset()
    timeout_ms: int = 1_800_000
    splits_at_timeout: bool = False
    source: str = "auto"
    session_hours: int = 24
    splits_at_midnight: bool = False
    explicit_ends: bool = True
    unbouncing: frozenset[str] = frozenset()
    interactions: frozenset[str] = frozenset()
    interaction_days: int = 7
    bounce_mode: str = "classic_interaction"
    engaged_seconds: int = 10
    engaged_views: int = 2
    goals_engage: bool = False
    churn_of: str = "start"
    grace_ms: int = 0
    churn_at_request: bool = False
    free_is_churn: bool = False
    inactive_days: int = 28
    involuntary: frozenset[str] = frozenset()
    ctr_of_page_views: bool = False
    ctr_of_viewers: bool = False
    ctr_matched_ms: int = 0
    page_hosts: bool = False
    page_queries: tuple[str, ...] = ()
    page_routes: bool = True
    heartbeat_seconds: int = 10
    until_next_view: bool = False
    exits_by_session: bool = False
    week_kind: str = "trailing_7d"
    month_kind: str = "trailing_28d"
    live_kind: str = "trailing_5m"
    rolling_hours: bool = False
    sticky_of: str = "mean_dau"
    sticky_base: str = "month"
    counts_weeks: bool = False
    new_after_days: int = 0
    new_by_visit: bool = False
    pages_counted: str = "page_views"
    pings: bool = False
    least_seconds: int = 5
    last_page: str = "exclude"
    lasts_engaged: bool = False
    without_beats: bool = False
    without_zeros: bool = False
    cap_seconds: int = 0
    whole_seconds: bool = False
    at_end: bool = False
    platform_timeouts: Mapping[str, int] = field(default_factory=dict)
    splits_on_campaign: bool = False
    ids_of_site: bool = False
    id_hours: int = 0
    scrolls_by_view: bool = False
    thresholds: tuple[int, ...] = (25, 50, 75, 90)
    first_week_days: int = 7
    first_week_least: int = 1
    activation: str = ""
    own_clock: bool = False
    retention_days: tuple[int, ...] = (1, 7, 30)
    retention_type: str = "n_day"
    retention_of_all: bool = False

    def wall(self, site: str) -> Wall:
        """Return the clock of a site."""
        return Wall(
            self.site_timezones.get(site) or self.timezone,
            self.site_week_starts.get(site) or self.week_start,
        )


def counts(people: Mapping[Window, Collection[Any]]) -> dict[Window, Answer]:
    return {window: Answer(len(found)) for window, found in people.items()}


def ratios(tops: Mapping[Window, float], bottoms: Mapping[Window, float]) -> dict[Window, Answer]:
    windows = {*tops, *bottoms}
    return {window: Answer(tops.get(window, 0), bottoms.get(window, 0)) for window in windows}


def holds(window: Window, time_ms: int) -> bool:
    if window.start_ms is None or window.end_ms is None:
        return True
    return window.start_ms <= time_ms < window.end_ms


def within(inner: Window, outer: Window) -> bool:
    if None in (inner.start_ms, outer.start_ms, inner.end_ms, outer.end_ms):
        return outer.kind == "all"
    return (outer.start_ms or 0) <= (inner.start_ms or 0) and (inner.end_ms or 0) <= (
        outer.end_ms or 0
    )
