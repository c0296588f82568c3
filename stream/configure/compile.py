"""Compiles checked settings into the rules of the engine: milliseconds, event rules, predicates."""

from collections.abc import Callable, Mapping, Sequence

from stream.churn.risk import RiskRules
from stream.counters.calendar import DAY_MS, HOUR_MS, Calendar
from stream.counters.measures import RISK_BAND, scroll_reached
from stream.engine.event_rules import BOT, build_event_rules, interactive
from stream.engine.exclusions import build_exclusions
from stream.engine.rules import Rules
from stream.history.events import EventCounter
from stream.metrics.catalogue import aggregates, event_counters
from stream.metrics.themes.goals import session_marks
from stream.metrics.themes.retention import lifecycle_rules
from stream.people.first_days import activation
from stream.sessions.pages import PAGE
from stream.sessions.rules import ID_REACH_MS, SessionRules
from stream.sessions.session import CONVERTED, Session
from stream.settings.application import Settings


def build_rules(settings: Settings, watching: Sequence[EventCounter] = ()) -> Rules:
    """Rules from a checked configuration; `watching` are tallies beside those of the metrics."""
    calendar_of = _calendars(settings)
    corrects = settings.time.late_policy == "update"
    return Rules(
        event_rules=build_event_rules(
            settings.active.passive_types,
            aggregates(settings),
            (*event_counters(settings), *watching),
            session_marks(settings),
            interactive(settings.interaction.events, settings.bounce.interactive_events),
            "*"
            if settings.first_week.clock == "user_24h"
            else settings.first_week.activation_event.type,
        ),
        sessions=_session_rules(settings),
        lifecycle=lifecycle_rules(settings),
        calendar_of=calendar_of,
        dimensions=settings.dimensions,
        values_max=settings.dimension_values_max,
        own_max={PAGE: settings.pages.values_max, RISK_BAND: 3},
        page_hosts=settings.pages.hosts,
        live_minutes=settings.active.live_minutes,
        rolling_hours=settings.active.rolling_hours,
        by_user=settings.identity == "user",
        currency=settings.currency,
        lateness_ms=settings.time.allowed_lateness_seconds * 1000,
        correction_ms=corrects * settings.time.correction_window_seconds * 1000,
        drops_late=settings.time.late_policy == "drop",
        future_skew_ms=settings.time.max_future_skew_seconds * 1000,
        dedupe_ms=settings.dedupe.window_seconds * 1000,
        ids_max=settings.dedupe.ids_max,
        hour_retention_ms=settings.time.hour_retention_days * DAY_MS,
        retention_days=settings.time.day_retention_days,
        involuntary=frozenset(reason.lower() for reason in settings.churn.involuntary_reasons),
        grace_ms=settings.churn.grace_period_days * DAY_MS,
        cancels_at_once=settings.churn.effective == "request",
        activation=activation(settings.first_week),
        bot_rule=BOT if settings.bots.mode == "exclude" else None,
        exclusions=build_exclusions(settings),
        churn_risk=_risk_rules(settings, calendar_of),
    )


def _risk_rules(settings: Settings, calendar_of: Callable[[str], Calendar]) -> RiskRules | None:
    knobs = settings.churn_risk
    if not knobs.enabled:
        return None
    return RiskRules(
        horizon_days=knobs.horizon_days,
        low_below=knobs.low_below,
        high_from=knobs.high_from,
        examples_min=knobs.examples_min,
        examples_max=knobs.examples_max,
        publishes_people=bool(knobs.topic),
        calendars=tuple(calendar_of(site) for site in ("", *settings.sites)),
    )


