"""Alerts about the pipeline: numbers are old or missing, or soon will be."""

from collections.abc import Iterator

from agents.monitoring.rules.caps import cap_alerts
from agents.monitoring.rules.pace import HOUR, MINUTE, Pace
from agents.monitoring.rules.pipeline_rules import (
    DASHBOARD,
    FENCED,
    LAG,
    LOST,
    MEMORY,
    NOT_COUNTED,
    REBALANCES,
    RECORDS,
    SNAPSHOT,
    STALE,
)
from agents.monitoring.rules.rule import Alert
from stream.publish.staleness import StaleReason
from stream.settings.application import Settings


def pipeline_alerts(settings: Settings, job: str, pace: Pace) -> Iterator[Alert]:
    """Yield every alert about the pipeline, and the watchdog, which always fires."""
    yield _exporter_absent(job)
    yield _snapshot_stale(settings, job)
    yield _numbers_stale()
    yield _lag_growing(pace)
    yield _ledger_share()
    yield from cap_alerts()
    yield _cuts_fenced()
    yield _rebalancing()
    yield _redis_memory()
    yield _rebuild_running()
    yield _records_lost()
    yield _unaccounted()
    yield _watchdog()


def _exporter_absent(job: str) -> Alert:
    up = f'up{{job="{job}"}}'
    return Alert(
        name="ExporterAbsent",
        severity="critical",
        signal="pipeline",
        # absent() takes labels from a bare selector only, so the two cases are apart.
        conditions=(f"absent({up}) or sum by (job) ({up}) == 0",),
        hold=2 * MINUTE,
        keep=5 * MINUTE,
        summary="No worker can be scraped.",
        description=(
            "Prometheus reaches no worker of the job {{ $labels.job }}. There are no numbers, "
            "and all other alerts are silent. Run engage check, and start the workers."
        ),
        dashboard=DASHBOARD,
    )


def _snapshot_stale(settings: Settings, job: str) -> Alert:
    limit = 2 * settings.publish.snapshot_max_age_seconds
    old = f"time() - {SNAPSHOT} > {limit:g}"
    none = f'sum by (job) (up{{job="{job}"}}) > 0 unless on (job) {SNAPSHOT}'
    return Alert(
        name="SnapshotStale",
        severity="critical",
        signal="pipeline",
        conditions=(f"({old} or ({none}))",),
        hold=MINUTE,
        keep=5 * MINUTE,
        summary="The published numbers are old and withheld.",
        description=(
            "Workers of the job {{ $labels.job }} answer, but none serves a snapshot younger "
            f"than {limit:g} seconds. Check Redis, Kafka, and the owner of shard 0."
        ),
        dashboard=DASHBOARD,
    )


def _numbers_stale() -> Alert:
    # A start and a first count are no faults; RebuildRunning tells of them.
    usual = f"{StaleReason.STARTING}|{StaleReason.FIRST_COUNT}"
    return Alert(
        name="NumbersStale",
        severity="critical",
        signal="pipeline",
        conditions=(f'{STALE}{{reason!~"{usual}"}} > 0',),
        # A rebalance after a crash takes less.
        hold=2 * MINUTE,
        keep=MINUTE,
        summary="The numbers are not live.",
        description=(
            "Workers of the job {{ $labels.job }} report {{ $labels.reason }} for 2 minutes. "
            "Read /readyz on each worker: it says why, and what to do."
        ),
        dashboard=DASHBOARD,
    )


def _lag_growing(pace: Pace) -> Alert:
    return Alert(
        name="ConsumerLagGrowing",
        severity="warning",
        signal="pipeline",
        conditions=(f"{LAG} > 10000", f"deriv({LAG}[{pace.of(15 * MINUTE)}]) > 0"),
        hold=15 * MINUTE,
        keep=5 * MINUTE,
        summary="Workers fall behind the producers.",
        description=(
            "{{ $value | humanize }} records of the topic {{ $labels.topic }} are not counted "
            "yet, and the number grows. Find what slows the workers, or add some."
        ),
        dashboard=DASHBOARD,
    )


