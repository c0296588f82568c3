"""Settings that change how the engine counts a measure: the table behind `engage plan`.

A measure of a theme stands in a table of that theme. A name that ends with * stands for all measures
that begin so; the longest one that fits holds.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from stream.counters import measures

#: Settings that decide whether an event counts at all, and on which day: they change every measure.
ALWAYS = (
    "timezone", "sites", "currency", "ids.placeholders", "bots.mode", "bots.user_agent_field", "bots.patterns",
    "bots.http_libraries", "exclude",
    "dedupe.window_seconds", "dedupe.ids_max", "time.allowed_lateness_seconds",
    "time.correction_window_seconds", "time.late_policy", "time.max_future_skew_seconds",
)  # fmt: skip
#: Settings that decide which segments are counted, and which of them as `other`.
SEGMENTS = (
    "dimensions", "dimension_values_max", "limits.sites_max", "limits.sites_allowed",
    "limits.segments_max", "limits.segment_sets_max",
)  # fmt: skip
#: Kind of window → settings that move its borders.
WINDOWS: Mapping[str, tuple[str, ...]] = {"week": ("week_start",)}


class When(NamedTuple):
    """Settings that matter only while another setting has a value, or any but 0, off and empty."""

    setting: str
    then: tuple[str, ...]
    value: object = None

    def holds(self, value: object) -> bool:
        """Whether they matter when the other setting has this value."""
        return bool(value) if self.value is None else value == self.value


CountedBy: TypeAlias = Mapping[str, tuple[str | When, ...]]

#: Who the person of an event is.
PERSON = ("identity",)
_ACTIVE = (*PERSON, "active.passive_types", "churn.involuntary_reasons")
#: Which events make a session, and the window in which it counts.
SESSION: tuple[str | When, ...] = (
    "session.timeout_seconds", "session.boundary", "session.source", "session.max_duration_hours",
    "session.id_scope", "session.id_max_hours", "session.explicit_ends",
    "session.split_at_midnight", "session.assign", "session.timeout_by_platform",
    When("session.timeout_by_platform", ("session.platform_field",)),
    "session.split_on_campaign_change", "session.include_open", "pages.count", *PERSON,
)  # fmt: skip
#: Which URLs are one page.
PAGE_NAME = ("pages.hosts", "pages.query_keep", "pages.hash_routes")
#: Which events reach a goal.
GOALS = ("goals", "conversion.orders", *PAGE_NAME)
_ENGAGED: tuple[str | When, ...] = (
    "bounce.engaged_min_seconds", "bounce.engaged_min_page_views", "bounce.engaged_goals",
    When("bounce.engaged_goals", GOALS), *SESSION,
)  # fmt: skip
_BOUNCED = ("bounce.mode", "bounce.interactive_events", *_ENGAGED)
_HEARTBEAT = ("time_on_page.heartbeat_seconds",)
_TIMING: tuple[str | When, ...] = (
    "time_on_page.mode", When("time_on_page.mode", ("time_on_page.min_visit_seconds",), "pings"),
)  # fmt: skip
_READING = (*_TIMING, *_HEARTBEAT)
_DURATION: tuple[str | When, ...] = (
    "duration.basis", When("duration.basis", _HEARTBEAT, "engaged"), "duration.zero_sessions",
    When("duration.basis", ("duration.heartbeats",), "elapsed"),
    "duration.cap_seconds", "duration.whole_seconds", *_TIMING, *SESSION,
)  # fmt: skip
#: Which pages are counted apart.
_PAGE = (*PAGE_NAME, "pages.values_max")
_ON_PAGE: tuple[str | When, ...] = (
    *_READING, When("time_on_page.mode", ("time_on_page.last_page",), "next_pageview"), *_PAGE, *SESSION,
)  # fmt: skip
_SCROLLED = ("scroll.basis", *_PAGE, *SESSION)
_CART = ("cart.start_event", *SESSION)
_PAYING = ("churn.effective", "churn.free_is_churn", "churn.grace_period_days", *PERSON)
_CUSTOMERS = (*_PAYING, When("churn.grace_period_days", ("churn.involuntary_reasons",)))
_INVOLUNTARY = (*_PAYING, "churn.involuntary_reasons")
_RISK = (
    "churn_risk.horizon_days", "churn_risk.low_below", "churn_risk.high_from",
    "churn_risk.examples_min", "churn_risk.examples_max",
)  # fmt: skip

COUNTED_BY: CountedBy = {
    measures.EVENTS: (),
    measures.BOT_EVENTS: (),
    measures.EXCLUDED_EVENTS: (),
    measures.OFF_SCALE_EVENTS: (
        "survey.csat_scale", "survey.ces_scale", "survey.rating_scale", *PERSON,
    ),
    measures.UNMATCHED_EVENTS: PERSON,
    measures.CROWDED_EVENTS: PERSON,
    measures.PAGE_VIEWS: (),
    measures.CLICKS: (),
    measures.IMPRESSIONS: (),
    measures.CONTENT_CLICKS: (),
    measures.CONTENT_IMPRESSIONS: (),
    measures.INTERACTIONS: ("interaction.events",),
    measures.SESSIONS: SESSION,
    measures.FIRST_SESSIONS: SESSION,
    measures.VIEWED_SESSIONS: SESSION,
    measures.SESSION_PAGE_VIEWS: (
        *SESSION, When("pages.count", ("bounce.interactive_events",), "actions"),
    ),
    measures.BOUNCED_SESSIONS: _BOUNCED,
    measures.ENGAGED_SESSIONS: _ENGAGED,
    measures.SESSION_DURATION: _DURATION,
    measures.SESSION_DURATION_MS: _DURATION,
    measures.TIMED_SESSIONS: _DURATION,
    measures.CARTED_SESSIONS: _CART,
    measures.ABANDONED_SESSIONS: _CART,
    measures.CONVERTED_SESSIONS: (*GOALS, *SESSION),
    measures.SESSION_GOALS: (*GOALS, *SESSION),
    measures.LANDINGS: (*_PAGE, *SESSION),
    measures.LANDING_BOUNCES: (*_BOUNCED, *_PAGE),
    measures.LANDINGS_TIMED: (*_READING, *_PAGE, *SESSION),
    measures.LANDING_MS: (*_READING, *_PAGE, *SESSION),
    measures.VIEWS_OF_PAGE: _PAGE,
    measures.CUT_PAGES: PAGE_NAME,
    measures.EXITS: ("exit.denominator", *_PAGE, *SESSION),
    measures.SESSIONS_WITH_PAGE: (*_PAGE, *SESSION),
    measures.PAGES_TIMED: _ON_PAGE,
    measures.ON_PAGE_MS: _ON_PAGE,
    measures.PAGES_SCROLLED: _SCROLLED,
    measures.SCROLL_DEPTH: _SCROLLED,
    "scroll_reached_*": _SCROLLED,
    "people_*": _ACTIVE,
    measures.LIVE: ("active.live_minutes", *PERSON),
    measures.CLICKERS_DAY: PERSON,
    measures.KNOWN: _ACTIVE,
    "new_people*": _ACTIVE,
    "new_after_*": _ACTIVE,
    "retained_*": _ACTIVE,
    "dormant_*": _ACTIVE,
    "active_days_*": _ACTIVE,
    measures.ACTIVE_WEEKS_MONTH: ("week_start", *_ACTIVE),
    # Retention and the first days of newcomers: days, type and cohort are in the name of the measure.
    "back_*": _ACTIVE,
    "activated_*": (*_ACTIVE, *PAGE_NAME),
    "first_hours_*": (*_ACTIVE, *PAGE_NAME),
    measures.CHURN_RISK_DAY: _ACTIVE,
    measures.RISK_PEOPLE: ("churn_risk.enabled", When("churn_risk.enabled", _RISK), *_ACTIVE),
    measures.CUSTOMERS_CHANGE: _CUSTOMERS,
    "customer_*": _CUSTOMERS,
    "customers_lost_*": _CUSTOMERS,
    "mrr_*": _CUSTOMERS,
    measures.INVOLUNTARY_ENDS: _INVOLUNTARY,
    "customers_lost_involuntary_*": _INVOLUNTARY,
}  # fmt: skip
