"""Counts event files and prints what is wrong with them, for the commands that report on files."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agents.commands.catalogue import RequestRefusedError
from agents.report.accounting_table import accounting_lines
from schemas.outputs import WindowKind
from schemas.rejection import printable
from stream.report.bounded import BadLine
from stream.report.collector import tune_collector
from stream.report.file_report import Report
from stream.report.input import Item, check_readable, read_items
from stream.report.jobs.parts import jobs_for
from stream.report.jobs.processes import JobError
from stream.report.opening import InputError, shown_name
from stream.report.periods import DayRange
from stream.report.spill import SpillError
from stream.settings.application import Settings
from stream.worker.clock import now_ms

BAD_LINES_SHOWN = 20
_LINES_BETWEEN = 10_000


class _Problems:
    """Prints what is wrong with the input: the first bad lines, and what to do about late events."""

    def __init__(self, errors: Console) -> None:
        self._errors = errors
        self._bad_lines = 0

    def print(self, text: str) -> None:
        """Print a line on standard error, above the progress."""
        self._errors.print(text, markup=False)

    def bad_line(self, line: BadLine) -> None:
        """Print a line that is not an event, if it is among the first."""
        if self._bad_lines < BAD_LINES_SHOWN:
            self.print(f"{printable(line.file)}:{line.number}: {line.reason}: {line.detail}")
        self._bad_lines += 1


def count_files(
    settings: Settings,
    files: Sequence[str],
    errors: Console,
    days: DayRange | None = None,
    *,
    as_log: bool = False,
    kinds: Collection[WindowKind] | None = None,
    partitions: int = 1,
    jobs: int | None = 1,
) -> Report:
    """Count all files. Raises RequestRefusedError if one cannot be read, or none has an event.

    `as_log` counts as the stream does, line after line. `kinds` are the windows that the report is
    asked for; None means all. `partitions` counts in as many shards as the stream would have. `jobs` is the
    number of processes; None: what is fastest. A file that is damaged later on counts up to there;
    `damage` of the report names it.
    """
    try:
        # All of them before the first is counted: numbers without one of the files would mislead.
        check_readable(files)
    except InputError as error:
        raise RequestRefusedError(f"{error}; nothing was counted") from error
    problems = _Problems(errors)
    tune_collector()
    report = Report(
        settings, now_ms(), problems.bad_line, days,
        is_bounded=not as_log, kinds=kinds, partitions=partitions,
        jobs=1 if as_log or partitions > 1 else jobs_for(settings, files, jobs),
    )  # fmt: skip
    with _progress(errors) as show:
        if as_log:
            _read_as_log(report, files, show)
        else:
            try:
                report.read_all(files, show)
            except (JobError, SpillError) as error:
                raise RequestRefusedError(f"{error}; nothing was counted") from error
    for text in report.damage:
        problems.print(f"engage: {text}")
    if not report.accounting().counted:
        print_accounting(settings, report, errors)
        listed = ", ".join(map(shown_name, files))
        raise RequestRefusedError(f"there is no event to count in {listed}")
    return report


def _read_as_log(report: Report, files: Sequence[str], show: Callable[[str], None]) -> None:
    for name in files:
        try:
            report.read(name, _shown(name, read_items(name), show))
        except InputError as error:
            report.damage.append(str(error))


def print_accounting(settings: Settings, report: Report, errors: Console) -> None:
    """Print how many lines were read, counted and left out, with what to do about late ones."""
    for line in accounting_lines(report.accounting()):
        errors.print(line, markup=False)
    print_advice(settings, report, errors)


def print_advice(settings: Settings, report: Report, errors: Console) -> None:
    """Print what to do about late events, too many sites, and ids that change, if there are any."""
    _print_id_changes(report, errors)
    if other := report.events_of_other_sites():
        errors.print(
            f"engage: {other:,} events are of sites beyond limits.sites_max, and count together as the "
            "site other. Raise it, or list the sites in limits.sites_allowed",
            markup=False,
        )
    if "late" in report.accounting().left_out:
        hours = settings.time.correction_window_seconds / 3600
        errors.print(
            f"engage: late events are over {hours:g} h older than one before them. Leave out --as-log, "
            "give the oldest file first, or raise time.correction_window_seconds",
            markup=False,
        )


def _print_id_changes(report: Report, errors: Console) -> None:
    """Print how many sessions and carts go on under another id of their person, and what mends it."""
    found = {"session": report.id_changes.sessions.changes, "cart": report.id_changes.carts.changes}
    parts = [f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in found.items() if n]
    if not parts:
        return
    apart = "its parts are counted apart"
    if report.partitions == 1:
        apart = "workers count its parts apart, as --partitions N does"
    errors.print(
        f"engage: events of {' and '.join(parts)} carry different person ids, as after a log-in. Each "
        f'person is in one partition, so {apart}. identity = "visitor" keeps them together',
        markup=False,
    )


def _shown(name: str, items: Iterable[Item], show: Callable[[str], None]) -> Iterator[Item]:
    """Pass items on, and show their number now and then."""
    for number, item in enumerate(items, start=1):
        if number % _LINES_BETWEEN == 0:
            show(f"{number:,} lines of {shown_name(name)}")
        yield item


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a text beside a spinner; on a terminal only."""
    if not errors.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda text: progress.update(task, description=text)