def _ledger_share() -> Alert:
    passed = f'sum without (outcome) ({RECORDS}{{outcome!="skipped"}})'
    return Alert(
        name="LedgerShare",
        severity="warning",
        signal="pipeline",
        conditions=(f"{NOT_COUNTED} > 0.05", f"{passed} >= 1000"),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Many records are rejected or late.",
        description=(
            "{{ $value | humanizePercentage }} of the records of the last 15 minutes were "
            "rejected or late. Read their reasons in the ledger topic."
        ),
        dashboard=DASHBOARD,
    )


def _cuts_fenced() -> Alert:
    return Alert(
        name="CutsFenced",
        severity="warning",
        signal="pipeline",
        # A rebalance or a stalled worker costs one.
        conditions=(f"{FENCED} > 3",),
        keep=15 * MINUTE,
        summary="Workers take shards from each other repeatedly.",
        description=(
            '{{ printf "%.0f" $value }} checkpoints were refused in the last 15 minutes, '
            "because another worker owned the shard. Nothing is counted twice, but work is "
            "repeated. Look for workers that stall."
        ),
        dashboard=DASHBOARD,
    )


def _rebalancing() -> Alert:
    return Alert(
        name="Rebalancing",
        severity="warning",
        signal="pipeline",
        # A rolling update of ten workers costs up to twenty.
        conditions=(f"{REBALANCES} > 20",),
        keep=15 * MINUTE,
        summary="The consumer group keeps rebalancing.",
        description=(
            'Partitions were assigned {{ printf "%.0f" $value }} times in the last 15 minutes. '
            "Nothing is counted twice, but reading stops meanwhile. Look for workers that "
            "restart or stall."
        ),
        dashboard=DASHBOARD,
    )


def _redis_memory() -> Alert:
    return Alert(
        name="RedisMemory",
        severity="critical",
        signal="pipeline",
        conditions=(f"{MEMORY} > 0.85",),
        hold=5 * MINUTE,
        keep=5 * MINUTE,
        summary="Redis is nearly full.",
        description=(
            "Redis {{ $labels.node }} uses {{ $value | humanizePercentage }} of its maxmemory. "
            "When it is full, checkpoints are refused and counting stops. Raise maxmemory, "
            "or delete unused keys."
        ),
        dashboard=DASHBOARD,
    )


def _rebuild_running() -> Alert:
    return Alert(
        name="RebuildRunning",
        severity="info",
        signal="pipeline",
        conditions=("job:engagement_worker_shards_rebuilding:sum > 0",),
        hold=2 * MINUTE,
        keep=2 * MINUTE,
        summary="Shards are being rebuilt, and numbers are incomplete.",
        description=(
            "{{ $value | humanize }} shards of the job {{ $labels.job }} are being loaded or "
            "read again from Kafka. Wait until they are done."
        ),
        dashboard=DASHBOARD,
    )


def _records_lost() -> Alert:
    return Alert(
        name="RecordsLost",
        severity="critical",
        signal="pipeline",
        conditions=(f"{LOST} > 0",),
        keep=HOUR,
        summary="Kafka deleted records before they were counted.",
        description=(
            'Retention deleted {{ printf "%.0f" $value }} records before a worker read them. '
            "The numbers of their time stay too low. Raise the retention of the topic."
        ),
        dashboard=DASHBOARD,
    )


def _unaccounted() -> Alert:
    return Alert(
        name="UnaccountedRecords",
        severity="critical",
        signal="pipeline",
        conditions=("job:engagement_unaccounted_records:max != 0",),
        hold=MINUTE,
        keep=15 * MINUTE,
        summary="Records are unaccounted for: this is a defect.",
        description=(
            "{{ $value | humanize }} offsets were passed without a known outcome. Keep the "
            "logs, and report the defect."
        ),
        dashboard=DASHBOARD,
    )


def _watchdog() -> Alert:
    return Alert(
        name="Watchdog",
        severity="none",
        signal="watchdog",
        conditions=("vector(1)",),
        summary="Always firing: alerts reach people.",
        description=(
            "When this alert stops arriving, Prometheus, Alertmanager or the receiver is "
            "broken. Restore the broken hop."
        ),
        dashboard=DASHBOARD,
    )
