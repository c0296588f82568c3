"""Maps foreign files to files of our events, which a report then counts like any other."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.commands.catalogue import RequestRefusedError
from agents.mapping.chosen import check_files, chosen_source, split
from agents.report.counting import BAD_LINES_SHOWN
from schemas.mapping.source import Source
from schemas.rejection import RejectedEvent, printable
from stream.report.foreign import read_records
from stream.report.opening import InputError, shown_name
from stream.settings.application import Settings

_KINDS_SHOWN = 5


def run_any_report(
    settings: Settings,
    files: list[str],
    *,
    preset: str | None = None,
    source: str | None = None,
    **options: Any,
) -> int:
    """Count files, of another product if a mapping is named, and print the numbers; return the exit code."""
    from agents.report.command import run_report

    if preset is None and source is None:
        return run_report(settings, files, **options)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        chosen, settings = chosen_source(settings, preset, source)
        with mapped_files(chosen, files, errors) as mapped:
            return run_report(settings, mapped, **options)
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2


@contextmanager
def mapped_files(source: Source, files: list[str], errors: Console) -> Iterator[list[str]]:
    """Write the events of foreign files to files of their own in TMPDIR, and say what became of the rest.

    Raises RequestRefusedError if a file cannot be read, or no record becomes an event.
    """
    check_files(files)
    with tempfile.TemporaryDirectory(prefix="engage-") as folder:
        work, written = _Mapping(source, errors), list[str]()
        for number, name in enumerate(files, start=1):
            place = Path(folder) / f"{number}-{Path(name).name}.events"
            try:
                work.write(name, place)
            except InputError as error:
                errors.print(f"engage: {error}", markup=False)
            written.append(str(place))
        for line in work.summary():
            errors.print(line, markup=False)
        if not work.events:
            raise RequestRefusedError(
                f"no record became an event by the mapping {source.mapping.name}; see engage map, "
                "or engage detect for another preset"
            )
        yield written


class _Mapping:
    """Maps files one after the other, and counts what became of their records."""

    def __init__(self, source: Source, errors: Console) -> None:
        self._source, self._errors = source, errors
        self.events = self._records = 0
        self._ignored: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def write(self, name: str, place: Path) -> None:
        """Write the events of one file. Raises InputError after those before the damage."""
        with place.open("wb") as target:
            for number, record in read_records(name, self._source.mapping.format):
                self._records += 1
                outcomes = (
                    [record] if isinstance(record, RejectedEvent) else self._source.checked(record)
                )
                events, ignored, refused = split(outcomes)
                target.writelines(event.raw + b"\n" for event in events)
                self.events += len(events)
                self._ignored.update(one.why for one in ignored)
                for one in refused:
                    self._refuse(name, number, one)

    def _refuse(self, name: str, number: int, refused: RejectedEvent) -> None:
        if sum(self._refused.values()) < BAD_LINES_SHOWN:
            text = f"{shown_name(name)}:{number}: {refused.reason}: {refused.detail}"
            self._errors.print(text, markup=False)
        self._refused[str(refused.reason)] += 1

    def summary(self) -> Iterator[str]:
        """Yield what became of the records."""
        ignored, refused = sum(self._ignored.values()), sum(self._refused.values())
        yield (
            f"{self._records:,} records read by the mapping {self._source.mapping.name}: "
            f"{self.events:,} events, {ignored:,} ignored, {refused:,} refused"
        )
        for why, count in self._ignored.most_common(_KINDS_SHOWN):
            yield f"  ignored  {count:,}: {printable(why)}"
        for reason, count in self._refused.most_common():
            yield f"  refused  {count:,}: {reason}"
