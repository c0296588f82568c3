"""Which topic carries which types of events."""

# Where each type goes by default. Any topic may carry any type: this decides what producers and
# `engage replay` do, not what is accepted.
TOPIC_TYPES: dict[str, tuple[str, ...]] = {
    "page-views": ("page_view", "heartbeat"),
    "clicks": ("impression", "click", "custom", "feature_used"),
    "sessions": ("session_start", "session_end"),
    "subscriptions": (
        "subscription_started",
        "subscription_changed",
        "subscription_renewed",
        "subscription_cancelled",
        "subscription_ended",
    ),
    "orders": ("add_to_cart", "remove_from_cart", "checkout_started", "order", "refund", "goal"),
    "feedback": (
        "survey_response",
        "survey_dismissed",
        "ticket_opened",
        "ticket_message",
        "ticket_resolved",
        "ticket_reopened",
    ),
    "social": (
        "social_impression", "social_engagement", "social_reach", "social_followers",
        "marketing_spend",
    ),
}  # fmt: skip
