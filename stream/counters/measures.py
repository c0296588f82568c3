"""Names of the additive measures that a shard counts, and the grains of its time buckets."""

from enum import IntEnum


class Grain(IntEnum):
    """Length of a time bucket. A bucket's index is an epoch minute (MINUTE, HOUR), a day's ordinal, or 0."""

    MINUTE = 0
    HOUR = 1
    DAY = 2
    ALL = 3


#: Amounts of money and scores are counted in whole millionths.
MICROS = 1_000_000

#: Every accepted event. Its buckets show which days, hours and minutes have data.
EVENTS = "events"
BOT_EVENTS = "bot_events"
EXCLUDED_EVENTS = "excluded_events"
#: Answers that are off the scale of their survey.
OFF_SCALE_EVENTS = "off_scale_events"
#: Ends, renewals without a price, and refunds of what was never seen. A late start or order takes them back.
UNMATCHED_EVENTS = "unmatched_events"
#: Events that their person's sessions, or their ticket, do not take in: there are too many already.
CROWDED_EVENTS = "crowded_events"
PAGE_VIEWS = "page_views"
CLICKS = "clicks"
IMPRESSIONS = "impressions"
#: Events in which a person acts: a click, a search, an order. Seeing a page is none.
INTERACTIONS = "interactions"

# Sessions, counted when they close, in the minute in which they started.
SESSIONS = "sessions"
#: First sessions of their person.
FIRST_SESSIONS = "first_sessions"
SESSION_PAGE_VIEWS = "session_page_views"
VIEWED_SESSIONS = "viewed_sessions"
BOUNCED_SESSIONS = "bounced_sessions"
SESSION_DURATION_MS = "session_duration_ms"
CARTED_SESSIONS = "carted_sessions"
ABANDONED_SESSIONS = "abandoned_cart_sessions"
CONVERTED_SESSIONS = "converted_sessions"
#: Events within sessions that reached a goal.
SESSION_GOALS = "session_goals"
ENGAGED_SESSIONS = "engaged_sessions"
#: Sessions with a duration above 0, if `duration.zero_sessions` excludes the others.
TIMED_SESSIONS = "timed_sessions"
#: By entry page: sessions, bounced sessions, sessions with a known time on that page, its sum.
LANDINGS = "landings"
LANDING_BOUNCES = "landing_bounces"
LANDINGS_TIMED = "landings_timed"
LANDING_MS = "landing_ms"
#: By page. An exit is counted at the last view of its session.
VIEWS_OF_PAGE = "views_of_page"
#: Views of a page whose name was too long, so that it ends early.
CUT_PAGES = "cut_pages"
EXITS = "exits"
SESSIONS_WITH_PAGE = "sessions_with_page"
#: Pairs of a session and a page: with a known time, with a known scroll depth (in 1/100 %).
PAGES_TIMED = "pages_timed"
ON_PAGE_MS = "on_page_ms"
PAGES_SCROLLED = "pages_scrolled"
SCROLL_DEPTH = "scroll_depth"
CONTENT_CLICKS = "content_clicks"
CONTENT_IMPRESSIONS = "content_impressions"
#: A histogram: its measures are "<name>#<bucket number>", see counters/histogram.py.
SESSION_DURATION = "session_duration"

# Distinct people. A rolling window is counted in the day or minute on which it ENDS.
ACTIVE_DAY = "people_day"
ACTIVE_7D = "people_7d"
ACTIVE_28D = "people_28d"
ACTIVE_30D = "people_30d"
#: Counted in the hour with which the window ends.
ACTIVE_24H = "people_24h"
ACTIVE_168H = "people_168h"
ACTIVE_WEEK = "people_week"
ACTIVE_MONTH = "people_month"
NEW_DAY = "new_people_day"
NEW_WEEK = "new_people_week"
NEW_MONTH = "new_people_month"
NEW_ALL = "new_people"
#: Everyone seen until the end of a day, for whole sites only.
KNOWN = "level_people"
CLICKERS_DAY = "clickers_day"
#: People active in the last `active.live_minutes` minutes.
LIVE = "people_live"

