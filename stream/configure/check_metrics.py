"""Checks the settings of metrics against each other: sessions, pages, retention, scores, support, churn."""

from collections.abc import Iterator
from datetime import date

from stream.churn.model import MISSING, is_installed
from stream.configure.check_events import of_active_people, of_people, possible_selection
from stream.settings.application import Settings
from stream.settings.customers import TOP_BOX
from stream.settings.definitions import Selection

#: Days kept beyond a window and the one before it, for late events.
_SPARE_DAYS = 10
#: A ticket is open for at most a year, and its opening is in a window of at most 30 days.
_TICKET_DAYS = 365 + 30


def metric_rules(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each pair of settings that cannot be used together."""
    for part in (
        _sessions, _session_ids, _pages, _clicks, _stickiness, _new, _retention, _first_week,
        _surveys, _support, _social, _prediction,
    ):  # fmt: skip
        yield from part(settings)


def _prediction(settings: Settings) -> Iterator[str]:
    risk = settings.churn_risk
    if risk.enabled and not is_installed():
        yield f"churn_risk.enabled: {MISSING}"
    if risk.low_below > risk.high_from:
        yield (
            f"churn_risk.low_below: {risk.low_below:g} is above churn_risk.high_from "
            f"{risk.high_from:g}; the middle band would be empty"
        )


def _surveys(settings: Settings) -> Iterator[str]:
    survey = settings.survey
    if survey.csat_satisfied_min > survey.csat_scale:
        yield (
            f"survey.csat_satisfied_min: {survey.csat_satisfied_min} is above survey.csat_scale "
            f"{survey.csat_scale}; no answer could be satisfied"
        )
    if survey.ces_mode == "top_box" and survey.ces_scale <= TOP_BOX:
        yield (
            f"survey.ces_mode: top_box takes the easiest {TOP_BOX} of a survey.ces_scale of "
            f"{survey.ces_scale}, which is every answer; use mean or a longer scale"
        )
    needed = 2 * survey.window_days + _SPARE_DAYS
    if settings.time.day_retention_days < needed:
        yield (
            f"survey.window_days: two windows of {survey.window_days} days do not fit in "
            f"time.day_retention_days, {settings.time.day_retention_days}; raise that to {needed}"
        )


def _support(settings: Settings) -> Iterator[str]:
    support = settings.support
    if support.response_bucket == "opened" and settings.time.day_retention_days < _TICKET_DAYS:
        yield (
            "support.response_bucket: opened changes windows up to a year old, and "
            f"time.day_retention_days keeps {settings.time.day_retention_days}; raise that to "
            f"{_TICKET_DAYS}"
        )
    opens, _, closes = support.business_hours.partition("-")
    if closes and closes <= opens:
        yield f"support.business_hours: {support.business_hours} ends before it begins; swap them"
    if closes and not support.business_days:
        yield "support.business_days: is empty, so no time would count; name a day"
    for day in support.holidays:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield f"support.holidays: {day!r} is not a calendar day; write one like 2025-12-25"


def _social(settings: Settings) -> Iterator[str]:
    for kind in set(settings.social.weights) - set(settings.social.engagement_kinds):
        yield (
            f"social.weights: {kind} has a weight but is not among social.engagement_kinds, so it "
            "never counts; name it there, or take it out"
        )


def _session_ids(settings: Settings) -> Iterator[str]:
    session, time = settings.session, settings.time
    for platform, seconds in session.timeout_by_platform.items():
        if seconds >= session.max_duration_hours * 3600:
            yield (
                f"session.timeout_by_platform.{platform[:80]}: {seconds} s is not shorter than "
                f"session.max_duration_hours, {session.max_duration_hours} h; lower it"
            )
    horizon = time.allowed_lateness_seconds + time.correction_window_seconds
    if 0 < session.id_max_hours * 3600 < horizon:
        yield (
            f"session.id_max_hours: {session.id_max_hours} h is shorter than an event may be late, "
            f"{horizon} s (time.allowed_lateness_seconds + time.correction_window_seconds): the first "
            "event of an id could come last; raise this, or lower those"
        )


def _pages(settings: Settings) -> Iterator[str]:
    on_page, scroll = settings.time_on_page, settings.scroll
    if on_page.mode == "pings" and not on_page.heartbeat_seconds:
        yield (
            'time_on_page.heartbeat_seconds: 0 with time_on_page.mode = "pings" leaves no interval to '
            "count; set the tracker's interval, such as 10"
        )
    if len(set(scroll.thresholds)) < len(scroll.thresholds):
        yield f"scroll.thresholds: {list(scroll.thresholds)} names one twice; remove it"


def _clicks(settings: Settings) -> Iterator[str]:
    if settings.ctr.match_impression and settings.ctr.denominator == "page_views":
        yield (
            "ctr.match_impression: clicks of impressions are not a share of page views; set "
            "ctr.denominator to impressions, or this to false"
        )


def _sessions(settings: Settings) -> Iterator[str]:
    session = settings.session
    if session.timeout_seconds >= session.max_duration_hours * 3600:
        yield (
            f"session.timeout_seconds: {session.timeout_seconds} s is not shorter than "
            f"session.max_duration_hours, {session.max_duration_hours} h; lower this, or raise that"
        )


def _retention(settings: Settings) -> Iterator[str]:
    retention = settings.retention
    for key, selection in (("start", retention.start), ("returning", retention.returning)):
        if selection != Selection():
            yield from possible_selection(f"retention.{key}", selection, settings.pages)
            yield from of_people(f"retention.{key}.type", selection.type)
    if len(set(retention.days)) < len(retention.days):
        yield f"retention.days: {list(retention.days)} names a day twice; name each once"


def _first_week(settings: Settings) -> Iterator[str]:
    first, key = settings.first_week, "first_week.activation_event"
    if first.activation_event != Selection():
        yield from possible_selection(key, first.activation_event, settings.pages)
        yield from of_active_people(f"{key}.type", first.activation_event.type, settings)
    elif first.min_events >= first.days:
        yield (
            f"first_week.min_events: {first.min_events} is more than the {first.days - 1} days after "
            "the first one; lower it, or raise first_week.days"
        )


def _new(settings: Settings) -> Iterator[str]:
    if settings.new.basis != "session":
        return
    if settings.new.lookback_days:
        yield (
            f"new.lookback_days: {settings.new.lookback_days} is for people, and new.basis is "
            "session; set this to 0, or new.basis to person"
        )
    if settings.session.id_scope == "site":
        yield (
            'new.basis: session needs a person for each session, and with session.id_scope = "site" '
            "several people share one; set this to person, or session.id_scope to visitor"
        )


def _stickiness(settings: Settings) -> Iterator[str]:
    sticky, active = settings.stickiness, settings.active
    base = active.month if sticky.base == "month" else active.week
    if sticky.numerator != "mean_dau" and base == "calendar":
        yield (
            f"stickiness.numerator: {sticky.numerator} needs a window that ends with the day, and "
            f"active.{sticky.base} is calendar; choose mean_dau, or another active.{sticky.base}"
        )
