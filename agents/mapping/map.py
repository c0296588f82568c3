"""`engage map`: prints what each record of a file becomes, and which fields no rule uses."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from rich.console import Console

from agents.commands.catalogue import RequestRefusedError
from agents.mapping.chosen import check_files, chosen_source, split
from schemas.mapping.compile import Ignored, Mapped, Outcome
from schemas.mapping.document import Mapping
from schemas.mapping.formats import UndecodableError
from schemas.mapping.record import Record
from schemas.mapping.source import Source
from schemas.mapping.used import unused_fields, used_paths
from schemas.rejection import RejectedEvent, printable
from stream.report.foreign import read_records
from stream.report.opening import InputError, shown_name
from stream.settings.application import Settings

_VALUE_MAX: Final = 60
_UNUSED_SHOWN: Final = 20
#: Stands for Kafka's time where a file has none: 2025-03-14T09:04:26.535Z, as in the examples of the pages.
_EXAMPLE_MS: Final = 1_741_943_066_535


def run_map(
    settings: Settings, files: list[str], *, preset: str | None, source: str | None, format: str
) -> int:
    """Map the records of files and print each; return 0, 1 if any was refused or a file ended early, 2."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        chosen, _ = chosen_source(settings, preset, source)
        check_files(files)
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    shown = _Shown(chosen, several=len(files) > 1)
    show = shown.as_json if format == "json" else shown.as_line
    try:
        for name in files:
            for number, record in read_records(name, chosen.mapping.format, _EXAMPLE_MS):
                if isinstance(record, RejectedEvent):
                    show(name, number, [record])
                else:
                    show(name, number, chosen.checked(record))
                    if format != "json":
                        shown.note(record)
    except InputError as error:
        errors.print(f"engage: {error}", markup=False)
        shown.refused += 1
    if format != "json":
        sys.stdout.write("".join(f"{line}\n" for line in shown.summary()))
    sys.stdout.flush()
    return 1 if shown.refused else 0


class _Shown:
    """Prints records one by one, and counts what becomes of them and which fields are used."""

    def __init__(self, source: Source, *, several: bool) -> None:
        self._source, self._several = source, several
        self._fields: Counter[str] = Counter()
        self._records = self._events = self._ignored = self.refused = 0
        self._used = used_paths(source.mapping)

    def as_json(self, name: str, number: int, outcomes: list[Outcome]) -> None:
        """Print one JSON object."""
        events, ignored, refused = self._count(outcomes)
        line: dict[str, Any] = {"file": shown_name(name)} if self._several else {}
        line["line"] = number
        if events or not (ignored or refused):
            line["becomes"] = [msgspec.Raw(event.raw) for event in events]
        elif not refused:
            line["ignored"] = "; ".join(dict.fromkeys(one.why for one in ignored))
        if refused:
            line["refused"] = {"reason": str(refused[0].reason), "detail": refused[0].detail}
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")

    def as_line(self, name: str, number: int, outcomes: list[Outcome]) -> None:
        """Print a line for each outcome."""
        self._count(outcomes)
        for outcome in outcomes:
            sys.stdout.write(f"{shown_name(name)}:{number}  {_line(outcome)}\n")

    def _count(
        self, outcomes: list[Outcome]
    ) -> tuple[list[Mapped], list[Ignored], list[RejectedEvent]]:
        found = split(outcomes)
        self._records += 1
        self._events += len(found[0])
        self._ignored += len(found[1])
        self.refused += len(found[2])
        return found

    def note(self, record: Record) -> None:
        """Note the fields of a record that no rule uses."""
        try:
            items = self._source.items(record)
        except UndecodableError:
            return
        self._fields.update(unused_fields(items or (), self._used))

    def summary(self) -> Iterator[str]:
        """Yield how many records became what, and the fields that no rule uses."""
        yield (
            f"{self._records:,} records: {self._events:,} events, {self._ignored:,} ignored, "
            f"{self.refused:,} refused"
        )
        unused = [
            f"{printable(field)} ({count:,})"
            for field, count in self._fields.most_common(_UNUSED_SHOWN)
        ]
        if unused:
            more = len(self._fields) - len(unused)
            yield f"unused  {', '.join(unused)}" + (f" and {more:,} more" if more > 0 else "")
        if takes_record_time(self._source.mapping):
            yield (
                "$timestamp is used: without kcat -J or NAME.kafka.json, 2025-03-14T09:04:26.535Z "
                "stands for Kafka's time here"
            )


def takes_record_time(mapping: Mapping) -> bool:
    """Whether a mapping takes times from Kafka's records."""
    return "$timestamp" in used_paths(mapping)


def _line(outcome: Outcome) -> str:
    if isinstance(outcome, RejectedEvent):
        return f"REFUSED  {outcome.reason}: {outcome.detail}"
    if isinstance(outcome, Ignored):
        return f"ignored  {f'{outcome.rule}: ' if outcome.rule else ''}{printable(outcome.why)}"
    event = json.loads(outcome.raw)
    kind = event.pop("type")
    context = event.pop("context", {})
    parts = {**event, **{f"context.{name}": value for name, value in context.items()}}
    shown = " ".join(f"{name}={_value(value)}" for name, value in parts.items())
    return f"{kind}  {shown}  by {outcome.rule.label}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return printable(text if len(text) <= _VALUE_MAX else f"{text[: _VALUE_MAX - 1]}…")
