"""Panels of metrics: a number with its change, lines over time, the usual range, segments."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.monitoring.grafana import wording
from agents.monitoring.grafana.panel import BAND_LOW, Panel, Query, Step
from agents.monitoring.grafana.selection import SEGMENT, SITE, chosen, of_segment, of_site
from agents.monitoring.rules.pace import WEEK, Pace
from agents.monitoring.rules.ratios import Level, Ratio, baseline, deviation
from agents.monitoring.rules.segments import SegmentRatio, growth
from stream.metrics.metric import Metric
from stream.settings.application import Settings

#: Direction in which a number gets worse; None if that is a matter of opinion.
Worse = str | None
_WORSE: dict[Worse, tuple[Step, ...]] = {
    "up": ((None, "green"), (0.1, "orange"), (0.25, "red")),
    "down": ((None, "red"), (-0.25, "orange"), (-0.1, "green")),
    None: ((None, "text"),),
}
#: Number of values of a dimension that a panel shows, the largest first.
_VALUES = 12
_BAND = "The band is three usual spreads around the usual value of this hour."


@dataclass(frozen=True, slots=True)
class MetricPanels:
    """Builds panels of metrics, for the settings of the numbers."""

    settings: Settings
    pace: Pace

    def headline(self, metric: Metric, worse: Worse) -> Panel:
        """Build the current number, and its change since the same time last week."""
        now, week = of_site(metric), self.pace.of(WEEK)
        change = f"{now} / {now} offset {week} - 1"
        return Panel(
            kind="stat",
            title=wording.title(metric.name),
            description=f"{wording.explain([metric])}\n\nBelow it: the change within a week.",
            unit=wording.unit(metric, self.settings),
            queries=(
                Query(expression=now, legend="{{site}}"),
                Query(
                    expression=change,
                    legend="{{site}} to last week",
                    style="change",
                    is_instant=True,
                ),
            ),
            change_steps=_WORSE[worse],
            width=4,
            height=5,
        )

    def trend(self, name: str, metrics: Sequence[Metric]) -> Panel:
        """Build lines over time: of one metric with last week's, of several one each."""
        first = metrics[0]
        queries = []
        for metric in metrics:
            label = (
                "{{site}}" if len(metrics) == 1 else f"{wording.title(metric.name)} {{{{site}}}}"
            )
            unit = wording.unit(metric, self.settings)
            queries.append(Query(expression=of_site(metric), legend=label, unit=unit))
        if len(metrics) == 1:
            past = f"{of_site(first)} offset {self.pace.of(WEEK)}"
            queries.append(Query(expression=past, legend="{{site}} a week before", style="past"))
        return Panel(
            kind="trend",
            title=name,
            description=wording.explain(metrics),
            unit=wording.unit(first, self.settings),
            queries=tuple(queries),
        )

    def usual(self, name: str, metric: Metric, of: Ratio | Level) -> Panel:
        """Build a number with its usual range, as its alert sees both."""
        if isinstance(of, Ratio):
            now = chosen(of.now, SITE)
        else:
            window = (f'window=~"|{of.window}"',) if of.window else ()
            now = chosen(f"{of.stem}:max", SITE, *window)
        usual, spread = chosen(baseline(of), SITE), chosen(deviation(of), SITE)
        lowest = f"{usual} - 3 * {spread}"
        if metric.unit == "ratio":
            lowest = f"clamp_min({lowest}, 0)"
        return Panel(
            kind="trend",
            title=name,
            description=f"{wording.explain([metric])}\n\n{_BAND} {_moment(of)}",
            unit=wording.unit(metric, self.settings),
            queries=(
                Query(expression=now, legend="{{site}}"),
                Query(expression=usual, legend="{{site}} usual", style="usual"),
                Query(expression=lowest, legend=BAND_LOW, style="band_low"),
                Query(
                    expression=f"{usual} + 3 * {spread}",
                    legend="highest usual",
                    style="band_high",
                ),
            ),
            width=12,
        )

    def bars(self, metric: Metric, dimension: str = "") -> Panel:
        """Build bars of the largest values of a dimension."""
        by = dimension or "$segment"
        return Panel(
            kind="bars",
            title=f"{wording.title(metric.name)} by {wording.dimension(by)}",
            description=wording.explain([metric], by_segment=True),
            unit=wording.unit(metric, self.settings),
            queries=(
                Query(
                    expression=f"sort_desc(topk({_VALUES}, {of_segment(metric, dimension)}))",
                    legend="{{value}} {{site}}",
                    is_instant=True,
                ),
            ),
        )

    def trend_by(self, metric: Metric, dimension: str = "") -> Panel:
        """Build lines over time, one for each value of a dimension."""
        by = wording.dimension(dimension or "$segment")
        title = f"{wording.title(metric.name)} by {by}, over time"
        return self._lines(title, metric, of_segment(metric, dimension))

    def growing_by(self, name: str, metric: Metric, of: SegmentRatio) -> Panel:
        """Build lines of a ratio of the last hour, one for each value, however few its cases."""
        counted, cases = (
            chosen(growth(total), SITE, SEGMENT) for total in (of.numerator, of.denominator)
        )
        note = f"\n\nValues are of the last hour. The alert needs {of.minimum} cases."
        return self._lines(name, metric, f"{counted} / ({cases} > 0)", note)

    def _lines(self, title: str, metric: Metric, of_values: str, note: str = "") -> Panel:
        """Build lines over time of the largest values."""
        return Panel(
            kind="trend",
            title=title,
            description=wording.explain([metric], by_segment=True) + note,
            unit=wording.unit(metric, self.settings),
            queries=(
                Query(expression=f"topk({_VALUES}, {of_values})", legend="{{value}} {{site}}"),
            ),
        )

    def table(self, metrics: Sequence[Metric], dimension: str = "", note: str = "") -> Panel:
        """Build a table: a line for each value of a dimension, a column for each metric."""
        by = wording.dimension(dimension or "$segment")
        text = wording.explain(metrics, by_segment=True)
        return Panel(
            kind="table",
            title=f"By {by}",
            description=f"{note}\n\n{text}" if note else text,
            unit="locale",
            queries=tuple(
                Query(
                    expression=of_segment(metric, dimension),
                    legend=wording.title(metric.name),
                    unit=wording.unit(metric, self.settings),
                    is_instant=True,
                )
                for metric in metrics
            ),
            labels=(("value", by), ("site", "site")),
            width=24,
            height=9,
        )


def _moment(of: Ratio | Level) -> str:
    if isinstance(of, Ratio):
        return f"Values are of 15 minutes with at least {of.minimum:,} cases."
    return "Usual is the middle of this hour a week ago, two weeks ago and yesterday."
