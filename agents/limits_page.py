"""Writes the page of all caps, deploy/LIMITS.md, or checks that it is current."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stream.configure.caps import CAPS
from stream.settings.application import Settings

FILE = Path(__file__).resolve().parents[1] / "deploy" / "LIMITS.md"
_HEAD = """\
# Limits

Generated from `stream/configure/caps.py` by `make generate`.

Whatever arrives, nothing grows beyond these bounds. An event beyond one still counts wherever it can;
the column "beyond it" says where it does not. A dotted name is a setting, with its default; the others
are fixed, so that a replay decides as the live run did. Limits of values hold for each shard: the
first ones of its log count by name. Two shards may know different ones.

- Names of custom events, plans, reasons, order ids and cart ids make nothing grow by themselves: they
  count only where a setting names them, or in the history of their person.
- The site `other` counts like any other, with the time zone of the application. People are people of
  `other`: one id on two unknown sites is one person.
- What `other` has taken stays there. Raise the limit and run `engage backfill` to count it by name.

"""


def page(settings: Settings) -> str:
    """Write the whole page."""
    rows = [("what", "limit", "default", "beyond it", "seen in"), ("---",) * 5]
    for cap in CAPS:
        value = cap.value(settings)
        number = f"{value:,}" if isinstance(value, int) else str(value)
        rows.append((cap.what, f"`{cap.name}`", number, cap.beyond, cap.seen))
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(arguments: Sequence[str]) -> int:
    """Write the page; with --check return 1 if it is not current."""
    wanted = page(Settings())
    if "--check" not in arguments:
        FILE.write_text(wanted, "utf-8")
        print(FILE)
    elif not FILE.exists() or FILE.read_text("utf-8") != wanted:
        print(f"not current: {FILE}", file=sys.stderr)
        return 1
    return 0
