"""Alerts about caps: what is beyond one counts as `other`, or is forgotten early."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import MINUTE
from agents.monitoring.rules.pipeline_rules import CAP_FILL, DASHBOARD, DEDUPE, WITHHELD
from agents.monitoring.rules.rule import Alert


def cap_alerts() -> Iterator[Alert]:
    """Yield every alert about a cap."""
    yield _dedupe_cap()
    yield _label_cap()
    yield _site_cap()
    yield _segment_cap()
    yield _series_cap()


def _dedupe_cap() -> Alert:
    return Alert(
        name="DedupeCapReached",
        severity="warning",
        signal="pipeline",
        conditions=(f"{DEDUPE} > 0",),
        keep=15 * MINUTE,
        summary="The memory for event ids is too small for the traffic.",
        description=(
            'It was full {{ printf "%.0f" $value }} times in the last hour. Duplicates can go '
            "unnoticed before dedupe.window_seconds have passed. Raise dedupe.ids_max."
        ),
        dashboard=DASHBOARD,
    )


def _label_cap() -> Alert:
    return _reached(
        name="LabelCapReached",
        condition="segment:engagement_worker_dimension_fill_ratio:max >= 1",
        summary="A dimension has reached its limit of values.",
        description=(
            "The dimension {{ $labels.dimension }} of {{ $labels.site }} has as many values as "
            "dimension_values_max allows. New ones count as other. Send fewer values, or raise "
            "the limit."
        ),
    )


def _site_cap() -> Alert:
    return _reached(
        name="SiteCapReached",
        condition=f'{CAP_FILL}{{cap="limits.sites_max"}} >= 1',
        summary="There are as many sites as the limit allows.",
        description=(
            "A shard knows as many sites as limits.sites_max allows. New ones count together as "
            "the site other. List the real ones in limits.sites_allowed, or raise the limit."
        ),
    )


def _segment_cap() -> Alert:
    return _reached(
        name="SegmentCapReached",
        condition=f'{CAP_FILL}{{cap=~"limits.segment.*"}} >= 1',
        summary="All sites and dimensions together have as many values as the limit allows.",
        description=(
            "A shard has reached {{ $labels.cap }}. New values, or combinations of values, count as "
            "other. Send fewer values, or raise the limit."
        ),
    )


def _series_cap() -> Alert:
    return _reached(
        name="SeriesCapReached",
        condition=f"{WITHHELD} > 0",
        summary="Gauges of the smallest sites and segments are withheld.",
        description=(
            '{{ printf "%.0f" $value }} sites and segments are not shown: the larger ones take '
            "limits.series_max gauges. Metric records have all of them. Send fewer values, or "
            "raise the limit."
        ),
    )


def _reached(name: str, condition: str, summary: str, description: str) -> Alert:
    """Build the alert about a cap that has been reached for a while."""
    return Alert(
        name=name,
        severity="warning",
        signal="pipeline",
        conditions=(condition,),
        hold=5 * MINUTE,
        keep=15 * MINUTE,
        summary=summary,
        description=description,
        dashboard=DASHBOARD,
    )
