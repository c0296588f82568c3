"""Settings of people: active, new and returning ones."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.events import EVENT_TYPES
from stream.settings.definitions import Selection
from stream.settings.table import AtLeastOne, Help, Table

RetentionDay = Annotated[int, Meta(ge=1, le=30)]


class ActiveSettings(Table, frozen=True, kw_only=True):
    """Active people, over a day, a week, a month and now."""

    passive_types: Annotated[
        tuple[str, ...],
        Help(
            "Event types that do not make their person active.",
            why="The default leaves out what happens to a person instead of being done by them. Nor "
            "do messages and tickets of support, and cancellations for churn.involuntary_reasons.",
        ),
    ] = tuple(name for name, kind in EVENT_TYPES.items() if kind.passive)
    week: Annotated[
        Literal["7d", "calendar"],
        Help(
            "Window of weekly_active_users.",
            {"7d": "7 days that end with the day", "calendar": "the calendar week"},
        ),
    ] = "7d"
    month: Annotated[
        Literal["28d", "30d", "calendar"],
        Help(
            "Window of monthly_active_users.",
            {
                "28d": "28 days that end with the day",
                "30d": "30 days that end with the day",
                "calendar": "the calendar month",
            },
            "28 days hold each weekday four times.",
        ),
    ] = "28d"
    rolling_hours: Annotated[
        bool,
        Help(
            "Whether active people of the last 24 and 168 hours are counted each hour.",
            {"true": "they are; keeps the active hours of people", "false": "they are not"},
        ),
    ] = False
    live_minutes: Annotated[
        Literal[5, 30],
        Help(
            "Window of live_visitors.",
            {"5": "5 minutes", "30": "30 minutes, as in Google Analytics"},
        ),
    ] = 5


class StickinessSettings(Table, frozen=True, kw_only=True):
    """Stickiness: daily active people ÷ active people of a week or month."""

    numerator: Annotated[
        Literal["mean_dau", "last_full_day", "today"],
        Help(
            "Which day is divided by the window.",
            {
                "mean_dau": "the mean of all its days",
                "last_full_day": "its last day; the gauge shows the day before today",
                "today": "its last day; the gauge shows today",
            },
            "The mean does not depend on the weekday.",
        ),
    ] = "mean_dau"
    base: Annotated[
        Literal["month", "week"],
        Help(
            "Window that the day is divided by.",
            {"month": "that of active.month", "week": "that of active.week"},
        ),
    ] = "month"
    interval: Annotated[
        Literal["day", "week"],
        Help(
            "How often people come: the distribution that is published.",
            {
                "day": "by active days",
                "week": "by active days, and by active weeks of the month (active_weeks)",
            },
        ),
    ] = "day"


class NewSettings(Table, frozen=True, kw_only=True):
    """New and returning people."""

    lookback_days: Annotated[
        Annotated[int, Meta(ge=0, le=30)],
        Help(
            "Days of absence after which a person is new again.",
            {"0": "a person is new only once"},
            "At most 30: so far back are the active days of people kept.",
        ),
    ] = 0
    basis: Annotated[
        Literal["person", "session"],
        Help(
            "What is new or returning.",
            {
                "person": "people",
                "session": "sessions: a person's first one is new, all others return, as in Matomo",
            },
        ),
    ] = "person"


class InteractionSettings(Table, frozen=True, kw_only=True):
    """Interactions of active people."""

    events: Annotated[
        tuple[str, ...],
        Help(
            "Event types that interaction_frequency counts. Bounces have their own list, "
            "bounce.interactive_events.",
            {"[]": "clicks, custom events, features, carts, orders and goals"},
            example='events = ["click", "custom"]',
        ),
    ] = ()
    window_days: Annotated[
        Literal[1, 7, 28],
        Help(
            "Days over which interaction_frequency is taken.",
            {"1": "a day", "7": "a week", "28": "four weeks"},
            "A week is the rhythm of most products.",
        ),
    ] = 7


class RetentionSettings(Table, frozen=True, kw_only=True):
    """Retention: who of a day's people comes back."""

    days: Annotated[
        Annotated[tuple[RetentionDay, ...], Meta(max_length=8)],
        Help(
            "Days N after the first; each has a metric retention_dN.",
            why="At most 30: so far back are records corrected.",
        ),
    ] = (1, 7, 30)
    type: Annotated[
        Literal["n_day", "bracket", "unbounded"],
        Help(
            "When a person has come back.",
            {
                "n_day": "active on day N",
                "bracket": "active on one of the days 1 to N",
                "unbounded": "active on day N or later, up to day 60",
            },
        ),
    ] = "n_day"
    cohort: Annotated[
        Literal["first_time", "recurring"],
        Help(
            "Whose return is measured.",
            {
                "first_time": "people who were new on the day",
                "recurring": "all people who were active on the day",
            },
        ),
    ] = "first_time"
    start: Annotated[
        Selection,
        Help(
            "Events that begin a cohort, in the triangles of `engage report --retention`.",
            {"no type": "any active event"},
            example='start = { type = "order" }',
        ),
    ] = Selection()
    returning: Annotated[
        Selection,
        Help(
            "Events that count as coming back, in the triangles of `engage report --retention`.",
            {"no type": "any active event"},
            example='returning = { type = "page_view" }',
        ),
    ] = Selection()


class FirstWeekSettings(Table, frozen=True, kw_only=True):
    """First days of newcomers, in first_week_engagement."""

    days: Annotated[
        Annotated[int, Meta(ge=2, le=30)],
        Help(
            "Length of the first days: newcomers are active again on one of the days 1 to N − 1.",
            why="A week. At most 30, as for retention.",
        ),
    ] = 7
    activation_event: Annotated[
        Selection,
        Help(
            "Events that newcomers must send in their first days, day 0 included. Keeps these events "
            "for a month.",
            {"no type": "they must be active again"},
            example='activation_event = { type = "order" }',
        ),
    ] = Selection()
    min_events: Annotated[
        AtLeastOne,
        Help(
            "How often: events of first_week.activation_event, or without one, active days after "
            "day 0.",
        ),
    ] = 1
    clock: Annotated[
        Literal["calendar", "user_24h"],
        Help(
            "What a day of a newcomer is.",
            {
                "calendar": "a day of the site",
                "user_24h": "24 hours from the hour of the first event, as in Amplitude; keeps the "
                "active hours of the first days",
            },
        ),
    ] = "calendar"
