"""Live summary of the demonstration: a few numbers read from the worker's /metrics page."""

import http.client
import math
import time
from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from stream.metrics.catalogue import catalogue
from stream.metrics.metric_families import main_family
from stream.publish.headlines import HEADLINES
from stream.settings.application import Settings

TIMEOUT_SECONDS = 5.0
# Far above the size of a worker's page.
PAGE_MAX_BYTES = 32 * 1024 * 1024


class Shown(NamedTuple):
    """Number of the summary: title, family, windows in order of preference, and format."""

    title: str
    metric: str
    windows: tuple[str, ...]
    form: str


_METRICS = {metric.name: metric for metric in catalogue(Settings())}
ROWS = tuple(
    Shown(
        one.title,
        main_family(_METRICS[one.metric]).name,
        one.windows,
        f"{{:.{one.decimals}%}}" if _METRICS[one.metric].unit == "ratio" else "{:,.0f}",
    )
    for one in HEADLINES
)


class Summary:
    """Reads the page repeatedly and keeps the last count of events for their rate."""

    def __init__(self, site: str = "default") -> None:
        self._site = site
        self._last: tuple[float, float] | None = None

    def read(self, page: str, now_seconds: float) -> dict[str, str]:
        """Map each title to its number as text, `…` until the page has one."""
        families = {family.name: family for family in text_string_to_metric_families(page)}
        rows = {}
        for row in ROWS:
            value = _whole_site(families.get(row.metric), self._site, row.windows)
            rows[row.title] = "…" if value is None else row.form.format(value)
        rate = self._rate(families, now_seconds)
        rows["events a second"] = "…" if rate is None else f"{rate:,.0f}"
        return rows

    def _rate(self, families: dict[str, Metric], now_seconds: float) -> float | None:
        family = families.get("engagement_events")
        if family is None:
            return None
        total = sum(sample.value for sample in family.samples)
        last, self._last = self._last, (now_seconds, total)
        if last is None or now_seconds <= last[0] or total < last[1]:
            return None
        return (total - last[1]) / (now_seconds - last[0])


def _whole_site(family: Metric | None, site: str, windows: Iterable[str]) -> float | None:
    """Value of a site, in the first of the wanted windows that the page has."""
    found = {
        sample.labels.get("window", ""): sample.value
        for sample in (family.samples if family else ())
        if sample.labels["site"] == site
    }
    wanted = (found[window] for window in (*windows, *found) if window in found)
    value = next(wanted, None)
    return None if value is None or math.isnan(value) else value


def fetch(host: str, port: int, path: str) -> str | None:
    """Fetch a page of the worker; None while it does not answer with one."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(PAGE_MAX_BYTES)
        return body.decode() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return None
    finally:
        connection.close()


def as_table(rows: dict[str, str], note: str) -> Table:
    """Format the summary for a terminal."""
    table = Table(title=note, title_justify="left", show_header=False, box=None)
    for title, value in rows.items():
        table.add_row(title, f"[bold]{value}[/bold]")
    return table


def as_line(rows: dict[str, str]) -> str:
    """Format the summary as one line, for a log or a pipe."""
    return time.strftime("%H:%M:%S ") + " · ".join(f"{t} {value}" for t, value in rows.items())
