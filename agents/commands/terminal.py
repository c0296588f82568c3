"""Writes text for people to standard output: as wide as the terminal, in characters that it can show."""

import os
import sys

from rich.console import Console

#: Width of output that goes to a file or a pipe.
PIPED_WIDTH = 100
#: One character for one, so that columns stay aligned.
_PLAIN = str.maketrans("–−÷×…→·’", "--/x~>-'")


def terminal() -> Console:
    """Return a console for standard output: colours only on a terminal, and not with NO_COLOR."""
    is_sized = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, width=None if is_sized else PIPED_WIDTH)


def can_show(text: str) -> bool:
    """Whether the encoding of standard output has all of these characters."""
    return text == in_encoding(text, _encoding(), errors="ignore")


def write(text: str) -> None:
    """Write a text; what the encoding of standard output lacks is replaced."""
    if not can_show(text):
        text = in_encoding(text.translate(_PLAIN), _encoding())
    sys.stdout.write(text)
    sys.stdout.flush()


def in_encoding(text: str, encoding: str, errors: str = "replace") -> str:
    """Return the text as an encoding can hold it."""
    return text.encode(encoding, errors).decode(encoding)


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"
