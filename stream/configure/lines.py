"""Finds the line of a dotted key in engage.toml, for messages."""

import re
from pathlib import Path

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]\]?\s*(#.*)?")
_ASSIGNED = re.compile(
    r"\s*(?P<name>(?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)
_PART = re.compile(r"\[(\d+)\]|\"([^\"]*)\"|'([^']*)'|([\w-]+)")


def line_of(text: str, key: str) -> int | None:
    """Find the line of a key, or else of the nearest table around it or in it.

    Reads keys at the beginning of lines; it does not parse values. `a[1]` is the second [[a]]; a key
    without the place in a list, or with one that is not written as [[a]], is that of any place.
    """
    wanted = _parts(key)
    found = _nearest(text, wanted)
    places = [n for n, part in enumerate(wanted) if isinstance(part, int)]
    if found is None or not places or found[0] <= places[0]:
        names = tuple(part for part in wanted if isinstance(part, str))
        found = _nearest(text, names, in_any_place=True)
    return found[1] if found else None


def _nearest(
    text: str, wanted: tuple[str | int, ...], *, in_any_place: bool = False
) -> tuple[int, int] | None:
    """Return how many parts of the key the nearest line has, and its number."""
    best: tuple[int, int] | None = None
    table: tuple[str | int, ...] = ()
    lists: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            found = table = _placed_in(
                lists, _parts(header["name"]), line.lstrip().startswith("[[")
            )
        elif assigned := _ASSIGNED.match(line):
            found = (*table, *_parts(assigned["name"]))
        else:
            continue
        if in_any_place:
            found = tuple(part for part in found if isinstance(part, str))
        common = min(len(found), len(wanted))
        if found[:common] == wanted[:common] and (best is None or common > best[0]):
            best = common, number
    return best


def _placed_in(
    lists: dict[tuple[str | int, ...], int], name: tuple[str | int, ...], is_list: bool
) -> tuple[str | int, ...]:
    """Return the name of a table with the places of the lists that it is in."""
    placed: tuple[str | int, ...] = ()
    for part in name[:-1]:
        placed += (part,)
        if placed in lists:
            placed += (lists[placed],)
    placed += name[-1:]
    if is_list:
        lists[placed] = lists.get(placed, -1) + 1
        placed += (lists[placed],)
    return placed


def _parts(name: str) -> tuple[str | int, ...]:
    found = _PART.findall(name)
    return tuple(int(index) if index else "".join(names) for index, *names in found)


def placed(rule: str, file: Path, text: str) -> str:
    """Add file and line after the key that a sentence begins with."""
    key, colon, rest = rule.partition(": ")
    line = line_of(text, key)
    return rule if line is None else f"{key} ({file}:{line}){colon}{rest}"


def place_in(sentence: str, key: str, file: Path, text: str) -> str:
    """Add the line after the file that a sentence names."""
    line = line_of(text, key)
    return sentence if line is None else sentence.replace(f"({file})", f"({file}:{line})", 1)
