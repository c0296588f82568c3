"""`engage report`: the engine over files, with no broker and no Redis; prints the numbers."""

import gzip
import os
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agents.commands.catalogue import (
    RequestRefusedError,
    check_dimensions,
    choose_metrics,
    choose_windows,
)
from agents.report.csv_table import write_csv
from agents.report.retention import as_triangles, choose_periods
from agents.report.tables import ORDER, as_tables
from schemas.codec import MAX_BYTES
from schemas.outputs import MetricRecord, encode_record
from schemas.rejection import printable
from stream.report.cohorts import Cohort
from stream.report.report import BadLine, Report, open_lines
from stream.settings.application import Settings

#: The finest and the longest only on request.
WINDOWS = ORDER[:-8]
BAD_LINES_SHOWN = 20
#: The longest event, and the end of its line.
_LINE_MAX = MAX_BYTES + 2
_GZIP_MAGIC = b"\x1f\x8b"


def run_report(
    settings: Settings,
    files: list[str],
    *,
    metrics: list[str],
    windows: list[str],
    format: str,
    by: Sequence[str] = (),
    compare: bool = False,
    retention: Cohort | None = None,
    digits: int | None = None,
) -> int:
    """Count the files in their order and print the numbers; 0, or 2 when nothing was counted.

    `metrics` empty means all, `windows` empty the WINDOWS. A table shows the whole of each site and
    the values of the dimensions `by`; `json` and `csv` hold all dimensions unless `by` names some.
    `compare` adds the value of the window before to every record; `retention` prints the triangles
    of such cohorts instead of the metrics. Values are rounded to so many `digits` after the point;
    what they were divided of never is.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        if retention:
            periods = choose_periods(metrics, windows, by)
            report = count_files(replace(settings, dimensions=()), files, errors)
            triangles = _rounded(report.triangles(retention, periods), digits)
            _write(format, triangles, as_triangles)
            return 0
        chosen = choose_metrics(settings, metrics)
        kinds = choose_windows(chosen if metrics else (), windows, WINDOWS)
        chosen = [metric for metric in chosen if set(metric.windows) & set(kinds)]
        check_dimensions(settings, by)
        if format == "table":
            # What is not shown need not be counted.
            dimensions = tuple(name for name in by if name in settings.dimensions)
            settings = replace(settings, dimensions=dimensions)
        publish = replace(settings.publish, compare=compare or settings.publish.compare)
        report = count_files(replace(settings, publish=publish), files, errors)
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    # In a table the segments must be asked for, but where a metric has nothing else.
    always = {metric.name for metric in chosen if format != "table" or not metric.plain}
    records = (
        record
        for record in report.records([metric.name for metric in chosen], kinds)
        if not record.dimensions
        or (set(by) & record.dimensions.keys() if by else record.metric in always)
    )
    keep_empty = bool(metrics)
    shown = _rounded(records, digits)
    _write(format, shown, lambda own: as_tables(settings, chosen, own, keep_empty=keep_empty))
    return 0


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
        sys.stdout.write(as_table(records))
    elif format == "csv":
        write_csv(sys.stdout, records)
    else:
        for record in records:
            sys.stdout.write(encode_record(record).decode() + "\n")
    sys.stdout.flush()


# ---- reading


class _Problems:
    """Tells what is wrong with the input: the first lines in full, the rest as counts."""

    def __init__(self, errors: Console) -> None:
        self._errors = errors
        self.bad_lines: Counter[str] = Counter()

    def say(self, text: str) -> None:
        """A line on standard error, above the progress."""
        self._errors.print(text, markup=False)

    def bad_line(self, line: BadLine) -> None:
        """A line that is no event."""
        if self.bad_lines.total() < BAD_LINES_SHOWN:
            self.say(f"{printable(line.file)}:{line.number}: {line.reason}: {line.detail}")
        self.bad_lines[line.reason] += 1

    def summarise(self, settings: Settings, counts: dict[str, int], future: int) -> None:
        """What was left out, and what can be done about it."""
        if total := self.bad_lines.total():
            listed = ", ".join(f"{n:,} {reason}" for reason, n in self.bad_lines.most_common())
            self.say(f"engage: lines left out because they are no events: {total:,} ({listed})")
        if count := counts["duplicate"]:
            self.say(f"engage: events left out as duplicates, by event_id: {count:,}")
        if count := counts["late"]:
            hours = settings.time.correction_window_seconds / 3600
            self.say(
                f"engage: events left out as late, over {hours:g} h older than one before them: "
                f"{count:,}. Give the oldest file first, or raise time.correction_window_seconds"
            )
        if future:
            self.say(f"engage: events left out because they are dated in the future: {future:,}")


def count_files(settings: Settings, files: Sequence[str], errors: Console) -> Report:
    """The engine after all files, or RequestRefusedError when one cannot be read or nothing counts."""
    # All of them before the first is read: numbers that lack one of the files would mislead.
    for name in files:
        if name != "-" and not os.access(name, os.R_OK):
            why = "cannot be read" if os.path.lexists(name) else "does not exist"
            raise RequestRefusedError(f"{printable(name)} {why}; nothing was counted")
    problems = _Problems(errors)
    report = Report(settings, time.time_ns() // 1_000_000, problems.bad_line)
    state = report.shard.topics["files"]
    with _progress(errors) as show:
        for name in files:
            report.read(name, _lines(name, problems, show))
    problems.summarise(settings, state.counts, state.reasons.get("future", 0))
    if not state.counts["applied"]:
        listed = ", ".join("standard input" if n == "-" else printable(n) for n in files)
        raise RequestRefusedError(f"there is no event to count in {listed}")
    return report


def _lines(name: str, problems: _Problems, show: Callable[[str], None]) -> Iterator[bytes]:
    """The lines of a file; what cannot be read ends it with a message and keeps what came before.

    A line longer than any event is cut, so that a file without line ends does not fill the memory.
    """
    shown, number = "standard input" if name == "-" else printable(name), 0
    try:
        source = open_lines(name)
        with nullcontext() if name == "-" else source:
            while line := source.readline(_LINE_MAX):
                number += 1
                if number == 1 and line.startswith(_GZIP_MAGIC):
                    problems.say(f"engage: {shown} is compressed; name it .gz, or use zcat")
                    return
                if number % 10_000 == 0:
                    show(f"{number:,} lines of {shown}")
                yield line.rstrip(b"\r\n")
                while len(line) == _LINE_MAX and not line.endswith(b"\n"):
                    line = source.readline(_LINE_MAX)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "is no gzip file" if not number else f"is damaged or cut short after line {number:,}"
        problems.say(f"engage: {shown} {what} ({error})")
    except OSError as error:
        problems.say(f"engage: {shown} cannot be read after line {number:,}: {error.strerror}")


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[str], None]]:
    """Something to call with what is being done; shown on a terminal only."""
    if not errors.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda text: progress.update(task, description=text)
