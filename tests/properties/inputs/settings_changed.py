"""One change of every setting that defines numbers, in a configuration where it has an effect."""

from collections.abc import Mapping
from typing import NamedTuple

_LOOKS = {"looks": {"type": "page_view"}, "lookers": {"type": "page_view", "count": "people"}}
_CLICKS = {"looks": {"type": "click"}, "lookers": {"type": "click", "count": "people"}}
_OWN = {
    "per_view": {"numerator": "looks", "denominator": "page_views", "windows": ["week"]},
    "lookers": {"numerator": "lookers", "windows": ["day", "week", "month", "trailing_7d"]},
}
_SEARCHED = {"searched": {"type": "custom", "where": {"name": "search"}}}
_STEPS = [{"type": "page_view"}, {"type": "custom"}]
_IN_SESSION = {"found": {"steps": _STEPS, "scope": "session"}}
_STRICT = {"found": {"steps": _STEPS, "order": "strict"}}
_ROUTE = {"seen": {"type": "page_view", "where": {"page_url": "/p9#/x"}}}
_TO_ROOT = {"found": {"steps": [{"type": "page_view", "where": {"page_url": "/p9"}}, *_STEPS[:1]]}}
_GA4 = {
    "bounce.mode": "ga4", "bounce.engaged_min_page_views": 9, "bounce.engaged_min_seconds": 9_999,
}  # fmt: skip
_GA4_GOALS = _GA4 | {"bounce.engaged_goals": True}
_HOURS = {"support.business_hours": "09:00-17:00"}
_WEEKS = {"stickiness.interval": "week", "active.week": "calendar", "new.lookback_days": 7}
_ELIGIBLE = {"measures": _LOOKS, "feature.eligible": "lookers"}


class Changed(NamedTuple):
    """A setting, its other value, and the settings beside it before and after the change."""

    name: str
    value: object
    beside: Mapping[str, object] = {}


