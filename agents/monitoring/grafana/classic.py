"""Dashboards as Grafana reads them: classic JSON with every field, so that no default applies."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from agents.monitoring.grafana.classic_panel import as_panel
from agents.monitoring.grafana.panel import WIDTH, Dashboard, Panel, Row
from agents.monitoring.grafana.selection import chosen
from agents.monitoring.grafana.variables import DATASOURCE, as_variable
from agents.monitoring.rules.surroundings import Surroundings

SCHEMA_VERSION = 42
TAG = "engagement"


def as_classic(dashboard: Dashboard, place: Surroundings) -> dict[str, Any]:
    """Build one dashboard."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "schemaVersion": SCHEMA_VERSION,
        "tags": [TAG],
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": dashboard.since, "to": "now"},
        "refresh": "30s",
        "timepicker": {"refresh_intervals": ["15s", "30s", "1m", "5m", "15m", "1h"]},
        "links": [_links()],
        "annotations": {"list": [_alerts(dashboard, place)]},
        "templating": {"list": [as_variable(name, place) for name in dashboard.variables]},
        "panels": [*_panels(dashboard.rows)],
    }


def _links() -> dict[str, Any]:
    """Build the links to the other dashboards, with the same time and choices."""
    return {
        "type": "dashboards",
        "title": "Dashboards",
        "tooltip": "The other dashboards, at the same time and with the same choices",
        "icon": "dashboard",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }


def _alerts(dashboard: Dashboard, place: Surroundings) -> dict[str, Any]:
    """Build the marks of alerts: those of the chosen sites, and those without a site."""
    matchers = [f'alertname=~"{place.prefix}.+"', f'alertname!="{place.prefix}Watchdog"']
    if "site" in dashboard.variables:
        matchers.append('site=~"|$site"')
    series = chosen("ALERTS", *matchers, 'alertstate="firing"')
    return {
        "name": "Alerts",
        "datasource": dict(DATASOURCE),
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": series,
        "titleFormat": "{{alertname}}",
        "textFormat": "{{site}}",
        "tagKeys": "severity,signal",
        "step": "60s",
    }


def _panels(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Number rows and panels; panels of a collapsed row are inside it."""
    numbers = count(1)
    top = 0
    for row in rows:
        heading: dict[str, Any] = {
            "id": next(numbers),
            "type": "row",
            "title": row.title,
            "collapsed": row.is_collapsed,
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
            "panels": [],
        }
        top += 1
        inside = []
        for line in _lines(row.panels):
            left = 0
            for panel in line:
                # The last panel takes the rest of the line, unless it is a single number.
                fills = panel is line[-1] and panel.kind != "stat"
                width = WIDTH - left if fills else panel.width
                place = {"x": left, "y": top, "w": width, "h": panel.height}
                inside.append({"id": next(numbers)} | as_panel(panel, place))
                left += width
            top += max(panel.height for panel in line)
        if row.is_collapsed:
            yield heading | {"panels": inside}
        else:
            yield from (heading, *inside)


def _lines(panels: Iterable[Panel]) -> list[list[Panel]]:
    """Place panels from left to right while there is room."""
    lines: list[list[Panel]] = []
    for panel in panels:
        if not lines or sum(other.width for other in lines[-1]) + panel.width > WIDTH:
            lines.append([])
        lines[-1].append(panel)
    return lines
