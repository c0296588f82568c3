"""Dashboard Engagement: what visitors and customers do, for the people of the product."""

from collections.abc import Iterator, Mapping

from agents.monitoring.grafana import wording
from agents.monitoring.grafana.family_panels import FamilyPanels
from agents.monitoring.grafana.metric_panels import MetricPanels
from agents.monitoring.grafana.panel import Dashboard, Panel, Row
from agents.monitoring.grafana.placement import (
    SECTIONS,
    SEGMENT_COLUMNS,
    BySegment,
    Entry,
    Headline,
    Trend,
    Usual,
    placed,
)
from agents.monitoring.rules.product import DASHBOARD
from agents.monitoring.rules.ratios import Ratio
from agents.monitoring.rules.segments import CARTS
from agents.monitoring.rules.surroundings import Surroundings
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import JOINED, OWN_DIMENSIONS, Metric
from stream.settings.application import Settings


def engagement(settings: Settings, place: Surroundings) -> Dashboard:
    """Build the dashboard; its first row also shows the age of the numbers and the alerts."""
    panels = MetricPanels(settings, place.pace)
    data_quality = FamilyPanels(settings, place)
    whole = {metric.name: metric for metric in catalogue(settings) if metric.plain}
    rows = []
    for name, entries in SECTIONS:
        found = tuple(_panels(entries, whole, panels))
        if name == "Now":
            found += (data_quality.snapshot_age(), data_quality.firing())
        if found:
            rows.append(Row(title=name, panels=found))
    rows.append(_segments(whole, panels))
    rows += _own_dimensions(catalogue(settings), panels)
    if others := [metric for name, metric in whole.items() if name not in placed()]:
        more = tuple(panels.trend(wording.title(metric.name), [metric]) for metric in others)
        rows.append(Row(title="More numbers", panels=more, is_collapsed=True))
    rows.append(Row(title="Data quality", panels=data_quality.data_quality(), is_collapsed=True))
    return Dashboard(
        uid=DASHBOARD,
        title="Engagement",
        description="What visitors and customers do, now and compared with the usual.",
        rows=tuple(rows),
        variables=("datasource", "job", "site", "segment"),
    )


def _panels(
    entries: tuple[Entry, ...], known: Mapping[str, Metric], panels: MetricPanels
) -> Iterator[Panel]:
    """Yield the panels of entries whose metrics exist."""
    for entry in entries:
        if isinstance(entry, Trend):
            if metrics := [known[name] for name in entry.metrics if name in known]:
                yield panels.trend(entry.title, metrics)
        elif entry.metric in known:
            metric = known[entry.metric]
            if isinstance(entry, Headline):
                yield panels.headline(metric, entry.worse)
            elif isinstance(entry, BySegment):
                yield panels.bars(metric)
            else:
                yield _usual(entry, metric, panels)


def _usual(entry: Usual, metric: Metric, panels: MetricPanels) -> Panel:
    """Compare a metric with its usual value, if the alerts know that for one of its windows."""
    of = entry.of(panels.settings) if callable(entry.of) else entry.of
    if isinstance(of, Ratio):
        return panels.usual(f"{entry.title} and the usual", metric, of)
    window = of.window in metric.windows if of.window else len(metric.windows) == 1
    if of.family == metric.gauge and window:
        return panels.usual(f"{entry.title} and the usual", metric, of)
    return panels.trend(f"{entry.title} over time", [metric])


def _segments(known: Mapping[str, Metric], panels: MetricPanels) -> Row:
    metrics = [known[name] for name in SEGMENT_COLUMNS if name in known]
    shown = [panels.table(metrics), *(panels.trend_by(metric) for metric in metrics[:3])]
    if metric := known.get("cart_abandonment_rate"):
        shown.append(panels.growing_by("Abandoned carts by $segment, in an hour", metric, CARTS))
    return Row(title="Segments: $segment", panels=tuple(shown))


def _own_dimensions(metrics: tuple[Metric, ...], panels: MetricPanels) -> Iterator[Row]:
    """Yield a row for each dimension that metrics bring, such as pages and funnels."""
    for dimension in sorted(OWN_DIMENSIONS):
        if found := [metric for metric in metrics if metric.covers(dimension)]:
            # The exporter joins names of dimensions by a comma.
            name = dimension.replace(JOINED, ",")
            shown = (panels.bars(found[0], name), panels.trend_by(found[0], name))
            table = panels.table(found, name)
            heading = wording.dimension(name)
            yield Row(title=f"By {heading}", panels=(table, *shown), is_collapsed=True)
