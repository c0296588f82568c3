"""Compare the engine's records with the oracle's answers, number by number."""

from collections.abc import Iterable, Mapping

from schemas.outputs import MetricRecord
from stream.publish.reader import Value
from stream.settings.application import Settings
from tests.oracle.oracle import instant
from tests.oracle.terms import Answer, Answers, Choices, Key
from tests.oracle.time import ROLLING_HOURS, ROLLING_MINUTES, Window

#: Edges of the duration histogram are a factor of 2^(1/8) apart.
BUCKET = 2 ** (1 / 8)
Published = dict[Key, Value]


def choices_of(settings: Settings) -> Choices:
    """Translate the settings into the choices of the oracle."""
    return Choices(
        timezone=settings.timezone,
        site_timezones={name: site.timezone for name, site in settings.sites.items()},
        week_start=settings.week_start,
        site_week_starts={name: site.week_start for name, site in settings.sites.items()},
        dimensions=settings.dimensions,
        by_user=settings.identity == "user",
        passive=frozenset(settings.active.passive_types),
        timeout_ms=settings.session.timeout_seconds * 1000,
        splits_at_timeout=settings.session.boundary == "gte",
        source=settings.session.source,
        session_hours=settings.session.max_duration_hours,
        splits_at_midnight=settings.session.split_at_midnight,
        unbouncing=frozenset(settings.bounce.interactive_events),
        interactions=frozenset(settings.interaction.events),
        interaction_days=settings.interaction.window_days,
        bounce_mode=settings.bounce.mode,
        engaged_seconds=settings.bounce.engaged_min_seconds,
        goals_engage=settings.bounce.engaged_goals,
        engaged_views=settings.bounce.engaged_min_page_views,
        churn_of=settings.churn.denominator,
        grace_ms=settings.churn.grace_period_days * 86_400_000,
        inactive_days=settings.churn.behavioural_inactive_days,
        free_is_churn=settings.churn.free_is_churn,
        churn_at_request=settings.churn.effective == "request",
        involuntary=frozenset(settings.churn.involuntary_reasons),
        ctr_of_page_views=settings.ctr.denominator == "page_views",
        ctr_of_viewers=settings.ctr.denominator == "unique_viewers",
        ctr_matched_ms=settings.ctr.match_impression
        * settings.ctr.attribution_window_seconds
        * 1000,
        page_hosts=settings.pages.hosts,
        page_queries=settings.pages.query_keep,
        page_routes=settings.pages.hash_routes,
        heartbeat_seconds=settings.time_on_page.heartbeat_seconds,
        until_next_view=settings.time_on_page.mode == "next_pageview",
        week_kind={"7d": "trailing_7d", "calendar": "week"}[settings.active.week],
        month_kind={"28d": "trailing_28d", "30d": "trailing_30d", "calendar": "month"}[
            settings.active.month
        ],
        live_kind=f"trailing_{settings.active.live_minutes}m",
        rolling_hours=settings.active.rolling_hours,
        sticky_of=settings.stickiness.numerator,
        sticky_base=settings.stickiness.base,
        counts_weeks=settings.stickiness.interval == "week",
        new_after_days=settings.new.lookback_days,
        new_by_visit=settings.new.basis == "session",
        pages_counted=settings.pages.count,
        pings=settings.time_on_page.mode == "pings",
        least_seconds=settings.time_on_page.min_visit_seconds,
        last_page=settings.time_on_page.last_page,
        explicit_ends=settings.session.explicit_ends,
        without_beats=settings.duration.heartbeats == "ignore",
        lasts_engaged=settings.duration.basis == "engaged",
        without_zeros=settings.duration.zero_sessions == "exclude",
        cap_seconds=settings.duration.cap_seconds,
        whole_seconds=settings.duration.whole_seconds,
        at_end=settings.session.assign == "end",
        platform_timeouts=settings.session.timeout_by_platform,
        splits_on_campaign=settings.session.split_on_campaign_change,
        ids_of_site=settings.session.id_scope == "site",
        id_hours=settings.session.id_max_hours,
        scrolls_by_view=settings.scroll.basis == "page_view",
        thresholds=settings.scroll.thresholds,
        exits_by_session=settings.exit.denominator == "sessions",
        first_week_days=settings.first_week.days,
        activation=settings.first_week.activation_event.type,
        own_clock=settings.first_week.clock == "user_24h",
        first_week_least=settings.first_week.min_events,
        retention_days=settings.retention.days,
        retention_type=settings.retention.type,
        retention_of_all=settings.retention.cohort == "recurring",
    )


