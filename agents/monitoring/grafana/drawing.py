"""Drawing options of each kind of panel, as Grafana's plugins name them."""

from typing import Any

from agents.monitoring.grafana.panel import Kind

TYPES: dict[Kind, str] = {
    "stat": "stat",
    "trend": "timeseries",
    "bars": "bargauge",
    "table": "table",
    "alerts": "alertlist",
}
_NEWEST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
OPTIONS: dict[Kind, dict[str, Any]] = {
    "stat": {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _NEWEST,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "trend": {
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
            "calcs": [],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "bars": {
        "displayMode": "basic",
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": False,
            "calcs": [],
        },
        "maxVizHeight": 32,
        "minVizHeight": 10,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": _NEWEST,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "text",
    },
    "table": {"cellHeight": "sm", "frameIndex": 0, "showHeader": True},
}


def trend_defaults() -> dict[str, Any]:
    """Build plain lines. Gaps stay gaps: withheld numbers are missing numbers."""
    return {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 8,
        "gradientMode": "none",
        "showPoints": "auto",
        "pointSize": 4,
        "spanNulls": False,
        "axisPlacement": "auto",
        "axisBorderShow": False,
        "scaleDistribution": {"type": "linear"},
        "stacking": {"mode": "none", "group": "A"},
        "thresholdsStyle": {"mode": "off"},
        "hideFrom": {"legend": False, "tooltip": False, "viz": False},
    }


def alert_options(prefix: str) -> dict[str, Any]:
    """Build the list of alerts that fire or wait, most important first."""
    states = {"firing": True, "pending": True}
    silent = ("recovering", "noData", "normal", "error")
    return {
        "alertName": prefix,
        "alertInstanceLabelFilter": "",
        "dashboardAlerts": False,
        "groupBy": [],
        "groupMode": "default",
        "maxItems": 30,
        "showInactiveAlerts": False,
        "showInstances": True,
        "sortOrder": 3,
        "stateFilter": states | dict.fromkeys(silent, False),
        "viewMode": "list",
    }
