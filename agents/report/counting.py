"""Counts event files and prints what is wrong with them, for the commands that report on files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agents.commands.catalogue import RequestRefusedError
from schemas.rejection import printable
from stream.report.file_report import BadLine, Report
from stream.report.input import LINE_MAX, InputError, check_readable, read_lines, shown_name
from stream.settings.application import Settings
from stream.worker.clock import now_ms

BAD_LINES_SHOWN = 20
_LINES_BETWEEN = 10_000


class _Problems:
    """Prints the first bad lines in full, and at the end how many events were left out and why."""

    def __init__(self, errors: Console) -> None:
        self._errors = errors
        self.bad_lines: Counter[str] = Counter()

    def print(self, text: str) -> None:
        """Print a line on standard error, above the progress."""
        self._errors.print(text, markup=False)

    def bad_line(self, line: BadLine) -> None:
        """Count a line that is not an event; print it if it is among the first."""
        if self.bad_lines.total() < BAD_LINES_SHOWN:
            self.print(f"{printable(line.file)}:{line.number}: {line.reason}: {line.detail}")
        self.bad_lines[line.reason] += 1

    def summarise(self, settings: Settings, counts: dict[str, int], future: int) -> None:
        """Print how many lines and events were left out, with what to do about it."""
        if total := self.bad_lines.total():
            listed = ", ".join(f"{n:,} {reason}" for reason, n in self.bad_lines.most_common())
            self.print(f"engage: lines left out because they are not events: {total:,} ({listed})")
        if count := counts["duplicate"]:
            self.print(f"engage: events left out as duplicates, by event_id: {count:,}")
        if count := counts["late"]:
            hours = settings.time.correction_window_seconds / 3600
            self.print(
                f"engage: events left out as late, over {hours:g} h older than one before them: "
                f"{count:,}. Give the oldest file first, or raise time.correction_window_seconds"
            )
        if future:
            self.print(f"engage: events left out because they are dated in the future: {future:,}")


def count_files(settings: Settings, files: Sequence[str], errors: Console) -> Report:
    """Count all files. Raises RequestRefusedError if one cannot be read, or none has an event.

    A file that is damaged later on counts up to there, with a message.
    """
    try:
        # All of them before the first is counted: numbers without one of the files would mislead.
        check_readable(files)
    except InputError as error:
        raise RequestRefusedError(f"{error}; nothing was counted") from error
    problems = _Problems(errors)
    report = Report(settings, now_ms(), problems.bad_line)
    with _progress(errors) as show:
        for name in files:
            try:
                report.read(name, _shown(name, read_lines(name, LINE_MAX), show))
            except InputError as error:
                problems.print(f"engage: {error}")
    state = report.shard.topics["files"]
    problems.summarise(settings, state.counts, state.reasons.get("future", 0))
    if not state.counts["applied"]:
        listed = ", ".join(map(shown_name, files))
        raise RequestRefusedError(f"there is no event to count in {listed}")
    return report


def _shown(name: str, lines: Iterable[bytes], show: Callable[[str], None]) -> Iterator[bytes]:
    """Pass lines on, and show their number now and then."""
    for number, line in enumerate(lines, start=1):
        if number % _LINES_BETWEEN == 0:
            show(f"{number:,} lines of {shown_name(name)}")
        yield line


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
