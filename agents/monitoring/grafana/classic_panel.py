"""Panels as Grafana reads them: queries, number formats, colours and drawing options."""

from collections.abc import Iterator
from string import ascii_uppercase
from typing import Any

from agents.monitoring.grafana.drawing import OPTIONS, TYPES, alert_options, trend_defaults
from agents.monitoring.grafana.panel import BAND_LOW, Panel, Query, Step, Style
from agents.monitoring.grafana.variables import DATASOURCE

#: Colour of numbers that are neither good nor bad.
_PLAIN: tuple[Step, ...] = ((None, "blue"),)
_GREY = {"mode": "fixed", "fixedColor": "text"}


def as_panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    """Build one panel at its place in the grid, without its number."""
    told: dict[str, Any] = {
        "type": TYPES[panel.kind],
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
    }
    if panel.kind == "alerts":
        return told | {"options": alert_options(panel.alerts)}
    if len(panel.queries) > len(ascii_uppercase):
        raise ValueError(f"{panel.title}: a panel has at most {len(ascii_uppercase)} queries")
    references = dict(zip(ascii_uppercase, panel.queries, strict=False))
    told |= {
        "datasource": dict(DATASOURCE),
        "targets": [_target(panel, ref, query) for ref, query in references.items()],
        "fieldConfig": {
            "defaults": _defaults(panel),
            "overrides": [*_overrides(panel, references)],
        },
        "options": OPTIONS[panel.kind],
    }
    if panel.kind == "table":
        told["transformations"] = [*_transformations(panel)]
    return told


def _target(panel: Panel, reference: str, query: Query) -> dict[str, Any]:
    expression = query.expression
    if panel.kind == "table" and len(panel.queries) > 1:
        # Grafana joins the rows of several queries if their labels are equal, and counts the name of
        # the series as a label: an aggregation drops the name.
        expression = f"max without () ({expression})"
    return {
        "refId": reference,
        "datasource": dict(DATASOURCE),
        "expr": expression,
        "legendFormat": "" if panel.kind == "table" else query.legend,
        "format": "table" if panel.kind == "table" else "time_series",
        "instant": query.is_instant,
        "range": not query.is_instant,
        "editorMode": "code",
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    """Build unit and colours; Grafana's default thresholds (red from 80 on) never apply."""
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": _thresholds(panel.steps or _PLAIN),
        "color": {"mode": "thresholds"},
    }
    if panel.kind == "trend":
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = trend_defaults()
    if panel.unit == "percentunit" and panel.kind in ("trend", "bars"):
        defaults["min"] = 0
    return defaults


def _thresholds(steps: tuple[Step, ...]) -> dict[str, Any]:
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": color} for value, color in steps],
    }


def _overrides(panel: Panel, references: dict[str, Query]) -> Iterator[dict[str, Any]]:
    """Build the differences of single queries from their panel."""
    for reference, query in references.items():
        if panel.kind == "table":
            yield _override("byName", query.legend, {"unit": query.unit})
            continue
        properties = _look(query.style, panel)
        if query.unit and query.unit != panel.unit:
            properties["unit"] = query.unit
        if properties:
            yield _override("byFrameRefID", reference, properties)


def _override(matcher: str, of: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": of},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _look(style: Style, panel: Panel) -> dict[str, Any]:
    dashes = {"fill": "dash", "dash": [6, 6]}
    if style == "past":
        return {"color": _GREY, "custom.lineStyle": dashes, "custom.fillOpacity": 0}
    if style == "usual":
        return {"color": _GREY, "custom.fillOpacity": 0}
    if style == "band_low":
        return {"color": _GREY, "custom.lineWidth": 0, "custom.fillOpacity": 0}
    if style == "band_high":
        # Grafana finds the lower edge by the name in its legend. With several sites it draws the band
        # of one.
        return {
            "color": _GREY,
            "custom.lineWidth": 0,
            "custom.fillOpacity": 12,
            "custom.fillBelowTo": BAND_LOW,
        }
    if style == "change":
        return {
            "unit": "percentunit",
            "decimals": 0,
            "thresholds": _thresholds(panel.change_steps),
            "color": {"mode": "thresholds"},
        }
    return {}


def _transformations(panel: Panel) -> Iterator[dict[str, Any]]:
    """Build one table of all queries: labels first, then a column for each, largest first."""
    # Grafana names columns after queries, unless there is only one query.
    many = len(panel.queries) > 1
    columns = [f"Value #{letter}" if many else "Value" for letter in ascii_uppercase]
    heads = dict(zip(columns, (query.legend for query in panel.queries), strict=False))
    shown = [label for label, _ in panel.labels] + list(heads)
    yield {"id": "merge", "options": {}}
    yield {
        "id": "organize",
        "options": {
            "includeByName": dict.fromkeys(shown, True),
            "indexByName": {name: index for index, name in enumerate(shown)},
            "renameByName": dict(panel.labels) | heads,
            "excludeByName": {},
        },
    }
    first = panel.queries[0].legend
    yield {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": first, "desc": True}]}}
    yield {"id": "limit", "options": {"limitField": 50}}
