"""Compiles checked settings into the rules of the engine: milliseconds, event rules, predicates."""

from collections.abc import Callable, Sequence

from schemas.envelope import DEFAULT_SITE
from stream.churn.risk import risk_rules
from stream.counters.calendar import DAY_MS, Calendar
from stream.counters.measures import RISK_BAND
from stream.engine.event_rules import BOT, BOUNDS, build_event_rules, interactive_types
from stream.engine.exclusions import build_exclusions
from stream.engine.rules import Rules
from stream.history.aggregates.aggregate import EventCounter
from stream.history.spelling import reason_key
from stream.metrics.catalogue import aggregates, event_counters
from stream.metrics.metric import FIXED_DIMENSIONS
from stream.metrics.themes.goals import session_marks
from stream.metrics.themes.retention import lifecycle_rules
from stream.people.first_days import activation
from stream.people.placeholder_ids import PlaceholderIds
from stream.sessions.pages import PAGE
from stream.sessions.rules import session_rules
from stream.settings.application import Settings


def build_rules(settings: Settings, watching: Sequence[EventCounter] = ()) -> Rules:
    """Compile a checked configuration; `watching` are event counters besides those of the metrics."""
    calendar_of = _calendars(settings)
    involuntary_reasons = frozenset(map(reason_key, settings.churn.involuntary_reasons))
    allowed = settings.limits.sites_allowed
    corrects = settings.time.late_policy == "update"
    return Rules(
        settings=settings,
        event_rules=build_event_rules(
            settings.active.passive_types,
            aggregates(settings),
            (*event_counters(settings), *watching),
            session_marks(settings),
            interactive_types(settings.interaction.events, settings.bounce.interactive_events),
            "*"
            if settings.first_week.clock == "user_24h"
            else settings.first_week.activation_event.type,
            involuntary_reasons,
            BOUNDS if settings.session.explicit_ends else {},
        ),
        sessions=session_rules(settings),
        lifecycle=lifecycle_rules(settings),
        calendar_of=calendar_of,
        own_values_max={PAGE: settings.pages.values_max, RISK_BAND: 3},
        fixed_dimensions=FIXED_DIMENSIONS,
        named_sites=frozenset((*settings.sites, *(allowed or (DEFAULT_SITE,)))),
        first_sites_max=0 if allowed else settings.limits.sites_max,
        identity_is_user=settings.identity == "user",
        placeholder_ids=PlaceholderIds(settings.ids.placeholders),
        currency=settings.currency,
        allowed_lateness_ms=settings.time.allowed_lateness_seconds * 1000,
        correction_window_ms=corrects * settings.time.correction_window_seconds * 1000,
        max_future_skew_ms=settings.time.max_future_skew_seconds * 1000,
        dedupe_window_ms=settings.dedupe.window_seconds * 1000,
        hour_retention_ms=settings.time.hour_retention_days * DAY_MS,
        involuntary_reasons=involuntary_reasons,
        activation=activation(settings.first_week, settings.pages),
        bot_rule=BOT if settings.bots.mode == "exclude" else None,
        exclusions=build_exclusions(settings),
        churn_risk=risk_rules(settings, calendar_of),
    )


def _calendars(settings: Settings) -> Callable[[str], Calendar]:
    made: dict[tuple[str, str], Calendar] = {}

    def calendar_of(site: str) -> Calendar:
        key = settings.timezone_of(site), settings.week_start_of(site)
        if key not in made:
            made[key] = Calendar(*key)
        return made[key]

    return calendar_of
