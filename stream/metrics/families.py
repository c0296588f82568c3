"""Prometheus families that are not metrics of the catalogue: what each one is, and how replicas merge."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from stream.counters.measures import (
    BOT_EVENTS,
    BOUNCED_SESSIONS,
    CLICKS,
    CROWDED_EVENTS,
    EVENTS,
    EXCLUDED_EVENTS,
    IMPRESSIONS,
    OFF_SCALE_EVENTS,
    PAGE_VIEWS,
    SESSIONS,
    UNMATCHED_EVENTS,
    VIEWED_SESSIONS,
)

PREFIX = "engagement_"

Kind = Literal["counter", "gauge", "histogram"]
#: Operator that turns the series of all replicas into one.
Merge = Literal["max", "sum", "count"]


@dataclass(frozen=True, slots=True)
class Family:
    """One Prometheus family: collectors, recording rules and dashboards read it from here."""

    #: Without the suffix _total of a counter's series.
    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    #: Comes from the shared snapshot, so every worker serves the same number.
    is_shared: bool = True
    merge: Merge = "max"

    @property
    def series(self) -> str:
        """Name of its samples."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def of_worker(
    name: str, kind: Kind, help: str, labels: tuple[str, ...] = (), *, merge: Merge | None = None
) -> Family:
    """Family of one worker alone. Counters add up; a gauge says how it merges.

    Two workers may both report a fact, such as the lag of a partition during a hand-over: its maximum
    counts it once. A shard is in one worker's hands, so numbers of shards add up.
    """
    if kind == "gauge" and merge is None:
        raise ValueError(f"{name}: say how the gauges of several workers merge: max, sum or count")
    return Family(name, kind, help, labels, is_shared=False, merge=merge or "sum")


#: Measure → the counter of its total, by site.
COUNTERS: Mapping[str, Family] = MappingProxyType(
    {
        measure: Family(f"engagement_{measure}", "counter", text, ("site",))
        for measure, text in (
            (EVENTS, "Accepted events."),
            (BOT_EVENTS, "Accepted events of bots; no other number counts them."),
            (EXCLUDED_EVENTS, "Accepted events of internal traffic; no other number counts them."),
            (OFF_SCALE_EVENTS, "Answers off the scale of their survey; no score counts them."),
            (
                UNMATCHED_EVENTS,
                "Ends, renewals and refunds of what was never seen. After a late start the counter waits.",
            ),
            (
                CROWDED_EVENTS,
                "Events without a session or a ticket: their person, or the ticket, has too many.",
            ),
            (PAGE_VIEWS, "Page views."),
            (CLICKS, "Clicks on content."),
            (IMPRESSIONS, "Impressions of content."),
            (
                SESSIONS,
                "Closed sessions. A late event can join two; the counter then waits for one.",
            ),
            (VIEWED_SESSIONS, "Closed sessions with a page view."),
            (BOUNCED_SESSIONS, "Closed sessions that bounced."),
        )
    }
)

_OF_SNAPSHOT = (
    Family("engagement_snapshot_timestamp_seconds", "gauge", "Time when the snapshot was computed."),
    Family("engagement_records", "counter", "Records passed, by outcome.", ("outcome",)),
    Family("engagement_ledger_entries", "counter", "Records not counted, by reason.", ("reason",)),
    Family(
        "engagement_metric_records", "counter",
        "Metric records since the publisher took over: first, first_final, revised, finalized or "
        "corrected.", ("kind",),
    ),
    Family(
        "engagement_folded_events", "counter",
        "Events (page views, for pages) with a value beyond the limit of a dimension, counted as "
        "other.", ("site", "dimension"),
    ),
    Family(
        "engagement_unaccounted_records", "gauge",
        "Offsets passed minus records accounted for; anything but 0 is a defect.",
    ),
    Family(
        "engagement_segments_withheld", "gauge",
        "Sites and segments without gauges here, because others take limits.series_max.",
    ),
    Family(
        "engagement_newest_event_timestamp_seconds", "gauge",
        "Newest event time, or the present while the log is idle.",
    ),
    Family(
        "engagement_watermark_timestamp_seconds", "gauge",
        "Event time before which all windows are final.",
    ),
    Family("engagement_watermark_lag_seconds", "gauge", "Newest event time minus the watermark."),
    Family("engagement_final_records_ratio", "gauge", "Share of the published numbers that are final."),
    Family("engagement_open_sessions", "gauge", "Sessions that have not ended yet."),
    Family("engagement_sessions_reopened", "counter", "Closed sessions that a late event changed."),
    Family(
        "engagement_people_evicted", "counter",
        "People dropped from the cache; they are read again when needed.",
    ),
    Family(
        "engagement_dedupe_generations_capped", "counter",
        "Times that the memory for event ids was full before its time was over.",
    ),
)  # fmt: skip

