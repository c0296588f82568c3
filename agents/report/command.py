"""`engage report`: runs the engine over files and prints the numbers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec.structs import replace
from rich.console import Console

from agents.commands.catalogue import (
    RequestRefusedError,
    check_dimensions,
)
from agents.commands.terminal import write
from agents.report.chosen import choose_numbers
from agents.report.counting import count_files, print_accounting, print_advice
from agents.report.overview import Overview
from agents.report.print_overview import overviews, print_overview
from agents.report.retention import as_triangles, choose_periods
from agents.report.tables import as_tables
from agents.report.write_page import check_page, write_page
from schemas.outputs import MetricRecord, encode_record
from stream.metrics.metric import Metric
from stream.publish.csv_table import write_csv
from stream.report.cohorts import Cohort
from stream.report.file_report import Report
from stream.report.jobs.processes import JobError
from stream.report.periods import Complete, DayRange
from stream.settings.application import Settings


def run_report(
    settings: Settings,
    files: list[str],
    *,
    metrics: list[str],
    windows: list[str],
    format: str,
    by: Sequence[str] = (),
    until: Complete | None = None,
    days: DayRange | None = None,
    compare: bool = False,
    retention: Cohort | None = None,
    digits: int | None = None,
    full: bool = False,
    html: str | None = None,
    as_log: bool = False,
    partitions: int = 1,
    jobs: int | None = None,
) -> int:
    """Count the files and print the numbers.

    Return 0, 1 when a file ended early, 2 when nothing was counted. A table without any choice is an
    overview that fits one screen. `html` is the file of a page, written beside what is printed. No
    `metrics` means all, no `windows` means WINDOWS. A table shows whole sites and the dimensions `by`;
    json and csv hold all dimensions unless `by` names some. `compare` adds the value of the window
    before. `retention` prints triangles of these cohorts instead. `digits` rounds values only. `days` is
    a range: its numbers are those of the window `range`, or of the `windows` in it. `as_log` counts like
    a stream, `partitions` in as many shards, in `jobs` processes.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    count = partial(count_files, as_log=as_log, partitions=partitions, jobs=jobs)
    try:
        if retention:
            periods = choose_periods(metrics, windows, by, days)
            settings = replace(settings, dimensions=())
            report = count(settings, files, errors, kinds=periods)
            shown = _rounded(report.triangles(retention, periods, until), digits)
            return _finish(settings, report, errors, format, shown, as_triangles)
        chosen, kinds, without = choose_numbers(settings, metrics, windows, days)
        check_dimensions(settings, by)
        if html is not None:
            check_page(html, days)
        settings = _counting(settings, "json" if html else format, by, compare=compare)
        report = count(settings, files, errors, days, kinds=kinds)
        if not report.has_range():
            raise RequestRefusedError(f"there is no event {days} in the files")
        is_chosen = full or compare or digits is not None or metrics or windows or by or days
        is_overview = format == "table" and not is_chosen
        found = overviews(settings, report, until) if is_overview or html is not None else []
        if html is not None:
            write_page(settings, report, files, found, until, html)
    except (RequestRefusedError, JobError) as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    if is_overview:
        return _finish_overview(settings, report, errors, found)
    records = report.records([metric.name for metric in chosen], kinds, until)
    shown = _rounded(_selected(records, chosen, format, by), digits)
    as_table = partial(as_tables, settings, chosen, keep_empty=bool(metrics))
    return _finish(settings, report, errors, format, shown, as_table, without)


def _finish(
    settings: Settings,
    report: Report,
    errors: Console,
    format: str,
    records: Iterable[MetricRecord],
    as_table: Callable[[Iterable[MetricRecord]], str],
    without: Iterable[str] = (),
) -> int:
    """Print the records, the accounting, and the metrics without a value; return the exit code."""
    _write(format, records, as_table)
    print_accounting(settings, report, errors)
    if listed := ", ".join(without):
        errors.print(f"engage: without a value over a range of days: {listed}")
    return 1 if report.damage else 0


def _finish_overview(
    settings: Settings, report: Report, errors: Console, found: Sequence[Overview]
) -> int:
    """Print the overview, which has the accounting; return the exit code."""
    print_overview(settings, report, found)
    print_advice(settings, report, errors)
    return 1 if report.damage else 0


def _counting(settings: Settings, format: str, by: Sequence[str], *, compare: bool) -> Settings:
    """Return the settings to count with: dimensions that a table does not show are left out."""
    if format == "table":
        dimensions = tuple(name for name in by if name in settings.dimensions)
        settings = replace(settings, dimensions=dimensions)
    publish = replace(settings.publish, compare=compare or settings.publish.compare)
    return replace(settings, publish=publish)


def _selected(
    records: Iterable[MetricRecord], chosen: Iterable[Metric], format: str, by: Sequence[str]
) -> Iterator[MetricRecord]:
    """Yield the records of whole sites and of the dimensions `by`.

    Without `by`: all dimensions, but in a table only those of metrics without a number for sites.
    """
    always = {metric.name for metric in chosen if format != "table" or not metric.plain}
    for record in records:
        asked = set(by) & record.dimensions.keys() if by else record.metric in always
        if asked or not record.dimensions:
            yield record


def _rounded(records: Iterable[MetricRecord], digits: int | None) -> Iterable[MetricRecord]:
    if digits is None:
        return records
    return (
        replace(
            record,
            value=None if record.value is None else round(record.value, digits),
            previous=round(record.previous, digits)
            if isinstance(record.previous, (int, float))
            else record.previous,
        )
        for record in records
    )


def _write(
    format: str,
    records: Iterable[MetricRecord],
    as_table: Callable[[Iterable[MetricRecord]], str],
) -> None:
    if format == "table":
        write(as_table(records))
    elif format == "csv":
        write_csv(sys.stdout, records)
    else:
        for record in records:
            sys.stdout.write(encode_record(record).decode() + "\n")
    sys.stdout.flush()
