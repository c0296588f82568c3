"""Finds the line of a dotted key in engage.toml, for messages."""

import re
from pathlib import Path

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]\]?\s*(#.*)?")
_ASSIGNED = re.compile(
    r"\s*(?P<name>(?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
_INDEX = re.compile(r"\[\d+\]")


def line_of(text: str, key: str) -> int | None:
    """Find the line of a key, or else of the nearest table around it or in it.

    Reads keys at the beginning of lines; it does not parse values.
    """
    wanted = tuple(_parts(_INDEX.sub("", key)))
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            found = table = tuple(_parts(header["name"]))
        elif assigned := _ASSIGNED.match(line):
            found = (*table, *_parts(assigned["name"]))
        else:
            continue
        common = min(len(found), len(wanted))
        if found[:common] == wanted[:common] and (best is None or common > best[0]):
            best = common, number
    return best[1] if best else None


def _parts(name: str) -> list[str]:
    return ["".join(groups) for groups in _PART.findall(name)]


def placed(rule: str, file: Path, text: str) -> str:
    """Add file and line after the key that a sentence begins with."""
    key, colon, rest = rule.partition(": ")
    line = line_of(text, key)
    return rule if line is None else f"{key} ({file}:{line}){colon}{rest}"


def place_in(sentence: str, key: str, file: Path, text: str) -> str:
    """Add the line after the file that a sentence names."""
    line = line_of(text, key)
    return sentence if line is None else sentence.replace(f"({file})", f"({file}:{line})", 1)
