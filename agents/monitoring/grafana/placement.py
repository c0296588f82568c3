"""Places of metrics on the dashboard Engagement, by name; a metric that does not exist is left out."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.monitoring.rules.ratios import (
    BOUNCE,
    CARTS,
    CONVERSION,
    Level,
    Ratio,
    click_through,
    csat,
    nps,
)
from stream.publish.headlines import HEADLINES
from stream.settings.application import Settings


@dataclass(frozen=True, slots=True)
class Headline:
    """Current number. `worse` is the direction in which it gets worse."""

    metric: str
    worse: str | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines over time of metrics that are read together."""

    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usual:
    """Number with its usual range; `of` may depend on the settings."""

    title: str
    metric: str
    of: Ratio | Level | Callable[[Settings], Ratio | Level] = click_through


@dataclass(frozen=True, slots=True)
class BySegment:
    """Metric by the values of the chosen dimension."""

    metric: str


Entry = Headline | Trend | Usual | BySegment

SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("Now", (
        *(Headline(one.metric, one.worse) for one in HEADLINES),
        Headline("stickiness", "down"), Headline("conversion_rate", "down"),
        Headline("active_customers", "down"), Headline("mrr", "down"), Headline("revenue", "down"),
        Headline("nps", "down"), Headline("csat", "down"),
    )),
    ("Sessions and bounce", (
        Usual("Bounce rate", "bounce_rate", BOUNCE),
        BySegment("bounce_rate"),
        Trend("Sessions and page views of the day", ("sessions", "page_views")),
        Trend("Live visitors over time", ("live_visitors",)),
        Trend("Pages per session", ("pages_per_session",)),
        Trend("Session duration", (
            "session_duration", "session_duration_p50", "session_duration_p90",
        )),
        Trend("Engagement rate", ("engagement_rate",)),
        Trend("Time on a page", ("time_on_page", "landing_page_time")),
        Trend("Scroll depth", (
            "scroll_depth", "scroll_reached_25", "scroll_reached_50", "scroll_reached_75",
            "scroll_reached_90",
        )),
    )),
    ("Clicks and conversion", (
        Usual("Click-through", "click_through_rate"),
        Trend("Unique click-through", ("unique_click_through_rate",)),
        Usual("Conversion", "conversion_rate", CONVERSION),
        Usual("Conversion of sessions", "session_conversion_rate", CONVERSION),
        Usual("Abandoned carts", "cart_abandonment_rate", CARTS),
        Trend("Recovered carts", ("recovered_carts",)),
        Trend("Use of features", ("feature_usage_rate",)),
    )),
    ("Audience and retention", (
        Trend("Active people", (
            "daily_active_users", "weekly_active_users", "monthly_active_users",
        )),
        Trend("New and returning today", (
            "new_visitors", "returning_visitors", "retained_users", "resurrected_users", "dormant_users",
        )),
        Trend("Share of new visitors", ("new_visitor_share",)),
        Trend("Retention after the first day", (
            "retention_d1", "retention_d7", "retention_d30", "first_week_engagement",
        )),
        Trend("Active days of newcomers", ("first_week_active_days",)),
        Trend("At risk", ("at_risk_users", "churn_risk_users")),
        Trend("Frequency of visits and interactions", ("visit_frequency", "interaction_frequency")),
        Trend("Active share of customers", (
            "daily_activity_rate", "monthly_activity_rate",
        )),
        Trend("Stickiness over time", ("stickiness",)),
        Trend("People of the day", ("unique_visitors",)),
    )),
    ("Customers and churn", (
        Trend("Churn rate over time", ("churn_rate",)),
        Trend("Voluntary and involuntary churn", (
            "voluntary_churn_rate", "involuntary_churn_rate",
        )),
        Trend("Behavioural churn", ("behavioural_churn_rate",)),
        Trend("Customer retention", ("customer_retention_rate",)),
        Trend("New and lost customers today", (
            "new_customers", "churned_customers", "churned_customers_involuntary",
        )),
        Trend("Customers over time", ("active_customers",)),
        BySegment("churn_rate"),
    )),
    ("Money", (
        Trend("Monthly recurring revenue", ("mrr",)),
        Trend("Changes of the recurring revenue", (
            "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation",
        )),
        Trend("Churn of revenue", ("gross_mrr_churn", "net_mrr_churn")),
        Trend("Revenue per account", ("average_revenue_per_account",)),
        Trend("Revenue and refunds", ("revenue", "refunds")),
        Trend("Orders and buyers", ("orders", "buyers", "new_buyers")),
        Trend("Average order value", ("average_order_value",)),
        Trend("Orders per buyer", ("purchase_frequency",)),
        Trend("Customer lifetime value and acquisition cost", (
            "customer_lifetime_value_simple", "customer_lifetime_value_recurring",
            "customer_lifetime_value_historic", "customer_acquisition_cost",
        )),
        Trend("Lifetime value per acquisition cost", ("clv_to_cac",)),
        Trend("Marketing spend", ("marketing_spend",)),
        Trend("High-value customers", ("high_value_customers",)),
    )),
    ("Feedback and support", (
        Usual("Net promoter score", "nps", nps),
        Usual("Customer satisfaction", "csat", csat),
        Trend("Promoters, passives, detractors", (
            "nps_promoters_share", "nps_passives_share", "nps_detractors_share",
        )),
        Trend("Customer effort", ("ces",)),
        Trend("Ratings", ("average_rating",)),
        Trend("Answers", ("feedback_count", "feedback_off_scale")),
        Trend("Tickets", (
            "tickets_opened", "tickets_resolved", "tickets_resolved_gross", "tickets_reopened",
            "tickets_waiting",
        )),
        Trend("First response", (
            "first_response_time", "first_response_time_p50", "first_response_time_p90",
        )),
        Trend("Resolution", ("resolution_time", "resolution_time_p50", "resolution_time_p90")),
    )),
    ("Social", (
        Trend("Social engagement", ("social_engagement_rate",)),
    )),
)  # fmt: skip

#: Columns of segments; a metric with dimensions of its own has a table for those too.
SEGMENT_COLUMNS = (
    "daily_active_users", "new_visitors", "sessions", "bounce_rate", "pages_per_session",
    "click_through_rate", "conversion_rate", "active_customers", "churn_rate", "revenue",
)  # fmt: skip

#: Columns of campaigns, channels and variants; some have lines as well, see below.
CAMPAIGN_COLUMNS = (
    "sessions", "new_visitors", "bounce_rate", "click_through_rate", "unique_click_through_rate",
    "landing_page_time", "conversion_rate", "revenue",
    "average_order_value", "new_customers", "churn_rate",
)  # fmt: skip
#: Columns of campaigns and channels only: variants of an experiment cost no money.
SPEND_COLUMNS = ("marketing_spend", "customer_acquisition_cost", "clv_to_cac")
#: Columns of the variants of an experiment: conversion, its interval, and its test.
EXPERIMENT_COLUMNS = (
    "variant_conversion", "variant_conversion_low", "variant_conversion_high", "variant_uplift",
    "variant_p_value",
)  # fmt: skip
CAMPAIGN_LINES = ("click_through_rate", "conversion_rate", "sessions")


def placed() -> frozenset[str]:
    """List the metrics with a place on the dashboard Engagement."""
    names: set[str] = set()
    for _, entries in SECTIONS:
        for entry in entries:
            names |= {*entry.metrics} if isinstance(entry, Trend) else {entry.metric}
    return frozenset(names)
