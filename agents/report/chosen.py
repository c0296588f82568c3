"""Chooses the metrics and windows of a report by its options."""

from collections.abc import Sequence

from agents.commands.catalogue import RequestRefusedError, choose_metrics, choose_windows
from agents.report.tables import ORDER
from schemas.outputs import WindowKind
from stream.metrics.metric import Metric
from stream.metrics.ranges import in_report, over_range
from stream.report.periods import DayRange
from stream.settings.application import Settings

#: Windows printed by default: all but ranges, the finest and the longest.
WINDOWS = ORDER[1:-8]


def choose_numbers(
    settings: Settings, metrics: Sequence[str], windows: Sequence[str], days: DayRange | None
) -> tuple[list[Metric], list[WindowKind], list[str]]:
    """Return (metrics, kinds of windows, names of metrics without a value over the range).

    Raises RequestRefusedError for an unknown name, and if none of the named metrics has a value.
    """
    named = choose_metrics(settings, metrics)
    if not days or windows:
        chosen = [in_report(metric) for metric in named]
        kinds = choose_windows(chosen if metrics else (), windows, WINDOWS)
        return [metric for metric in chosen if set(metric.windows) & set(kinds)], kinds, []
    without = [metric for metric in named if over_range(metric) is None]
    chosen = [in_report(metric) for metric in named if metric not in without]
    if not chosen:
        of = without[0]
        raise RequestRefusedError(
            f"{of.name} has no value over a range of days; add --window {of.windows[0]} for the "
            "windows that lie in it"
        )
    return chosen, ["range"], [metric.name for metric in without]
