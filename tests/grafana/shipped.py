"""The shipped dashboards, their panels and queries, and the values of their variables."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.grafana import GRAFANA

Json = dict[str, Any]
NAMES = ("engagement", "engagement-campaigns", "engagement-pipeline")
#: Values as Grafana fills them in: every job and site, and one dimension.
CHOSEN = {"job": ".+", "site": ".+", "segment": "country", "datasource": "engagement-prom"}
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Target(NamedTuple):
    """One query of a panel."""

    dashboard: str
    panel: Json
    query: Json

    @property
    def where(self) -> str:
        return f"{self.dashboard}: {self.panel['title']}: {self.query['refId']}"


@cache
def dashboard(name: str) -> Json:
    """Return a shipped dashboard."""
    return dict(json.loads((GRAFANA / "dashboards" / f"{name}.json").read_text("utf-8")))


def with_rows(name: str) -> Iterator[Json]:
    """Yield its panels and rows, including those inside collapsed rows."""
    for panel in dashboard(name)["panels"]:
        yield panel
        yield from panel.get("panels", [])


def panels(name: str) -> Iterator[Json]:
    """Return its panels without rows."""
    return (panel for panel in with_rows(name) if panel["type"] != "row")


def targets() -> Iterator[Target]:
    """Yield every query of every panel of every dashboard."""
    for name in NAMES:
        for panel in panels(name):
            for query in panel.get("targets", []):
                yield Target(name, panel, query)


def filled(text: str, values: Mapping[str, str] = CHOSEN) -> str:
    """Return a text with its variables filled in. Raises KeyError for an unknown one."""
    return _VARIABLE.sub(lambda found: values[found[1]], text)
