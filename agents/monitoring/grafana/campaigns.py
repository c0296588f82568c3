"""Dashboard Campaigns and experiments: channels, campaigns and variants side by side."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agents.monitoring.grafana import wording
from agents.monitoring.grafana.metric_panels import MetricPanels
from agents.monitoring.grafana.panel import Dashboard, Panel, Row
from agents.monitoring.grafana.placement import (
    CAMPAIGN_COLUMNS,
    CAMPAIGN_LINES,
    EXPERIMENT_COLUMNS,
    SPEND_COLUMNS,
)
from agents.monitoring.rules.surroundings import Surroundings
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import JOINED, Metric
from stream.metrics.themes.goals import of_goals_and
from stream.settings.application import Settings

_COMPARED = (("Channels", "channel"), ("Campaigns", "campaign"))
_NOTE = (
    "Send `{dimension}` in the `context` of events, and add it to the setting `dimensions`; "
    "without that there is no data here."
)


def campaigns(settings: Settings, place: Surroundings) -> Dashboard:
    """Build the dashboard: the same numbers by each dimension, and experiments by variant."""
    panels = MetricPanels(settings, place.pace)
    known = {metric.name: metric for metric in catalogue(settings)}
    rows = [
        Row(
            title=name,
            panels=_compared(dimension, (*CAMPAIGN_COLUMNS, *SPEND_COLUMNS), known, panels),
        )
        for name, dimension in _COMPARED
    ]
    if variant := settings.experiment.dimension:
        shown = (
            *_compared(variant, CAMPAIGN_COLUMNS, known, panels),
            *_tested(variant, known, panels),
        )
        rows.append(Row(title="Experiments", panels=shown))
    return Dashboard(
        uid="engagement-campaigns",
        title="Campaigns and experiments",
        description="Channels, campaigns and variants, side by side.",
        rows=tuple(rows),
        variables=("datasource", "job", "site"),
    )


def _compared(
    dimension: str, names: Iterable[str], known: Mapping[str, Metric], panels: MetricPanels
) -> tuple[Panel, ...]:
    """Build a table, with the first metrics as bars and lines."""
    columns = [known[name] for name in names if name in known]
    lines = [known[name] for name in CAMPAIGN_LINES if name in known]
    table = panels.table(columns, dimension, _NOTE.format(dimension=dimension))
    bars = tuple(panels.bars(metric, dimension) for metric in lines[:1])
    return table, *bars, *(panels.trend_by(metric, dimension) for metric in lines[:2])


def _tested(variant: str, known: Mapping[str, Metric], panels: MetricPanels) -> Iterator[Panel]:
    """Yield the conversion of each variant, with its interval and its test; also by goal."""
    columns = [known[name] for name in EXPERIMENT_COLUMNS]
    for dimension in (variant, of_goals_and(variant).replace(JOINED, ",")):
        table = panels.table(columns, dimension, _NOTE.format(dimension=variant))
        yield replace(table, title=f"Conversion by {wording.dimension(dimension)}")
    for name in ("variant_conversion", "variant_p_value"):
        yield panels.trend_by(known[name], variant)