def _session_rules(settings: Settings) -> SessionRules:
    timeout_ms = settings.session.timeout_seconds * 1000
    return SessionRules(
        timeout_ms=timeout_ms,
        # A gap of exactly the timeout continues the session, unless the boundary is `gte`.
        reach_ms=timeout_ms - (settings.session.boundary == "gte"),
        max_duration_ms=settings.session.max_duration_hours * HOUR_MS,
        timeout_by_platform={
            platform: (seconds * 1000, seconds * 1000 - (settings.session.boundary == "gte"))
            for platform, seconds in settings.session.timeout_by_platform.items()
        },
        split_on_campaign_change=settings.session.split_on_campaign_change,
        platform_field=settings.session.platform_field,
        has_split_keys=settings.session.split_on_campaign_change
        or bool(settings.session.timeout_by_platform),
        split_at_midnight=settings.session.split_at_midnight,
        source_has_ids=settings.session.source != "gap",
        source_has_gaps=settings.session.source != "id",
        bounced=_bounce_rule(settings),
        engaged=_engaged_rule(settings),
        heartbeat_ms=settings.time_on_page.heartbeat_seconds * 1000,
        exit_denominator_is_sessions=settings.exit.denominator == "sessions",
        mode_is_next_pageview=settings.time_on_page.mode == "next_pageview",
        scroll_thresholds=tuple((n, scroll_reached(n)) for n in settings.scroll.thresholds),
        last_page=settings.time_on_page.last_page,
        keep_path=settings.exit.denominator == "sessions"
        or settings.time_on_page.mode == "next_pageview"
        or settings.pages.count == "unique_pages",
        keep_actions=settings.pages.count == "actions",
        count_is_page_view_ids=settings.pages.count == "page_view_ids",
        keep_page_pings=settings.pages.count == "page_view_ids"
        or settings.time_on_page.mode == "pings"
        or settings.scroll.basis == "page_view",
        scroll_basis_is_page_view=settings.scroll.basis == "page_view",
        mode_is_pings=settings.time_on_page.mode == "pings",
        min_visit_ms=settings.time_on_page.min_visit_seconds * 1000,
        new_basis_is_session=settings.new.basis == "session",
        include_open=settings.session.include_open,
        assign_is_end=settings.session.assign == "end",
        count_pages=_PAGES_COUNTED[settings.pages.count],
        duration_basis_is_engaged=settings.duration.basis == "engaged",
        whole_seconds=settings.duration.whole_seconds,
        duration_cap_ms=settings.duration.cap_seconds * 1000,
        zero_sessions_is_exclude=settings.duration.zero_sessions == "exclude",
        id_scope_is_site=settings.session.id_scope == "site",
        id_max_ms=settings.session.id_max_hours * HOUR_MS,
        id_reach_ms=settings.session.id_max_hours * HOUR_MS or ID_REACH_MS,
    )


def _unique_pages(session: Session) -> int:
    page_path = session.page_path
    return len({page for _, page in page_path.path}) if page_path is not None else 0


_PAGES_COUNTED: Mapping[str, Callable[[Session], int] | None] = {
    "page_views": None,
    "page_view_ids": None,
    "unique_pages": _unique_pages,
    "actions": lambda session: session.page_views + session.actions,
}


def _bounce_rule(settings: Settings) -> Callable[[Session], bool]:
    mode = settings.bounce.mode
    if mode == "single_pageview":
        return lambda session: session.views() == 1
    if mode == "classic_interaction":
        return lambda session: session.views() == 1 and not session.interactive
    if mode == "posthog":
        least_ms = settings.bounce.engaged_min_seconds * 1000
        return lambda session: (
            session.views() == 1
            and not session.interactive
            and session.end - session.start < least_ms
        )
    engaged = _engaged_rule(settings)
    return lambda session: not engaged(session)


def _engaged_rule(settings: Settings) -> Callable[[Session], bool]:
    least_ms, views = (
        settings.bounce.engaged_min_seconds * 1000,
        settings.bounce.engaged_min_page_views,
    )
    engaging = CONVERTED if settings.bounce.engaged_goals else 0
    return lambda session: (
        session.views() >= views
        or session.end - session.start >= least_ms
        or bool(session.marks & engaging)
    )


def _calendars(settings: Settings) -> Callable[[str], Calendar]:
    made: dict[tuple[str, str], Calendar] = {}

    def calendar_of(site: str) -> Calendar:
        key = settings.timezone_of(site), settings.week_start_of(site)
        if key not in made:
            made[key] = Calendar(*key)
        return made[key]

    return calendar_of