# Lifecycle, see people/lifecycle.py. Counted in the bucket of a period's first day.
# Retained: active in this period and in the one before. Dormant: active only in the one before.
# Histograms have the number of active days as their dimension.
RETAINED_DAY = "retained_day"
RETAINED_WEEK = "retained_week"
RETAINED_MONTH = "retained_month"
DORMANT_DAY = "dormant_day"
DORMANT_WEEK = "dormant_week"
DORMANT_MONTH = "dormant_month"
CHURN_RISK_DAY = "churn_risk_day"
#: People with a predicted churn risk, by day; the dimension that holds their band.
RISK_PEOPLE = "risk_people"
RISK_BAND = "risk_band"
#: Dimension of the histograms below.
ACTIVE_DAYS = "active_days"
ACTIVE_DAYS_WEEK = "active_days_week"
ACTIVE_DAYS_MONTH = "active_days_month"
ACTIVE_WEEKS = "active_weeks"
ACTIVE_WEEKS_MONTH = "active_weeks_month"
FIRST_WEEK = "back_in_first_week"
FIRST_WEEK_DAYS = "active_days_in_first_week"

# Customers. A level is the sum of its daily changes since the beginning.
CUSTOMERS_CHANGE = "customers_change"
MRR_CHANGE_MICROS = "mrr_change_micros"
CUSTOMER_STARTS = "customer_starts"
CUSTOMER_ENDS = "customer_ends"
LOST_30D = "customers_lost_30d"
LOST_MONTH = "customers_lost_month"
#: Starts of people who were never customers before.
FIRST_STARTS = "customer_first_starts"
INVOLUNTARY_ENDS = "customer_ends_involuntary"
LOST_INVOLUNTARY_30D = "customers_lost_involuntary_30d"
LOST_INVOLUNTARY_MONTH = "customers_lost_involuntary_month"
MRR_NEW_MICROS = "mrr_new_micros"
MRR_EXPANDED_MICROS = "mrr_expanded_micros"
MRR_CONTRACTED_MICROS = "mrr_contracted_micros"
MRR_CHURNED_MICROS = "mrr_churned_micros"
MRR_REACTIVATED_MICROS = "mrr_reactivated_micros"


def new_after(pause_days: int, period: str) -> str:
    """Return the measure of people who came to a day, week or month after `pause_days` without events."""
    return f"new_after_{pause_days}d_{period}"


def active_in(days: int) -> str:
    """Return the measure of distinct people in a window of `days` days, counted on its last day."""
    return ACTIVE_DAY if days == 1 else f"people_{days}d"


#: End of the measures of distinct people over the range of a report.
IN_RANGE = "_in_range"
#: Customers at the start of the range who left in it.
LOST, LOST_INVOLUNTARY = "customers_lost", "customers_lost_involuntary"
CARTS_ABANDONED = "carts_abandoned"
#: Measures that are counted in advance, at the time at which they fall due unless an event comes before.
SCHEDULED = frozenset({CARTS_ABANDONED})
#: Measures whose value is the sum of all buckets so far: pruning adds their old buckets together.
LEVELS = frozenset({CUSTOMERS_CHANGE, MRR_CHANGE_MICROS})
#: Prefix of every other level.
_LEVEL = "level_"


def in_range(measure: str) -> str:
    """Return the measure of the distinct people of a day measure over the range of a report."""
    return measure + IN_RANGE


def is_level(measure: str) -> bool:
    """Return whether a measure's value is the sum of all its buckets so far."""
    return measure.startswith(_LEVEL) or measure in LEVELS


def scroll_reached(percent: int) -> str:
    """Return the measure of pairs of a session and a page scrolled to `percent` or deeper."""
    return f"scroll_reached_{percent}"
