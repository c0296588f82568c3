"""Alerts about the product: visitors and customers do not act as usual."""

from collections.abc import Iterator

from agents.monitoring.rules import counts, ratios, segments
from agents.monitoring.rules.pace import HOUR, MINUTE
from agents.monitoring.rules.ratios import Judged, Ratio, baseline, click_through, z_score
from agents.monitoring.rules.rule import Alert
from agents.monitoring.rules.segments import SegmentRatio
from stream.settings.application import Settings

DASHBOARD = "engagement"


def product_alerts(settings: Settings) -> Iterator[Alert]:
    """Yield every alert about the product."""
    yield _bounce()
    yield _churn()
    yield _active_users()
    yield _live_visitors()
    yield _click_through(click_through(settings))
    yield _conversion()
    yield _nps(settings)
    yield _csat(settings)
    yield _carts()
    yield _segment_carts(segments.CARTS)


def _above(of: Judged, times: float) -> tuple[str, str]:
    """Build conditions for values above the usual, in proportion and in usual spreads.

    In a flat history, trifles exceed the spread; a small number exceeds a proportion by chance.
    """
    return f"{of.now} > {times} * {baseline(of)}", f"{z_score(of)} > 3"


def _below(of: Judged, times: float) -> tuple[str, str]:
    return f"{of.now} < {times} * {baseline(of)}", f"{z_score(of)} < -3"


def _bounce() -> Alert:
    return Alert(
        name="BounceSpike",
        severity="warning",
        signal="bounce",
        conditions=_above(ratios.BOUNCE, 1.25),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Far more sessions than usual bounce.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the sessions of the "
            "last 15 minutes bounced. That is over 1.25 times the usual share of this hour, "
            "and over 3 usual spreads above it. Check the last release, the campaigns and the "
            "tracker."
        ),
        dashboard=DASHBOARD,
    )


def _churn() -> Alert:
    now, usual = counts.CHURNED, counts.USUAL_CHURNED
    return Alert(
        name="ChurnSpike",
        severity="warning",
        signal="churn",
        # The usual spread of a count is about its square root; at least 3, so that fewer than ten
        # customers never fire it.
        conditions=(
            f"{now} > 1.5 * {usual}",
            f"({now} - {usual}) / clamp_min(sqrt({usual}), 3) > 3",
            f"{now} / {counts.CUSTOMERS} >= 0.002",
        ),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Far more customers than usual leave today.",
        description=(
            "{{ $labels.site }} has lost {{ $value | humanize }} customers today: over 1.5 "
            "times the usual number at this time. "
            "Check the payments, and the reasons of the cancellations."
        ),
        dashboard=DASHBOARD,
    )


def _active_users() -> Alert:
    now, usual = counts.ACTIVE, counts.USUAL_ACTIVE
    return Alert(
        name="ActiveUsersDrop",
        severity="warning",
        signal="activity",
        conditions=(f"{now} < 0.7 * {usual}", f"{usual} >= 100"),
        hold=30 * MINUTE,
        keep=15 * MINUTE,
        summary="Far fewer people than usual are active today.",
        description=(
            "{{ $labels.site }} has {{ $value | humanize }} active users today: below 70 % of "
            "the usual number at this time. Check "
            "whether people or events are missing."
        ),
        dashboard=DASHBOARD,
    )


def _live_visitors() -> Alert:
    now, usual = counts.LIVE, counts.USUAL_LIVE
    return Alert(
        name="LiveVisitorsDrop",
        severity="critical",
        signal="activity",
        # Of fifty or more visitors, half is far more than chance takes away.
        conditions=(f"{now} < 0.5 * {usual}", f"{usual} >= 50"),
        hold=10 * MINUTE,
        keep=10 * MINUTE,
        summary="Half of the usual visitors are missing.",
        description=(
            "{{ $labels.site }} has {{ $value | humanize }} visitors now: below half of the "
            "usual number in this hour. Open the "
            "site, and check that events arrive."
        ),
        dashboard=DASHBOARD,
    )


def _click_through(ratio: Ratio) -> Alert:
    return Alert(
        name="ClickThroughDrop",
        severity="warning",
        signal="clicks",
        conditions=_below(ratio, 0.75),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Content is clicked far less than usual.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of what was shown in the "
            "last 15 minutes was clicked. That is below 75 % of the usual share of this hour, "
            "and over 3 usual spreads below it. Check the layout, and the tracker's clicks."
        ),
        dashboard=DASHBOARD,
    )


def _conversion() -> Alert:
    return Alert(
        name="ConversionDrop",
        severity="critical",
        signal="conversion",
        conditions=_below(ratios.CONVERSION, 0.75),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Far fewer sessions than usual convert.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the sessions of the "
            "last hour converted. That is below 75 % of the usual share of this hour, and over "
            "3 usual spreads below it. Buy something, and check that orders arrive."
        ),
        dashboard=DASHBOARD,
    )


def _nps(settings: Settings) -> Alert:
    level = ratios.nps(settings)
    return Alert(
        name="NpsFall",
        severity="warning",
        signal="satisfaction",
        conditions=(
            f"{level.now} - {baseline(level)} <= -10",
            f"{z_score(level)} < -3",
            f"on (job, site) {counts.answers(settings)} >= 50",
        ),
        hold=HOUR,
        keep=HOUR,
        summary="The net promoter score has fallen.",
        description=(
            "On {{ $labels.site }}, the net promoter score of the last "
            f"{settings.survey.window_days} days changed by "
            "{{ $value | humanize }} points within a week (without last week's data: since the "
            "day before). Check who answered, and read the answers."
        ),
        dashboard=DASHBOARD,
    )


def _csat(settings: Settings) -> Alert:
    level = ratios.csat(settings)
    return Alert(
        name="CsatFall",
        severity="warning",
        signal="satisfaction",
        conditions=(
            f"{level.now} - {baseline(level)} <= -0.05",
            f"{z_score(level)} < -3",
            f"on (job, site) {counts.answers(settings)} >= 50",
        ),
        hold=HOUR,
        keep=HOUR,
        summary="Customer satisfaction has fallen.",
        description=(
            "On {{ $labels.site }}, the share of satisfied answers of the last "
            f"{settings.survey.window_days} days "
            "changed by {{ $value | humanizePercentage }} within a week (without last week's "
            "data: since the day before). Read the answers."
        ),
        dashboard=DASHBOARD,
    )


def _carts() -> Alert:
    return Alert(
        name="CartAbandonmentSpike",
        severity="warning",
        signal="carts",
        conditions=_above(ratios.CARTS, 1.25),
        hold=30 * MINUTE,
        keep=30 * MINUTE,
        summary="Far more carts than usual are abandoned.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the carts decided "
            "today were abandoned. That is over 1.25 times the usual share of this hour, and "
            "over 3 usual spreads above it. Check what changed in the checkout yesterday."
        ),
        dashboard=DASHBOARD,
    )


def _segment_carts(of: SegmentRatio) -> Alert:
    return Alert(
        name="SegmentCartAbandonmentSpike",
        severity="warning",
        signal="carts",
        conditions=_above(of, 1.25),
        hold=10 * MINUTE,
        keep=30 * MINUTE,
        summary="One segment abandons far more carts than usual.",
        description=(
            "On {{ $labels.site }}, where {{ $labels.dimension }} is {{ $labels.value }}, "
            "{{ $value | humanizePercentage }} of the carts decided in the last hour were "
            "abandoned. That is over 1.25 times the usual share of this hour, and above it by over 3 times "
            "what chance explains. Buy something as these visitors do."
        ),
        dashboard=DASHBOARD,
    )
