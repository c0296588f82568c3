"""Alerts about the product: what visitors and customers do is not what they usually do."""

from collections.abc import Iterator

from agents.monitoring.rules import counts, ratios, segments
from agents.monitoring.rules.pace import HOUR, MINUTE
from agents.monitoring.rules.ratios import Judged, Ratio, baseline, click_through, z_score
from agents.monitoring.rules.rule import Alert
from agents.monitoring.rules.segments import SegmentRatio
from stream.settings.application import Settings

DASHBOARD = "engagement"


def product_alerts(settings: Settings) -> Iterator[Alert]:
    """All of them."""
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
    """Above what is usual, both in proportion and against the usual spread.

    The spread alone is exceeded by trifles in a flat history, the proportion alone by any small
    number.
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
        summary="Far more visits than usual end where they began.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the visits of the last 15 "
            "minutes bounced: more than 1.25 times the usual share at this hour, and more than 3 "
            "times its usual spread above it."
        ),
        dashboard=DASHBOARD,
    )


def _churn() -> Alert:
    now, usual = counts.CHURNED, counts.USUAL_CHURNED
    return Alert(
        name="ChurnSpike",
        severity="warning",
        signal="churn",
        # The usual spread of a count is about its square root; the least is 3, so that nothing
        # fires on fewer than ten.
        conditions=(
            f"{now} > 1.5 * {usual}",
            f"({now} - {usual}) / clamp_min(sqrt({usual}), 3) > 3",
            f"{now} / {counts.CUSTOMERS} >= 0.002",
        ),
        hold=10 * MINUTE,
        keep=15 * MINUTE,
        summary="Far more customers than usual are leaving today.",
        description=(
            "{{ $labels.site }} has lost {{ $value | humanize }} customers today: more than 1.5 "
            "times as many as at this time a week ago (yesterday, where there is no such week)."
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
        summary="Far fewer people than usual have been active today.",
        description=(
            "{{ $labels.site }} has had {{ $value | humanize }} active users today: less than 70 % "
            "of those at this time a week ago (yesterday, where there is no such week)."
        ),
        dashboard=DASHBOARD,
    )


def _live_visitors() -> Alert:
    now, usual = counts.LIVE, counts.USUAL_LIVE
    return Alert(
        name="LiveVisitorsDrop",
        severity="critical",
        signal="activity",
        # Of fifty or more, a half is far outside of what chance does.
        conditions=(f"{now} < 0.5 * {usual}", f"{usual} >= 50"),
        hold=10 * MINUTE,
        keep=10 * MINUTE,
        summary="Half of the usual visitors are missing right now.",
        description=(
            "{{ $labels.site }} has {{ $value | humanize }} visitors now: less than half of those "
            "in the same hour a week ago (yesterday, where there is no such week)."
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
        summary="Content is clicked far less often than usual.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of what was shown in the "
            "last 15 minutes was clicked: less than 75 % of the usual share at this hour, and more "
            "than 3 times its usual spread below it."
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
        summary="Far fewer visits than usual convert.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the visits of the last "
            "hour converted: less than 75 % of the usual share at this hour, and more than 3 times "
            "its usual spread below it."
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
            f"{settings.survey.window_days} days is "
            "{{ $value | humanize }} points away from what it was a week ago (the day before, "
            "where there is no such week)."
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
            "On {{ $labels.site }}, the share of content answers in the last "
            f"{settings.survey.window_days} days has changed "
            "by {{ $value | humanizePercentage }} against a week ago (the day before, where there "
            "is no such week)."
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
        summary="Far more carts than usual are left behind.",
        description=(
            "On {{ $labels.site }}, {{ $value | humanizePercentage }} of the carts decided today "
            "were abandoned: more than 1.25 times the usual share at this hour, and more than 3 "
            "times its usual spread above it."
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
        summary="Far more carts than usual are left behind in one segment.",
        description=(
            "On {{ $labels.site }}, where {{ $labels.dimension }} is {{ $labels.value }}, "
            "{{ $value | humanizePercentage }} of the carts of the last hour were abandoned: more "
            "than 1.25 times the usual share at this hour, and more than 3 times what chance does "
            "with so many carts above it."
        ),
        dashboard=DASHBOARD,
    )
