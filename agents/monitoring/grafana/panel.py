"""What a dashboard is: one frozen value each for queries, panels, rows and dashboards."""

from dataclasses import dataclass, field
from typing import Literal

#: What a panel draws. A `bars` panel compares the values of one moment.
Kind = Literal["stat", "trend", "bars", "table", "alerts"]
#: How a query looks beside the others of its panel.
Style = Literal["plain", "past", "usual", "band_low", "band_high", "change"]
#: (from this value on, colour); the first one has no lower bound.
Step = tuple[float | None, str]
Variable = Literal["datasource", "job", "site", "segment"]
#: What the lower edge of a band is called: Grafana finds it by this, so it has no variable in it.
BAND_LOW = "lowest usual"
#: Columns of the grid.
WIDTH = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query. Its name in the panel is the legend; in a table it is the head of a column."""

    expression: str
    legend: str
    style: Style = "plain"
    #: Of its column, where it differs from that of the panel.
    unit: str = ""
    #: One moment instead of the whole range.
    is_instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. Without `steps` a number has one fixed colour, and lines have one a name."""

    kind: Kind
    title: str
    description: str
    unit: str = "none"
    queries: tuple[Query, ...] = ()
    steps: tuple[Step, ...] = ()
    #: Of queries in the style `change`.
    change_steps: tuple[Step, ...] = ()
    #: Label of a table's rows → the head of that column.
    labels: tuple[tuple[str, str], ...] = ()
    #: Of a list of alerts: what their names begin with.
    alerts: str = ""
    width: int = 8
    height: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under a title, from left to right as there is room."""

    title: str
    panels: tuple[Panel, ...]
    is_collapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard. Links, annotations and data sources are the same for all of them."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = field(default=("datasource", "job"))
    since: str = "now-24h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Those of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)
