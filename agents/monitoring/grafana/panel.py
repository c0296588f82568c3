"""Queries, panels, rows and dashboards, as frozen values."""

from dataclasses import dataclass, field
from typing import Literal

#: Kind of a panel. `bars` compares the values of one moment.
Kind = Literal["stat", "trend", "bars", "table", "alerts"]
#: Look of a query beside the others of its panel.
Style = Literal["plain", "past", "usual", "band_low", "band_high", "change"]
#: (lowest value, colour); the first step has no lowest value.
Step = tuple[float | None, str]
Variable = Literal["datasource", "job", "site", "segment"]
#: Legend of the lower edge of a band. Grafana finds it by this name, so it holds no variable.
BAND_LOW = "lowest usual"
#: Number of columns of the grid.
WIDTH = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query. Its legend is its name in the panel, and the head of its column in a table."""

    expression: str
    legend: str
    style: Style = "plain"
    #: Unit of its column, if it differs from the panel's.
    unit: str = ""
    #: Evaluates one moment instead of the whole range.
    is_instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. Without `steps` a number has one fixed colour, and each line its own."""

    kind: Kind
    title: str
    description: str
    unit: str = "none"
    queries: tuple[Query, ...] = ()
    steps: tuple[Step, ...] = ()
    #: Steps of queries in the style `change`.
    change_steps: tuple[Step, ...] = ()
    #: Label of a table's rows → head of its column.
    labels: tuple[tuple[str, str], ...] = ()
    #: Prefix of the names in a list of alerts.
    alerts: str = ""
    width: int = 8
    height: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under a title, from left to right."""

    title: str
    panels: tuple[Panel, ...]
    is_collapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard. All dashboards have the same links, annotations and data sources."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = field(default=("datasource", "job"))
    since: str = "now-24h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Panels of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)
