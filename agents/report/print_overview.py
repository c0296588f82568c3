"""Prints the overview of a report: the period, the accounting, and a line for each metric with data."""

from collections.abc import Sequence

from agents.commands.terminal import can_show, terminal, write
from agents.report.accounting_table import accounting_lines
from agents.report.labels import shortened
from agents.report.overview import KINDS, Overview, overview
from agents.report.partial import NOTE, is_partial
from agents.report.screen import as_screen, period
from agents.report.sparkline import BARS
from schemas.outputs import MetricRecord
from stream.report.extent import extents
from stream.report.file_report import Report
from stream.report.periods import Complete
from stream.settings.application import Settings

#: Lines of a screen, and those that are neither a metric, nor a section's title, nor the accounting.
SCREEN_LINES, _OTHER_LINES = 60, 10
#: Sites whose numbers are shown; the others are only named.
SITES_SHOWN = 3


def print_overview(settings: Settings, report: Report, found: Sequence[Overview]) -> None:
    """Print the overview of each site, the largest first."""
    console = terminal()
    accounting = accounting_lines(report.accounting())
    room = SCREEN_LINES - _OTHER_LINES - len(accounting)
    with console.capture() as captured:
        for line in accounting:
            console.print(line, markup=False, no_wrap=True, overflow="ellipsis")
        for one in (site.shortened(room - site.titles) for site in found[:SITES_SHOWN]):
            name = f"{shortened(one.site)}: " if len(found) > 1 else ""
            console.print(f"{name}{period(one)}", markup=False)
            as_screen(console, one, settings.currency, has_bars=can_show(BARS))
            if any(is_partial(row.record) for row in one.rows()):
                console.print(NOTE, style="dim")
        if others := found[SITES_SHOWN:]:
            names = ", ".join(shortened(one.site, 20) for one in others)
            console.print(f"{len(others)} more sites: {names}", markup=False, soft_wrap=True)
        console.print(
            "More: --full, --metric NAME, --by DIMENSION; --html FILE makes a page",
            style="dim",
        )
    write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def overviews(settings: Settings, report: Report, until: Complete | None) -> list[Overview]:
    """Return the overview of each site, the one with most events first."""
    by_site: dict[str, list[MetricRecord]] = {}
    for record in report.records([], KINDS, until):
        if not record.dimensions:
            by_site.setdefault(record.site, []).append(record)
    return [
        overview(settings, site, extent, by_site.get(site, ()))
        for site, extent in extents(report.shard).items()
    ]
