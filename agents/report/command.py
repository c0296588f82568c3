"""`engage report`: runs the engine over files and prints the numbers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace
from rich.console import Console

from agents.commands.catalogue import (
    RequestRefusedError,
    check_dimensions,
)
from agents.commands.terminal import write
from agents.report.chosen import choose_numbers
from agents.report.counting import count_files, print_accounting, print_advice
from agents.report.print_overview import print_overview
from agents.report.retention import as_triangles, choose_periods
from agents.report.tables import as_tables
from schemas.outputs import MetricRecord, encode_record
from stream.metrics.metric import Metric
from stream.publish.csv_table import write_csv
from stream.report.cohorts import Cohort
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
) -> int:
    """Count the files in their order and print the numbers.

    Return 0, 1 when a file ended early, 2 when nothing was counted. A table without `full` and without
    any other choice is an overview that fits one screen.

    No `metrics` means all, no `windows` means WINDOWS. A table shows whole sites and the dimensions
    `by`; json and csv hold all dimensions unless `by` names some. `compare` adds the value of the
    window before to every record. `retention` prints the triangles of these cohorts instead of the
    metrics. `digits` rounds the values; numerators and denominators keep all digits. `days` is a range:
    its numbers are those of the window `range`, or of the `windows` that lie in it.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        if retention:
            periods = choose_periods(metrics, windows, by, days)
            report = count_files(replace(settings, dimensions=()), files, errors)
            records = report.triangles(retention, periods, until)
            _write(format, _rounded(records, digits), as_triangles)
            print_accounting(settings, report, errors)
            return 1 if report.damage else 0
        chosen, kinds, without = choose_numbers(settings, metrics, windows, days)
        check_dimensions(settings, by)
        settings = _counting(settings, format, by, compare=compare)
        report = count_files(settings, files, errors, days)
        if not report.has_range():
            raise RequestRefusedError(f"there is no event {days} in the files")
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    is_chosen = full or compare or digits is not None or metrics or windows or by or days
    if format == "table" and not is_chosen:
        print_overview(settings, report, until)
        print_advice(settings, report, errors)
        return 1 if report.damage else 0
    records = report.records([metric.name for metric in chosen], kinds, until)
    shown = _rounded(_selected(records, chosen, format, by), digits)
    keep_empty = bool(metrics)
    _write(format, shown, lambda own: as_tables(settings, chosen, own, keep_empty=keep_empty))
    print_accounting(settings, report, errors)
    if without:
        errors.print(f"engage: without a value over a range of days: {', '.join(without)}")
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
