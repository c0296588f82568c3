"""The additive measures that the shard counts, each with the grains of time its metrics need."""

from enum import IntEnum


class Grain(IntEnum):
    """Length of a time bucket. A bucket's index is an epoch minute (MINUTE, HOUR), a day's ordinal, or 0."""

    MINUTE = 0
    HOUR = 1
    DAY = 2
    ALL = 3


#: Amounts of money and scores are counted as whole millionths.
MICROS = 1_000_000

#: Every accepted event; also tells which days, hours and minutes have data.
EVENTS = "events"
BOT_EVENTS = "bot_events"
EXCLUDED_EVENTS = "excluded_events"
PAGE_VIEWS = "page_views"
CLICKS = "clicks"
IMPRESSIONS = "impressions"
#: Events that somebody does something with: a click, a search, an order; not seeing a page.
INTERACTIONS = "interactions"

# Sessions, counted when they close, at the minute in which they started.
SESSIONS = "sessions"
#: Those that are the first of their person.
FIRST_SESSIONS = "first_sessions"
SESSION_PAGE_VIEWS = "session_page_views"
VIEWED_SESSIONS = "viewed_sessions"
BOUNCED_SESSIONS = "bounced_sessions"
SESSION_DURATION_MS = "session_duration_ms"
CARTED_SESSIONS = "carted_sessions"
ABANDONED_SESSIONS = "abandoned_cart_sessions"
CONVERTED_SESSIONS = "converted_sessions"
#: Events of theirs that reached a goal, each of them.
SESSION_GOALS = "session_goals"
ENGAGED_SESSIONS = "engaged_sessions"
#: Those that last, where the others are no part of the duration.
TIMED_SESSIONS = "timed_sessions"
#: By entry page: sessions, and those that bounced. The page's time: sessions where it is known, its sum.
LANDINGS = "landings"
LANDING_BOUNCES = "landing_bounces"
LANDINGS_TIMED = "landings_timed"
LANDING_MS = "landing_ms"
#: By page; exits at the last view of their session.
VIEWS_OF_PAGE = "views_of_page"
EXITS = "exits"
SESSIONS_WITH_PAGE = "sessions_with_page"
#: Pairs of a session and a page: with a known time, with a known scroll depth (hundredths of a percent).
PAGES_TIMED = "pages_timed"
ON_PAGE_MS = "on_page_ms"
PAGES_SCROLLED = "pages_scrolled"
SCROLL_DEPTH = "scroll_depth"
CONTENT_CLICKS = "content_clicks"
CONTENT_IMPRESSIONS = "content_impressions"
#: A histogram: its measures are "<name>#<number of a log-scale bucket>".
SESSION_DURATION = "session_duration"

# Distinct people. The rolling ones are counted in the day (minute) on which a window ENDS.
ACTIVE_DAY = "people_day"
ACTIVE_7D = "people_7d"
ACTIVE_28D = "people_28d"
ACTIVE_30D = "people_30d"
#: In the hour with which a window ends.
ACTIVE_24H = "people_24h"
ACTIVE_168H = "people_168h"
ACTIVE_WEEK = "people_week"
ACTIVE_MONTH = "people_month"
NEW_DAY = "new_people_day"
NEW_WEEK = "new_people_week"
NEW_MONTH = "new_people_month"
NEW_ALL = "new_people"
#: Everybody until the end of a day, of whole sites.
KNOWN = "level_people"
CLICKERS_DAY = "clickers_day"
#: In as many minutes as the settings say.
LIVE = "people_live"

# Habits, see stream/people/lifecycle.py. By period, in the bucket of its first day: active also in the period
# before, or only in that one. Histograms have the number of active days as a dimension.
RETAINED_DAY = "retained_day"
RETAINED_WEEK = "retained_week"
RETAINED_MONTH = "retained_month"
DORMANT_DAY = "dormant_day"
DORMANT_WEEK = "dormant_week"
DORMANT_MONTH = "dormant_month"
CHURN_RISK_DAY = "churn_risk_day"
#: People whose risk a model has predicted, of the day and by band; its dimension.
RISK_PEOPLE = "risk_people"
RISK_BAND = "risk_band"
#: Their dimension.
ACTIVE_DAYS = "active_days"
ACTIVE_DAYS_WEEK = "active_days_week"
ACTIVE_DAYS_MONTH = "active_days_month"
ACTIVE_WEEKS = "active_weeks"
ACTIVE_WEEKS_MONTH = "active_weeks_month"
FIRST_WEEK = "back_in_first_week"
FIRST_WEEK_DAYS = "active_days_in_first_week"

# Customers. Levels are changes by day, to be summed from the beginning.
CUSTOMERS_CHANGE = "customers_change"
MRR_CHANGE_MICROS = "mrr_change_micros"
CUSTOMER_STARTS = "customer_starts"
CUSTOMER_ENDS = "customer_ends"
LOST_30D = "customers_lost_30d"
LOST_MONTH = "customers_lost_month"
#: Starts of customers who never were one before.
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
    """The measure of people who stayed away for so many days before they came to a day, week or month."""
    return f"new_after_{pause_days}d_{period}"


def active_in(days: int) -> str:
    """The measure of distinct people in so many days, counted on the day with which they end."""
    return ACTIVE_DAY if days == 1 else f"people_{days}d"


#: Measures whose value is the sum of all buckets so far: never pruned, but folded together.
LEVELS = frozenset({CUSTOMERS_CHANGE, MRR_CHANGE_MICROS})
#: Other levels say so by how their names begin.
_LEVEL = "level_"


def is_level(measure: str) -> bool:
    """Whether the value of a measure is the sum of all its buckets so far."""
    return measure.startswith(_LEVEL) or measure in LEVELS


def scroll_reached(percent: int) -> str:
    """The measure of pairs of a session and a page that was scrolled so far."""
    return f"scroll_reached_{percent}"
