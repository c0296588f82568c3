"""The dashboard Campaigns and experiments: channels, campaigns and variants side by side."""

from agents.alerting.surroundings import Surroundings
from agents.dashboards.metric_panels import MetricPanels
from agents.dashboards.panel import Dashboard, Row
from agents.dashboards.placement import CAMPAIGN_COLUMNS, CAMPAIGN_LINES, SPEND_COLUMNS
from stream.metrics import catalogue
from stream.metrics.metric import Metric
from stream.settings import Settings

_COMPARED = (("Channels", "channel"), ("Campaigns", "campaign"), ("Experiments", "variant"))
_NOTE = (
    "Events say it in their `context` as `{dimension}`, which must stand in the setting "
    "`dimensions`; otherwise there is no data here."
)


def campaigns(settings: Settings, place: Surroundings) -> Dashboard:
    """The same numbers by each of the dimensions."""
    panels = MetricPanels(settings, place.pace)
    whole = {metric.name: metric for metric in catalogue(settings) if metric.plain}
    return Dashboard(
        uid="engagement-campaigns",
        title="Campaigns and experiments",
        description="Channels, campaigns and variants, side by side.",
        rows=tuple(_row(name, dimension, whole, panels) for name, dimension in _COMPARED),
        variables=("datasource", "job", "site"),
    )


def _row(name: str, dimension: str, known: dict[str, Metric], panels: MetricPanels) -> Row:
    spend = () if dimension == "variant" else SPEND_COLUMNS
    columns = [known[name] for name in (*CAMPAIGN_COLUMNS, *spend) if name in known]
    lines = [known[name] for name in CAMPAIGN_LINES if name in known]
    table = panels.table(columns, dimension, _NOTE.format(dimension=dimension))
    bars = tuple(panels.bars(metric, dimension) for metric in lines[:1])
    shown = (table, *bars, *(panels.trend_by(metric, dimension) for metric in lines[:2]))
    return Row(title=name, panels=shown)