CHANGES: tuple[Changed, ...] = (
    Changed("identity", "visitor"),
    Changed("ids.placeholders", ("u1",)),
    Changed("timezone", "Asia/Tokyo"),
    Changed("sites", {"default": {"timezone": "America/New_York"}}),
    Changed("week_start", "sunday"),
    Changed("week_start", "sunday", _WEEKS | {"measures": _LOOKS, "metrics": _OWN}),
    Changed("dimensions", ("country",)),
    Changed("dimension_values_max", 1),
    Changed("currency", "EUR"),
    Changed("time.allowed_lateness_seconds", 7_200),
    Changed("time.correction_window_seconds", 3_600),
    Changed("time.late_policy", "ledger"),
    Changed("time.max_future_skew_seconds", 60),
    Changed("dedupe.window_seconds", 0),
    Changed("dedupe.ids_max", 2),
    Changed("session.timeout_seconds", 600),
    Changed("session.timeout_seconds", 4_000, {"funnels": _IN_SESSION}),
    Changed("session.boundary", "gte"),
    Changed("session.source", "id"),
    Changed("session.source", "gap", {"funnels": _IN_SESSION}),
    Changed("session.max_duration_hours", 1),
    Changed("session.id_scope", "site"),
    Changed("session.explicit_ends", False),
    Changed("session.id_max_hours", 31),
    Changed("session.split_at_midnight", True),
    Changed("session.assign", "end"),
    Changed("session.timeout_by_platform", {"ios": 300}),
    Changed("session.platform_field", "os", {"session.timeout_by_platform": {"ios": 300}}),
    Changed("session.split_on_campaign_change", True),
    Changed("session.include_open", True),
    Changed("bounce.mode", "single_pageview"),
    Changed("bounce.mode", "ga4"),
    Changed("bounce.interactive_events", ("goal",)),
    Changed("bounce.interactive_events", ("goal",), {"pages.count": "actions"}),
    Changed("bounce.engaged_min_seconds", 100, {"bounce.mode": "ga4"}),
    Changed("bounce.engaged_min_page_views", 3, {"bounce.mode": "ga4"}),
    Changed("bounce.engaged_goals", True, _GA4),
    Changed("goals", _SEARCHED),
    Changed("goals", _SEARCHED, _GA4_GOALS | {"conversion.count": "every"}),
    Changed("conversion.orders", False),
    Changed("conversion.orders", False, _GA4_GOALS | {"conversion.count": "every"}),
    Changed("conversion.basis", "session"),
    Changed("conversion.count", "every"),
    Changed("duration.basis", "engaged"),
    Changed("duration.heartbeats", "ignore"),
    Changed("duration.zero_sessions", "exclude"),
    Changed("duration.cap_seconds", 20),
    Changed("duration.whole_seconds", True),
    Changed("pages.count", "page_view_ids"),
    Changed("pages.count", "actions"),
    Changed("pages.values_max", 1),
    Changed("pages.hosts", True),
    Changed("pages.query_keep", ("p",)),
    Changed("pages.hash_routes", False),
    Changed("pages.hash_routes", False, {"goals": _ROUTE}),
    Changed("pages.query_keep", ("p",), {"funnels": _TO_ROOT}),
    Changed("time_on_page.mode", "next_pageview"),
    Changed("time_on_page.mode", "pings"),
    Changed("time_on_page.min_visit_seconds", 1, {"time_on_page.mode": "pings"}),
    Changed("time_on_page.last_page", "zero", {"time_on_page.mode": "next_pageview"}),
    Changed("time_on_page.heartbeat_seconds", 7, {"duration.basis": "engaged"}),
    Changed("scroll.thresholds", (10, 50)),
    Changed("scroll.basis", "page_view"),
    Changed("exit.denominator", "sessions"),
    Changed("ctr.denominator", "page_views"),
    Changed("ctr.denominator", "unique_viewers"),
    Changed("ctr.match_impression", True),
    Changed("ctr.attribution_window_seconds", 5, {"ctr.match_impression": True}),
    Changed("churn.denominator", "average"),
    Changed("churn.effective", "request"),
    Changed("churn.free_is_churn", True),
    Changed("churn.grace_period_days", 5),
    Changed("churn.involuntary_reasons", ("other",)),
    Changed("churn.involuntary_reasons", ("other",), {"churn.grace_period_days": 5}),
    Changed("churn.behavioural_inactive_days", 7),
    Changed("survey.window_days", 90),
    Changed("survey.dedupe", "latest_per_user"),
    Changed("survey.denominator", "shown"),
    Changed("survey.csat_scale", 10),
    Changed("survey.csat_satisfied_min", 5),
    Changed("survey.ces_mode", "top_box"),
    Changed("survey.ces_scale", 5, {"survey.ces_mode": "top_box"}),
    Changed("survey.ces_higher_is_easier", False, {"survey.ces_mode": "top_box"}),
    Changed("survey.rating_scale", 10),
    Changed("support.business_hours", "09:00-17:00"),
    Changed("support.business_days", ("mon",), _HOURS),
    Changed("support.holidays", ("2025-10-20",), _HOURS),
    Changed("support.response_kind", "every"),
    Changed("support.response_bucket", "opened"),
    Changed("support.exclude_bots", False),
    Changed("support.clock_skew_seconds", 0),
    Changed("value.customers", "buyers"),
    Changed("value.lifetime_years", 2.0),
    Changed("value.gross_margin", 0.5),
    Changed("value.max_lifetime_months", 3),
    Changed("value.clv_mode", "historic"),
    Changed("social.denominator", "followers"),
    Changed("social.engagement_kinds", ("like",)),
    Changed("social.weights", {"share": 2.0}),
    Changed("social.weights", {"share": 2.0}, {"social.weights": {"share": 3.0}}),
    Changed("active.passive_types", ("page_view",)),
    Changed(
        "active.passive_types", ("page_view",),
        _WEEKS | {"active.rolling_hours": True, "first_week.clock": "user_24h", "funnels": _STRICT},
    ),
    Changed("active.week", "calendar"),
    Changed("active.month", "30d"),
    Changed("active.month", "calendar"),
    Changed("active.rolling_hours", True),
    Changed("active.live_minutes", 30),
    Changed("stickiness.numerator", "today"),
    Changed("stickiness.base", "week"),
    Changed("stickiness.interval", "week"),
    Changed("new.lookback_days", 7),
    Changed("new.basis", "session"),
    Changed("bots.mode", "only"),
    Changed("bots.user_agent_field", "agent"),
    Changed("bots.http_libraries", True),
    Changed("bots.patterns", ("probe",)),
    Changed("exclude", {"staff": ("yes",)}),
    Changed("interaction.events", ("goal",)),
    Changed("interaction.window_days", 1),
    Changed("first_week.days", 3),
    Changed("first_week.activation_event", {"type": "order"}),
    Changed("first_week.min_events", 2),
    Changed("first_week.clock", "user_24h"),
    Changed("retention.days", (2,)),
    Changed("retention.type", "bracket"),
    Changed("retention.cohort", "recurring"),
    Changed("experiment.dimension", "country", {"dimensions": ("variant", "country")}),
    Changed("experiment.control", "b"),
    Changed("experiment.confidence", 0.9),
    Changed("feature.window_days", 7),
    Changed("feature.denominator", "all_known"),
    Changed("feature.denominator", "eligible", _ELIGIBLE),
    Changed("feature.eligible", "clickers", _ELIGIBLE | {
        "feature.denominator": "eligible", "measures": _LOOKS | {"clickers": _CLICKS["lookers"]},
    }),
    Changed("feature.map", {"search": "find"}),
    Changed("funnels", _STRICT, {"funnels": _IN_SESSION}),
    Changed("cart.basis", "session"),
    Changed("cart.basis", "user"),
    Changed("cart.timeout_hours", 48),
    Changed("cart.recovery_days", 1),
    Changed("cart.start_event", "checkout_started", {"cart.basis": "session"}),
    Changed("cart.start_event", "checkout_started"),
    Changed("measures", _CLICKS, {"measures": _LOOKS, "metrics": _OWN}),
    Changed("metrics", {**_OWN, "per_view": {"numerator": "looks", "windows": ["week"]}},
            {"measures": _LOOKS, "metrics": _OWN}),
)  # fmt: skip

#: Settings of the same tables that change no number of the catalogue, with the reason.
WITHOUT = {
    "time.idle_seconds": "decides when silence closes a window, which a later event opens again",
    "time.hour_retention_days": "limits how long counts are kept",
    "time.day_retention_days": "limits how long counts are kept",
    "retention.start": "is for the triangles of a report",
    "retention.returning": "is for the triangles of a report",
    "churn_risk.topic": "names the topic of risks",
}
#: The model of churn risk runs in the worker, not in this engine.
NOT_RUN = ("churn_risk.",)
