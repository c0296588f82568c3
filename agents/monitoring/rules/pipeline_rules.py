"""How the pipeline does: the recording rules that the alerts about it rest on."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import HOUR, MINUTE, Pace
from agents.monitoring.rules.recording import REPLICAS
from agents.monitoring.rules.rule import Record

SNAPSHOT = "job:engagement_snapshot_timestamp_seconds:max"
LAG = "topic:engagement_worker_lag_records:sum"
RECORDS = "job:engagement_records:increase15m"
NOT_COUNTED = "job:engagement_records_not_counted_per_record:ratio_increase15m"
DEDUPE = "job:engagement_dedupe_generations_capped:increase1h"
FENCED = "job:engagement_worker_cuts_fenced:increase15m"
REBALANCES = "job:engagement_worker_assignments:increase15m"
LOST = "job:engagement_worker_retention_lost_records:increase15m"
MEMORY = "node:engagement_redis_memory_used_per_max:ratio"


def pipeline_rules(pace: Pace) -> Iterator[Record]:
    """All of them."""
    quarter = pace.of(15 * MINUTE)
    yield Record(LAG, "sum without (partition) (partition:engagement_worker_lag_records:max)")
    yield Record(RECORDS, f"increase(job:engagement_records_total:max[{quarter}])")
    # Duplicates are what at-least-once producers send, and skipped offsets hold no events.
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
    # Without a limit (0) there is nothing to divide by.
    limit = "(node:engagement_redis_memory_max_bytes:max > 0)"
    yield Record(MEMORY, f"node:engagement_redis_memory_used_bytes:max / {limit}")


def _grown(series: str, pace: Pace) -> str:
    """The increase; of a process younger than the window all it has counted.

    What happened before the first scrape of a worker is no increase to Prometheus.
    """
    window = 15 * MINUTE
    young = f"{series} and (time() - process_start_time_seconds < {pace.seconds(window)})"
    return f"({young}) or increase({series}[{pace.of(window)}])"
