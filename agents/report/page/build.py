"""Builds the page of a report: one file with everything that it needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.report.labels import shortened
from agents.report.overview import Overview
from agents.report.page.cards import Chart, cards
from agents.report.page.elements import Markup, data, element, joined
from agents.report.page.tables import (
    accounting_table,
    funnel_tables,
    retention_tables,
    segment_tables,
    segments_of,
)
from agents.report.partial import NOTE
from agents.report.screen import notes, period
from schemas.outputs import MetricRecord
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import Metric
from stream.report.accounting import Accounting
from stream.settings.application import Settings
from stream.web.live_assets import CHARTS, asset

_OWN = Path(__file__).parent
#: Nothing may be fetched, whatever the page holds.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
#: The library is absent: numbers and tables stand without it.
_NO_CHARTS = "The chart library plotly is not installed: this page has no charts."


@dataclass(frozen=True, slots=True)
class SiteNumbers:
    """Numbers of one site: the overview, the segments of the window `all`, and the retention."""

    overview: Overview
    segments: Sequence[MetricRecord]
    retention: Sequence[MetricRecord]


def build_page(
    settings: Settings, names: Sequence[str], accounting: Accounting, sites: Sequence[SiteNumbers]
) -> str:
    """Return the page over files of these names."""
    metrics = {metric.name: metric for metric in catalogue(settings)}
    charts: list[Chart] = []
    sections = []
    for number, site in enumerate(sites):
        place = f"site-{number}"
        made = cards(site.overview, settings.currency, place)
        charts += made.charts
        parts = [made.markup, *_tables(site, metrics, settings)]
        name = shortened(site.overview.site)
        title = element("h2", f"Site {name}" if len(sites) > 1 else "Numbers")
        about = element("p", period(site.overview), class_="quiet")
        told = [element("p", note, class_="quiet") for note in notes(site.overview)]
        sections.append(element("section", title, about, *told, *parts, id=place))
    header = element(
        "header",
        element("h1", "Engagement report"),
        element("p", ", ".join(shortened(Path(name).name) for name in names), class_="quiet"),
        _contents(sites),
    )
    has_library = asset(CHARTS) is not None
    counted = element("section", element("h2", "Input"), accounting_table(accounting))
    missing = [] if has_library else [element("p", _NO_CHARTS)]
    footer = element("footer", element("p", NOTE, class_="quiet"))
    body = joined([header, element("main", *missing, counted, *sections), footer])
    return _document(body, charts)


def _contents(sites: Sequence[SiteNumbers]) -> Markup:
    """Return links to the sites if there are several."""
    if len(sites) < 2:
        return Markup()
    links = (
        element("a", shortened(site.overview.site), href=f"#site-{number}")
        for number, site in enumerate(sites)
    )
    return element("nav", *links, aria_label="Sites")


def _tables(
    site: SiteNumbers, metrics: Mapping[str, Metric], settings: Settings
) -> Iterator[Markup]:
    """Yield funnels, retention and segments, each under its heading."""
    segments = segments_of(site.segments)
    chapters: Iterable[tuple[str, list[Markup]]] = (
        ("Funnels", list(funnel_tables(segments, settings.funnels))),
        ("Retention", list(retention_tables(site.retention))),
        ("Segments", list(segment_tables(segments, metrics, settings.currency))),
    )
    for title, tables in chapters:
        if tables:
            scrolled = (
                element("div", one, class_="scroll", tabindex="0", role="region", aria_label=title)
                for one in tables
            )
            yield element("section", element("h3", title), *scrolled)


def _document(body: Markup, charts: Sequence[Chart]) -> str:
    library = asset(CHARTS)
    scripts = [_script(library.read_text("utf-8"))] if library else []
    scripts.append(_script((_OWN / "report.js").read_text("utf-8")))
    style = (_OWN / "report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<title>Engagement report</title>\n<link rel="icon" href="{_ICON}">\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n{body}\n{data('charts', charts)}\n"
        + "\n".join(scripts)
        + "\n</body>\n</html>\n"
    )


def _script(text: str) -> str:
    """Return an element with our own code, in which no text ends it."""
    safe = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"<script>{safe}</script>"
