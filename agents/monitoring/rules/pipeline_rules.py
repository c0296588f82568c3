"""Recording rules that the alerts about the pipeline read, and their dashboard."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import HOUR, MINUTE, Pace
from agents.monitoring.rules.recording import REPLICAS
from agents.monitoring.rules.rule import Record

DASHBOARD = "engagement-pipeline"
SNAPSHOT = "job:engagement_snapshot_timestamp_seconds:max"
STALE = "job:engagement_stale:max"
LAG = "topic:engagement_worker_lag_records:sum"
RECORDS = "job:engagement_records:increase15m"
NOT_COUNTED = "job:engagement_records_not_counted_per_record:ratio_increase15m"
DEDUPE = "job:engagement_dedupe_generations_capped:increase1h"
FENCED = "job:engagement_worker_cuts_fenced:increase15m"
REBALANCES = "job:engagement_worker_assignments:increase15m"
LOST = "job:engagement_worker_retention_lost_records:increase15m"
CAP_FILL = "job:engagement_worker_cap_fill_ratio:max"
WITHHELD = "job:engagement_segments_withheld:max"
MEMORY = "node:engagement_redis_memory_used_per_max:ratio"


def pipeline_rules(pace: Pace) -> Iterator[Record]:
    """Yield every recording rule about the pipeline."""
    quarter = pace.of(15 * MINUTE)
    yield Record(LAG, "sum without (partition) (partition:engagement_worker_lag_records:max)")
    yield Record(RECORDS, f"increase(job:engagement_records_total:max[{quarter}])")
    # At-least-once producers send duplicates, and skipped offsets hold no events.
    refused = f'sum without (outcome) ({RECORDS}{{outcome=~"rejected|late"}})'
    passed = f'(sum without (outcome) ({RECORDS}{{outcome!="skipped"}}) > 0)'
    yield Record(NOT_COUNTED, f"{refused} / {passed}")
    yield Record(
        DEDUPE,
        f"increase(job:engagement_dedupe_generations_capped_total:max[{pace.of(HOUR)}])",
    )
    for name, together, series in (
        (FENCED, "sum", "engagement_worker_cuts_fenced_total"),
        (LOST, "sum", "engagement_worker_retention_lost_records_total"),
        # Every worker takes part in every rebalance.
        (REBALANCES, "max", "engagement_worker_assignments_total"),
    ):
        yield Record(name, f"{together} without ({REPLICAS}) ({_grown(series, pace)})")
    # 0 means no limit: there is no share to compute.
    limit = "(node:engagement_redis_memory_max_bytes:max > 0)"
    yield Record(MEMORY, f"node:engagement_redis_memory_used_bytes:max / {limit}")


def _grown(series: str, pace: Pace) -> str:
    """Build the increase of a counter; of a process younger than the window its whole count.

    Prometheus sees no increase in what a worker counted before its first scrape.
    """
    window = 15 * MINUTE
    young = f"{series} and (time() - process_start_time_seconds < {pace.seconds(window)})"
    return f"({young}) or increase({series}[{pace.of(window)}])"
