"""Variables of dashboards: data source, job, sites and segment."""

from typing import Any

from agents.monitoring.grafana.panel import Variable
from agents.monitoring.grafana.selection import SITE, chosen
from agents.monitoring.rules.surroundings import Surroundings

#: Data source of every query: the chosen server.
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
SOURCE_NAME, SOURCE_UID = "Prometheus", "engagement-prom"
_EVENTS = "site:engagement_events_total:max"
#: People have every configured dimension, and none that other metrics bring.
_SEGMENTED = "segment:engagement_segment_daily_active_users:max"
_ALL: dict[str, Any] = {"text": "All", "value": "$__all"}


def as_variable(name: Variable, place: Surroundings) -> dict[str, Any]:
    """Build a variable as Grafana reads it."""
    if name == "datasource":
        return {
            "name": name,
            "label": "Data Source",
            "type": "datasource",
            "query": "prometheus",
            "current": {"text": SOURCE_NAME, "value": SOURCE_UID},
            "multi": False,
            "includeAll": False,
        }
    if name == "job":
        current = {"text": [place.job], "value": [place.job]}
        return _of_label(name, "Job", f"label_values({_EVENTS}, job)", current)
    if name == "site":
        sites = [*place.sites]
        current = {"text": sites, "value": sites} if sites else _ALL
        return _of_label(name, "Site", f"label_values({chosen(_EVENTS)}, site)", current)
    query = f"label_values({chosen(_SEGMENTED, SITE)}, dimension)"
    return _of_label(name, "Segment", query, None)


def _of_label(name: str, label: str, query: str, current: dict[str, Any] | None) -> dict[str, Any]:
    """Offer the values of a label. Without `current`: one at a time, the first one at the start."""
    variable = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": dict(DATASOURCE),
        "query": {"query": query, "refId": f"values-of-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": current is not None,
        "includeAll": current is not None,
    }
    if current is not None:
        variable |= {"allValue": ".+", "current": current}
    return variable
