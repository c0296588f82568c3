"""Core catalogue: metrics that must exist, and the baseline for the cost of all others."""

CORE = {
    "daily_active_users", "weekly_active_users", "monthly_active_users", "live_visitors",
    "stickiness", "unique_visitors", "new_visitors", "returning_visitors", "page_views",
    "sessions", "pages_per_session", "session_duration", "session_duration_p50",
    "session_duration_p90", "bounce_rate", "click_through_rate", "unique_click_through_rate",
    "active_customers", "new_customers", "churned_customers", "churn_rate",
    "customer_retention_rate", "mrr",
}  # fmt: skip