def published(records: Iterable[MetricRecord]) -> Published:
    """Return the records by key; of several, the highest revision holds."""
    table: Published = {}
    revisions: dict[Key, int] = {}
    for record in records:
        key = key_of(record)
        assert key not in table or record.revision > revisions[key], f"published twice: {key}"
        table[key] = Value(record.value, record.numerator or 0, record.denominator)
        revisions[key] = record.revision
    return table


def differences(
    found: Mapping[Key, Value],
    answers: Answers,
    choices: Choices,
    *,
    metrics: Iterable[str],
    kinds: Iterable[str] | None = None,
    kept_from_ms: int = 0,
    without: Iterable[str] = (),
) -> list[str]:
    """Return one line for each number that is wrong, missing, or of a window that does not exist.

    Compares only the named metrics and kinds of windows; windows of minutes and hours only from
    `kept_from_ms` on.
    """
    names = set(metrics) - set(without)
    wrong: list[str] = []
    wanted = None if kinds is None else set(kinds)

    def is_compared(key: Key) -> bool:
        window = key.window
        if key.metric not in names or (wanted is not None and window.kind not in wanted):
            return False
        is_short = window.kind in {*ROLLING_MINUTES, *ROLLING_HOURS, "hour"}
        return not is_short or (window.start_ms or 0) >= kept_from_ms

    for key in sorted({*found, *answers}, key=str):
        if not is_compared(key):
            continue
        answer, value = answers.get(key), found.get(key)
        if not choices.wall(key.segment[0]).is_window(key.window):
            wrong.append(f"no such window: {key}")
        elif value is None:
            wrong.append(f"missing: {key} is {answer}")
        elif not _agree(key.metric, value, answer or Answer(0, _zero(value))):
            wrong.append(f"wrong: {key} is {answer}, published {value}")
    return wrong


def _zero(value: Value) -> float | None:
    return None if value.denominator is None else 0


def _agree(metric: str, value: Value, answer: Answer) -> bool:
    if answer.denominator != value.denominator:
        return False
    if metric.endswith(("_p50", "_p90")):
        return _in_one_bucket(value.numerator, answer.numerator)
    expected = answer.numerator
    if answer.denominator is not None:
        quotient = expected / answer.denominator if answer.denominator else None
        if (quotient is None) != (value.value is None):
            return False
        if quotient is not None and not _are_equal(value.value or 0, quotient):
            return False
    elif value.value != value.numerator:
        return False
    return _are_equal(value.numerator, expected)


def _are_equal(found: float, expected: float) -> bool:
    # Counts are exact; only scaled values (seconds, money, a 28th) are floats.
    if isinstance(found, int) and isinstance(expected, int):
        return found == expected
    return abs(found - expected) <= 1e-9 * max(abs(found), abs(expected))


def _in_one_bucket(found: float, expected: float) -> bool:
    if expected <= 0:
        return found == expected
    return expected / BUCKET * (1 - 1e-9) <= found <= expected * BUCKET * (1 + 1e-9)


def key_of(record: MetricRecord) -> Key:
    """Return the oracle's key of a record."""
    dimension, value = next(iter(record.dimensions.items()), ("", ""))
    window = record.window
    start = None if window.start is None else instant(window.start)
    end = None if window.end is None else instant(window.end)
    return Key(record.metric, (record.site, dimension, value), Window(window.kind, start, end))
