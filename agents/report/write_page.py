"""Writes the page of a report into a file."""

from collections.abc import Sequence
from pathlib import Path

from agents.commands.catalogue import RequestRefusedError
from agents.report.overview import Overview
from agents.report.page.build import SiteNumbers, build_page
from schemas.outputs import MetricRecord, WindowKind
from stream.report.file_report import Report
from stream.report.periods import Complete, DayRange
from stream.settings.application import Settings

#: Sites on a page; the largest come first.
SITES_MAX = 20
#: Longest input in days whose cohorts are days, and weeks.
_COHORT_DAYS, _COHORT_WEEKS = 21, 190


def check_page(path: str, days: DayRange | None) -> None:
    """Check that a page can be written there, before anything is counted. Raises RequestRefusedError."""
    if days is not None:
        raise RequestRefusedError("--html is of the whole input; leave out --from and --to")
    file = Path(path)
    if file.is_dir() or not file.parent.is_dir():
        reason = "is a directory" if file.is_dir() else "is in a directory that does not exist"
        raise RequestRefusedError(f"--html {path} {reason}")


def write_page(
    settings: Settings,
    report: Report,
    files: Sequence[str],
    found: Sequence[Overview],
    until: Complete | None,
    path: str,
) -> None:
    """Write the page of these sites. Raises RequestRefusedError if the file cannot be written."""
    shown = found[:SITES_MAX]
    segments: dict[str, list[MetricRecord]] = {one.site: [] for one in shown}
    for record in report.records([], ["all"], until):
        if record.dimensions and record.site in segments:
            segments[record.site].append(record)
    sites = [SiteNumbers(one, segments[one.site], _retention(report, one, until)) for one in shown]
    text = build_page(settings, files, report.accounting(), sites)
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise RequestRefusedError(f"--html {path} cannot be written: {error.strerror}") from error


def _retention(report: Report, one: Overview, until: Complete | None) -> list[MetricRecord]:
    """Return the triangle of first-time cohorts, by a period that gives a readable number of them."""
    days = one.whole.length
    kind: WindowKind = "day" if days <= _COHORT_DAYS else "week"
    if days > _COHORT_WEEKS:
        kind = "month"
    found = report.triangles("first_time", [kind], until)
    return [record for record in found if record.site == one.site]