_OF_WORKER = (
    of_worker(
        "engagement_build_info", "gauge", "Version of the worker.", ("version",), merge="count"
    ),
    of_worker(
        "engagement_stale", "gauge",
        "Whether the numbers are not live for a reason; most reasons withhold them.", ("reason",),
        merge="max",
    ),
    of_worker(
        "engagement_stale_since_timestamp_seconds", "gauge",
        "Time since when the numbers are not live for a reason.", ("reason",), merge="max",
    ),
    of_worker(
        "engagement_worker_lag_records", "gauge", "Records in Kafka that are not counted yet.",
        ("topic", "partition"), merge="max",
    ),
    of_worker(
        "engagement_event_to_visible_seconds", "histogram",
        "Delay from the newest event to the snapshot that holds it, while traffic flows.",
    ),
    of_worker(
        "engagement_worker_assignments", "counter",
        "Rebalances that gave this worker its partitions.",
    ),
    of_worker("engagement_worker_cuts", "counter", "Checkpoints stored."),
    of_worker(
        "engagement_worker_cut_duration_seconds", "counter", "Time spent storing checkpoints."
    ),
    of_worker(
        "engagement_worker_cuts_fenced", "counter",
        "Checkpoints refused because another worker owns the shard.",
    ),
    of_worker(
        "engagement_worker_cuts_conflicting", "counter",
        "Checkpoints refused because Redis holds another position.",
    ),
    of_worker(
        "engagement_worker_state_lost", "counter", "Shards whose state was missing in Redis."
    ),
    of_worker(
        "engagement_worker_store_errors", "counter", "Failures to read from or write to Redis."
    ),
    of_worker(
        "engagement_worker_rewinds", "counter", "Times that reading went back to close a gap."
    ),
    of_worker(
        "engagement_worker_batches_dropped", "counter",
        "Batches dropped because their shard had gone to another worker.",
    ),
    of_worker(
        "engagement_worker_retention_lost_records", "counter",
        "Records that Kafka's retention deleted before they were counted.",
    ),
    of_worker(
        "engagement_worker_records_before_beginning", "counter",
        "Records already deleted from the log when a shard began to count.",
    ),
    of_worker(
        "engagement_worker_sessions_across_ids", "counter",
        "Sessions whose events carried several person ids, as far as one shard sees them.",
    ),
    of_worker(
        "engagement_worker_carts_across_ids", "counter",
        "Carts whose events carried several person ids, as far as one shard sees them.",
    ),
    of_worker(
        "engagement_worker_ledger_entries_sent", "counter", "Dead letters that reached Kafka."
    ),
    of_worker("engagement_worker_publish_failures", "counter", "Failures to publish."),
    of_worker(
        "engagement_worker_metric_records_published", "counter", "Metric records that reached Kafka."
    ),
    of_worker(
        "engagement_worker_ledger_backlog", "gauge",
        "Checkpoints whose dead letters are not in Kafka yet.", merge="sum",
    ),
    of_worker("engagement_worker_shards", "gauge", "Shards that this worker owns.", merge="sum"),
    of_worker(
        "engagement_worker_shards_rebuilding", "gauge",
        "Shards that are being loaded, or read again from Kafka.", merge="sum",
    ),
    of_worker(
        "engagement_worker_loop_lag_seconds", "gauge",
        "Longest time in the last minutes that probes, heartbeats and timers had to wait.",
        merge="max",
    ),
    of_worker(
        "engagement_worker_heaviest_person_ratio", "gauge",
        "Share of a shard's events in the last minutes that its heaviest person sends.",
        ("partition",), merge="max",
    ),
    of_worker(
        "engagement_worker_dimension_fill_ratio", "gauge",
        "Share of a dimension's limit that its values take; at 1, new values count as other.",
        ("site", "dimension"), merge="max",
    ),
    of_worker(
        "engagement_worker_cap_fill_ratio", "gauge",
        "Share of a cap that the fullest shard takes; at 1, what is new counts as other.",
        ("cap",), merge="max",
    ),
    of_worker(
        "engagement_redis_memory_used_bytes", "gauge", "Memory that Redis uses.", ("node",),
        merge="max",
    ),
    of_worker(
        "engagement_redis_memory_max_bytes", "gauge", "maxmemory of Redis; 0 is no limit.",
        ("node",), merge="max",
    ),
)  # fmt: skip

#: Name → family, in the order of the page within the snapshot's and the worker's part.
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (*COUNTERS.values(), *_OF_SNAPSHOT, *_OF_WORKER)}
)
