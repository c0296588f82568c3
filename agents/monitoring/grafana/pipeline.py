"""Dashboard Pipeline: from Kafka to the numbers, for the people who run it."""

from collections.abc import Iterator

from agents.monitoring.grafana import wording
from agents.monitoring.grafana.family_panels import FamilyPanels
from agents.monitoring.grafana.panel import Dashboard, Panel, Row, Step
from agents.monitoring.rules.pipeline_rules import DASHBOARD
from agents.monitoring.rules.surroundings import Surroundings
from stream.metrics.catalogue import catalogue
from stream.metrics.families import COUNTERS
from stream.settings.application import Settings

_NONE_IS_GOOD: tuple[Step, ...] = ((None, "green"), (1, "red"))
_NONE_IS_USUAL: tuple[Step, ...] = ((None, "green"), (1, "orange"))
_ONE_IS_GOOD: tuple[Step, ...] = ((None, "red"), (1, "green"))
_OF_A_DEFECT: tuple[Step, ...] = ((None, "red"), (0, "green"), (1, "red"))

#: (title, families) of panels with lines over time.
_INTAKE = (
    ("Records a second, by outcome", ("records",)),
    ("Not counted, by reason", ("ledger_entries",)),
    ("Events a second, by site", ("events", "bot_events")),
)
_CHECKPOINTS = (
    ("Checkpoints a second", ("worker_cuts",)),
    ("Checkpoints refused", ("worker_cuts_fenced", "worker_cuts_conflicting")),
    ("Failures", ("worker_store_errors", "worker_publish_failures", "worker_state_lost")),
    ("Read again", ("worker_rewinds", "worker_batches_dropped")),
    ("Gone from Kafka", ("worker_retention_lost_records", "worker_records_before_beginning")),
    ("Rebalances", ("worker_assignments",)),
    ("Shards", ("worker_shards", "worker_shards_rebuilding")),
)
_OUTPUT = (
    ("Metric records a second", ("worker_metric_records_published",)),
    ("Dead letters a second", ("worker_ledger_entries_sent",)),
    ("Checkpoints with dead letters that wait, over time", ("worker_ledger_backlog",)),
)
_LIMITS = (
    ("Used share of the limits of dimensions", ("worker_dimension_fill_ratio",)),
    ("Memory for event ids full", ("dedupe_generations_capped",)),
    ("People read back from Redis", ("people_evicted",)),
    ("Redis memory", ("redis_memory_used_bytes", "redis_memory_max_bytes")),
    ("Sessions", ("open_sessions", "sessions_reopened")),
    ("Across person ids", ("worker_sessions_across_ids", "worker_carts_across_ids")),
)
#: Families of other panels, or of the dashboard Engagement.
_ELSEWHERE = {
    "build_info", "unaccounted_records", "worker_lag_records", "snapshot_timestamp_seconds",
    "watermark_timestamp_seconds", "newest_event_timestamp_seconds", "event_to_visible_seconds",
    "worker_cut_duration_seconds", "stale", "stale_since_timestamp_seconds",
}  # fmt: skip


def pipeline(settings: Settings, place: Surroundings) -> Dashboard:
    """Build the dashboard; families that no row names are in the last one."""
    panels = FamilyPanels(settings, place)
    rows = [
        Row(title="Now", panels=_now(panels)),
        Row(title="Intake", panels=(
            *_trends(panels, _INTAKE),
            panels.not_counted(),
            panels.lag(),
            panels.trend("Waiting in Kafka, by partition", ["worker_lag_records"]),
            panels.trend("Share of a shard's heaviest person", ["worker_heaviest_person_ratio"]),
        )),
        Row(title="How soon", panels=(
            panels.trend("Why numbers are not live", ["stale"]),
            panels.age("Not live for", "stale_since_timestamp_seconds"),
            panels.trend("From event to number", ["event_to_visible_seconds"]),
            panels.age("Newest event", "newest_event_timestamp_seconds"),
            panels.age("Final up to", "watermark_timestamp_seconds"),
        )),
        Row(title="Checkpoints and shards", panels=(panels.checkpoint_duration(), *_trends(panels, _CHECKPOINTS))),
        Row(title="Output", panels=(*_trends(panels, _OUTPUT),)),
        Row(title="Limits", panels=(panels.memory(), *_trends(panels, _LIMITS))),
    ]  # fmt: skip
    if others := [*_others(panels)]:
        rows.append(Row(title="More", panels=tuple(others), is_collapsed=True))
    return Dashboard(
        uid=DASHBOARD,
        title="Pipeline",
        description="From Kafka to the numbers: whether they are complete, and how soon they appear.",
        rows=tuple(rows),
        since="now-3h",
    )


def _now(panels: FamilyPanels) -> tuple[Panel, ...]:
    return (
        panels.snapshot_age(),
        panels.firing(),
        panels.number("Workers", "build_info", _ONE_IS_GOOD),
        panels.number("Shards being read again", "worker_shards_rebuilding", _NONE_IS_USUAL),
        panels.number("Records unaccounted for", "unaccounted_records", _OF_A_DEFECT),
        panels.number(
            "Checkpoints with dead letters that wait", "worker_ledger_backlog", _NONE_IS_GOOD
        ),
        panels.alerts(),
    )


def _trends(
    panels: FamilyPanels, wanted: tuple[tuple[str, tuple[str, ...]], ...]
) -> Iterator[Panel]:
    for title, names in wanted:
        yield panels.trend(title, names)


def _others(panels: FamilyPanels) -> Iterator[Panel]:
    """Yield panels of families that no row names."""
    named = {
        name
        for group in (_INTAKE, _CHECKPOINTS, _OUTPUT, _LIMITS)
        for _, names in group
        for name in names
    }
    named |= _ELSEWHERE | {*COUNTERS}
    named |= {metric.gauge for metric in catalogue(panels.settings)}
    for name, family in panels.families.items():
        if name not in named and not name.startswith("segment_"):
            yield panels.trend(wording.title(wording.short_name(family)), [name])
