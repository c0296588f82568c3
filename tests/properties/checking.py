"""Verdict on a run: the engine's published numbers against the oracle's."""

from collections.abc import Collection, Mapping, Sequence
from zlib import crc32

import msgspec

from schemas.outputs import WindowKind
from stream.counters import windows
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings
from tests.oracle.absent import present
from tests.oracle.log import EventDict, Verdict, accepted, judge, untimely
from tests.oracle.oracle import expected, instant
from tests.oracle.people import PERSONLESS
from tests.properties.compare import choices_of, differences, published
from tests.properties.engine import EVERYONE, Action, Log, Worker, final_records, kept_from_ms, run

ALL_KINDS = windows.KINDS
#: The other kinds have tests of their own: windows that begin each minute, and years, cost as much
#: as all of KINDS together.
_MANY = ("trailing_30m", "trailing_1h", "trailing_24h", "trailing_168h", "trailing_365d")
KINDS = tuple(kind for kind in ALL_KINDS if kind not in _MANY)
DAY_KINDS: tuple[WindowKind, ...] = (
    "day", "week", "month", "trailing_7d", "trailing_28d", "trailing_30d", "all",
)  # fmt: skip
Logs = Sequence[Mapping[str, Log]]
#: Metrics answered by the oracle of this directory; the others have tests of their own aggregates.
ANSWERED = {
    "daily_active_users", "weekly_active_users", "monthly_active_users", "live_visitors",
    "stickiness", "unique_visitors", "new_visitors", "returning_visitors", "new_visitor_share",
    "daily_activity_rate", "monthly_activity_rate", "visit_frequency", "interaction_frequency",
    "at_risk_users", "churn_risk_users", "behavioural_churn_rate", "retained_users",
    "resurrected_users", "dormant_users", "active_days", "first_week_engagement",
    "first_week_active_days", "page_views",
    "sessions", "pages_per_session", "session_duration", "session_duration_p50", "session_duration_p90", "bounce_rate",
    "click_through_rate", "unique_click_through_rate", "active_customers", "new_customers",
    "churned_customers", "churn_rate", "customer_retention_rate", "mrr",
}  # fmt: skip


def answered(settings: Settings) -> list[str]:
    """Return the catalogue's metrics that the oracle knows; each metric of the oracle must exist."""
    rolling = {"rolling_active_users"} if settings.active.rolling_hours else set()
    weeks = {"active_weeks"} if settings.stickiness.interval == "week" else set()
    known = ANSWERED | rolling | weeks | {f"retention_d{day}" for day in settings.retention.days}
    names = {metric.name for metric in catalogue(settings)}
    assert known <= names, known - names
    return sorted(known)


def verdicts_of(logs: Logs, settings: Settings) -> list[Verdict]:
    """Return the oracle's verdict on every record of every log."""
    time = settings.time
    found: list[Verdict] = []
    for partition in logs:
        for topic, log in partition.items():
            events: list[EventDict] = []
            times: list[int] = []
            # Views of one millisecond: first those of the page-view topic, each topic in its order.
            rank = 0 if topic == settings.topics.page_views else crc32(topic.encode())
            for record in log:
                event = present(msgspec.json.decode(record.value), settings.ids.placeholders)
                event["ms"] = instant(event["event_time"])
                event["arrival"] = (rank, record.offset)
                if {"user_id", "visitor_id"} & event.keys() or event["type"] in PERSONLESS:
                    events.append(event)
                    times.append(record.timestamp)
                else:
                    found.append(Verdict(event, "nobody", False))
            found += judge(
                zip(events, times, strict=True),
                lateness_ms=time.allowed_lateness_seconds * 1000,
                correction_ms=time.correction_window_seconds
                * 1000
                * (time.late_policy == "update"),
                skew_ms=time.max_future_skew_seconds * 1000,
                dedupe_ms=settings.dedupe.window_seconds * 1000,
                currency=settings.currency,
            )
    return found


def wrong_numbers(
    workers: Sequence[Worker],
    logs: Logs,
    settings: Settings,
    kinds: Sequence[WindowKind] = KINDS,
    metrics: Collection[str] = (),
) -> list[str]:
    """Return the differences between the final records and the oracle's numbers: none is right.

    `metrics` restricts the comparison; by default it covers the metrics of every run.
    """
    verdicts, choices = verdicts_of(logs, settings), choices_of(settings)
    answers = expected(accepted(verdicts), choices, untimely(verdicts))
    metrics = metrics or answered(settings)
    return differences(
        published(final_records(workers, settings, kinds, metrics)),
        answers,
        choices,
        metrics=metrics,
        kinds=kinds,
        kept_from_ms=kept_from_ms(workers),
    )


def check(
    logs: Logs,
    settings: Settings,
    schedule: Sequence[Action] = (),
    *,
    people_cached: int = EVERYONE,
    kinds: Sequence[WindowKind] = KINDS,
) -> list[Worker]:
    """Run everything and require the oracle's numbers."""
    workers = run(logs, settings, schedule, people_cached=people_cached)
    wrong = wrong_numbers(workers, logs, settings, kinds)
    assert not wrong, "\n".join([f"{len(wrong)} numbers", *wrong[:8]])
    outcomes = [verdict.outcome for verdict in verdicts_of(logs, settings)]
    for outcome, judged in (("applied", "applied"), ("duplicate", "duplicate"), ("late", "late")):
        counted = sum(worker.outcomes()[outcome] for worker in workers)
        assert counted == outcomes.count(judged), outcome
    return workers
