"""Findings of `engage check`, printed as a table or as JSON."""

import json
from collections.abc import Iterable
from typing import Literal, NamedTuple, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

Level = Literal["ok", "warning", "error"]
STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}


class Finding(NamedTuple):
    """One result of a check; `advice` says what to do unless it is ok."""

    level: Level
    subject: str
    found: str
    advice: str = ""


def show(findings: Iterable[Finding], format: str, out: TextIO) -> None:
    """Print findings as a table, or as a JSON array of objects."""
    if format == "json":
        print(json.dumps([finding._asdict() for finding in findings], indent=2), file=out)
        return
    console = Console(file=out, width=None if out.isatty() else 160)
    table = Table(box=None, pad_edge=False)
    for name in ("", "what", "found", "to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        # Text instead of markup: a finding may contain square brackets.
        row = (finding.subject, finding.found, finding.advice)
        table.add_row(Text(finding.level, STYLES[finding.level]), *(Text(cell) for cell in row))
    console.print(table)
