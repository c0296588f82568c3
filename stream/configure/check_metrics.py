"""The rules between the settings of metrics: sessions, reading, retention, scores, support, predictions."""

from collections.abc import Iterator
from datetime import date

from schemas.events import EVENT_TYPES
from stream.churn.model import MISSING, is_installed
from stream.history.event_filter import mistakes
from stream.settings.application import Settings
from stream.settings.customers import TOP_BOX
from stream.settings.definitions import Selection

#: Days that are kept beyond a window and the one before it, for what is late.
_SPARE_DAYS = 10
#: How long a ticket is looked at, and the longest window that its opening is in.
_TICKET_DAYS = 365 + 30


def metric_rules(settings: Settings) -> Iterator[str]:
    """One sentence for each that is broken."""
    for part in (
        _sessions, _session_ids, _reading, _stickiness, _new, _retention, _service, _prediction,
    ):  # fmt: skip
        yield from part(settings)


def _prediction(settings: Settings) -> Iterator[str]:
    risk = settings.churn_risk
    if risk.enabled and not is_installed():
        yield f"churn_risk.enabled: {MISSING}"
    if risk.low_below > risk.high_from:
        yield (
            f"churn_risk.low_below: {risk.low_below:g} is above churn_risk.high_from "
            f"{risk.high_from:g}; nobody would be in between"
        )


def _service(settings: Settings) -> Iterator[str]:
    survey, support = settings.survey, settings.support
    if survey.csat_satisfied_min > survey.csat_scale:
        yield (
            f"survey.csat_satisfied_min: {survey.csat_satisfied_min} is above survey.csat_scale "
            f"{survey.csat_scale}; nobody could be satisfied"
        )
    if survey.ces_mode == "top_box" and survey.ces_scale <= TOP_BOX:
        yield (
            f"survey.ces_mode: top_box takes the easiest {TOP_BOX} of a survey.ces_scale of "
            f"{survey.ces_scale}, which is every answer; use mean or a longer scale"
        )
    needed = 2 * survey.window_days + _SPARE_DAYS
    if settings.time.day_retention_days < needed:
        yield (
            f"survey.window_days: {survey.window_days} and the window before it do not fit in "
            f"time.day_retention_days, {settings.time.day_retention_days}; raise that to {needed}"
        )
    if support.response_bucket == "opened" and settings.time.day_retention_days < _TICKET_DAYS:
        yield (
            "support.response_bucket: opened changes windows of a year ago, and "
            f"time.day_retention_days keeps {settings.time.day_retention_days}; raise that to "
            f"{_TICKET_DAYS}"
        )
    for kind in set(settings.social.weights) - set(settings.social.engagement_kinds):
        yield (
            f"social.weights: {kind} has a weight, but is not among social.engagement_kinds and "
            "counts nowhere; name it there or take it out"
        )
    opens, _, closes = support.business_hours.partition("-")
    if closes and closes <= opens:
        yield f"support.business_hours: {support.business_hours} ends before it begins; swap them"
    if closes and not support.business_days:
        yield "support.business_days: none is named, so no time would count; name one"
    for day in support.holidays:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield f"support.holidays: {day!r} is no day of the calendar; use one as 2025-12-25"


def _session_ids(settings: Settings) -> Iterator[str]:
    session, time = settings.session, settings.time
    for platform, seconds in session.timeout_by_platform.items():
        if seconds >= session.max_duration_hours * 3600:
            yield (
                f"session.timeout_by_platform.{platform[:80]}: {seconds} s are not shorter than "
                f"session.max_duration_hours, {session.max_duration_hours} h; lower it"
            )
    horizon = time.allowed_lateness_seconds + time.correction_window_seconds
    if 0 < session.id_max_hours * 3600 < horizon:
        yield (
            f"session.id_max_hours: {session.id_max_hours} h are shorter than events may be late, "
            f"{horizon} s (time.allowed_lateness_seconds + time.correction_window_seconds), so that the "
            "first event of an id could come last; raise the one or lower the others"
        )


def _reading(settings: Settings) -> Iterator[str]:
    on_page, scroll = settings.time_on_page, settings.scroll
    if on_page.mode == "pings" and not on_page.heartbeat_seconds:
        yield (
            'time_on_page.heartbeat_seconds: 0 with time_on_page.mode = "pings" leaves no interval to '
            "count; give the tracker's, such as 10"
        )
    if len(set(scroll.thresholds)) < len(scroll.thresholds):
        yield f"scroll.thresholds: {list(scroll.thresholds)} names one twice; remove it"


def _sessions(settings: Settings) -> Iterator[str]:
    session = settings.session
    if session.timeout_seconds >= session.max_duration_hours * 3600:
        yield (
            f"session.timeout_seconds: {session.timeout_seconds} s are not shorter than "
            f"session.max_duration_hours, {session.max_duration_hours} h; lower the one or raise "
            "the other"
        )


def _retention(settings: Settings) -> Iterator[str]:
    retention = settings.retention
    for key, selection in (("start", retention.start), ("returning", retention.returning)):
        if selection.type or selection.where:
            yield from mistakes(f"retention.{key}", selection)
    first = settings.first_week
    if first.activation_event != Selection():
        yield from mistakes("first_week.activation_event", first.activation_event)
        if first.activation_event.type in settings.active.passive_types:
            yield (
                f"first_week.activation_event.type: {first.activation_event.type} makes nobody active; "
                "choose another type, or take it out of active.passive_types"
            )
        kind = EVENT_TYPES.get(first.activation_event.type)
        if kind is not None and not kind.has_person:
            yield (
                f"first_week.activation_event.type: {first.activation_event.type} is about no one "
                "person; choose another type"
            )
    elif first.min_events >= first.days:
        yield (
            f"first_week.min_events: {first.min_events} are more days than the {first.days - 1} after "
            "the first one; lower it, or raise first_week.days"
        )
    if len(set(retention.days)) < len(retention.days):
        yield f"retention.days: {list(retention.days)} names a day twice; name each once"


def _new(settings: Settings) -> Iterator[str]:
    if settings.new.basis != "session":
        return
    if settings.new.lookback_days:
        yield (
            f"new.lookback_days: {settings.new.lookback_days} is about people, and new.basis is "
            "session; set it to 0 or the basis to person"
        )
    if settings.session.id_scope == "site":
        yield (
            'new.basis: session needs visits that are of somebody, and with session.id_scope = "site" '
            "those with an id are nobody's own; choose person or visitor"
        )


def _stickiness(settings: Settings) -> Iterator[str]:
    sticky, active = settings.stickiness, settings.active
    base = active.month if sticky.base == "month" else active.week
    if sticky.numerator != "mean_dau" and base == "calendar":
        yield (
            f"stickiness.numerator: {sticky.numerator} needs a window that ends with the day, and "
            f"active.{sticky.base} is calendar; choose mean_dau or another active.{sticky.base}"
        )
