"""The tables of engage.toml that say who is active, who returns, and who has left."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.events import EVENT_TYPES
from stream.settings.connections import AtLeastOne, Table
from stream.settings.definitions import Selection

#: A probability between the certain ones.
Risk = Annotated[float, Meta(gt=0, lt=1)]
RetentionDay = Annotated[int, Meta(ge=1, le=30)]


class ActiveSettings(Table, frozen=True, kw_only=True):
    passive_types: Annotated[
        tuple[str, ...], "events that happen to a person rather than being done by them"
    ] = tuple(name for name, kind in EVENT_TYPES.items() if kind.passive)
    week: Annotated[
        Literal["7d", "calendar"], "weekly actives: 7 days that end with the day, or weeks"
    ] = "7d"
    month: Annotated[
        Literal["28d", "30d", "calendar"], "monthly actives: 28 days have all weekdays alike"
    ] = "28d"
    rolling_hours: Annotated[
        bool, "also the people of the last 24 and 168 hours, hour by hour; keeps their hours"
    ] = False
    live_minutes: Annotated[
        Literal[5, 30], "live visitors: 5 minutes, or 30 as Google Analytics has it"
    ] = 5


class StickinessSettings(Table, frozen=True, kw_only=True):
    numerator: Annotated[
        Literal["mean_dau", "last_full_day", "today"],
        "mean_dau: of all days of the window; else its last day, of which the gauge shows today's or "
        "the day before",
    ] = "mean_dau"
    base: Annotated[Literal["month", "week"], "whose people: active.month or active.week"] = "month"

    interval: Annotated[
        Literal["day", "week"],
        "week: people also by the number of weeks of the month in which they came (active_weeks)",
    ] = "day"


class NewSettings(Table, frozen=True, kw_only=True):
    lookback_days: Annotated[
        Annotated[int, Meta(ge=0, le=30)],
        "new visitors: those never seen before (0), or not in so many days before they come to the "
        "period; 30 at most, as far back as days of a month are kept",
    ] = 0
    basis: Annotated[
        Literal["person", "session"],
        "person: new and returning people; session: visits, of which a person's first one is new and "
        "all others are returning, as Matomo has it",
    ] = "person"


class InteractionSettings(Table, frozen=True, kw_only=True):
    events: Annotated[
        tuple[str, ...],
        "types that interaction_frequency counts; empty: all by which somebody does more than look. A "
        "bounce has its own: bounce.interactive_events",
    ] = ()
    window_days: Annotated[
        Literal[1, 7, 28], "per person active in a week, the rhythm of most products"
    ] = 7


class RetentionSettings(Table, frozen=True, kw_only=True):
    days: Annotated[
        Annotated[tuple[RetentionDay, ...], Meta(max_length=8)],
        "each N is a metric retention_dN; 30 at most, as far back as records are looked at anew",
    ] = (1, 7, 30)
    type: Annotated[
        Literal["n_day", "bracket", "unbounded"],
        "n_day: active on day N exactly; bracket: on any of 1 to N; unbounded: on N or later, "
        "up to day 60",
    ] = "n_day"
    cohort: Annotated[
        Literal["first_time", "recurring"],
        "first_time: who was new on the day; recurring: all who were active on it",
    ] = "first_time"
    start: Annotated[
        Selection, "what begins a cohort in the triangles of a report; no type: any active event"
    ] = Selection()
    returning: Annotated[
        Selection, "what counts as coming back in the triangles; no type: any active event"
    ] = Selection()


class FirstWeekSettings(Table, frozen=True, kw_only=True):
    days: Annotated[
        Annotated[int, Meta(ge=2, le=30)],
        "a week: newcomers are active again on one of the days 1 to 6; 30 at most, as retention has it",
    ] = 7
    activation_event: Annotated[
        Selection,
        "what newcomers must do in their first days, day 0 included; no type: be active again. It keeps "
        "these events for a month",
    ] = Selection()
    min_events: Annotated[
        AtLeastOne,
        "how often: events of activation_event; without one active days, of which day 0 is none",
    ] = 1
    clock: Annotated[
        Literal["calendar", "user_24h"],
        "calendar: days of the site; user_24h: each newcomer's own, 24 hours from the hour of the first "
        "event on, as Amplitude has it, which keeps the hours of their first days",
    ] = "calendar"


class ChurnRiskSettings(Table, frozen=True, kw_only=True):
    enabled: Annotated[
        bool, "a model learns from every day who stays away; needs engagement-stream[predict]"
    ] = False
    horizon_days: Annotated[
        Annotated[int, Meta(ge=1, le=30)],
        "the risk is that of no active day in so many; 30 at most, as far back as days are kept",
    ] = 14
    low_below: Annotated[Risk, "a lower risk is in the band `low`"] = 0.3
    high_from: Annotated[Risk, "a risk from here on is in the band `high`"] = 0.7
    examples_min: Annotated[
        Annotated[int, Meta(ge=1)],
        "a shard's model must have learned from so many people and days before its risks count",
    ] = 500
    examples_max: Annotated[
        Annotated[int, Meta(ge=1)], "learned from a day and shard, drawn evenly: bounds the work"
    ] = 2_000
    topic: Annotated[
        str, 'output: a record a person and day, with the id; "": nothing leaves but counts'
    ] = ""


class ChurnSettings(Table, frozen=True, kw_only=True):
    denominator: Annotated[
        Literal["start", "start_plus_new", "average", "daily_sum"],
        "start: the textbook's; start_plus_new: Stripe's; average: of the start and the end; "
        "daily_sum: the rates of the days, added up",
    ] = "start"
    effective: Annotated[
        Literal["period_end", "request"],
        "period_end: who cancels leaves when what is paid is over; request: when they cancel, until a "
        "renewal takes it back",
    ] = "period_end"
    behavioural_inactive_days: Annotated[
        Annotated[int, Meta(ge=7, le=30)],
        "who comes on none of so many days, after so many in which they came, has left: four weeks",
    ] = 28
    grace_period_days: Annotated[
        Annotated[int, Meta(ge=0, le=365)],
        "how long after an involuntary end its customer stays one; a renewal within it undoes the end",
    ] = 0
    involuntary_reasons: Annotated[
        tuple[str, ...], "of cancellations and ends that the customer did not want"
    ] = (
        "involuntary", "payment_failed", "card_expired", "card_declined", "insufficient_funds",
        "past_due", "unpaid", "delinquent",
    )  # fmt: skip
