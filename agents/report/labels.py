"""Writes labels from events for people: safe to print, and short without looking alike."""

from collections.abc import Collection

from schemas.rejection import printable

ELLIPSIS = "…"
#: Longest label in a table.
LABEL_MAX = 64
#: Longest label that is looked at; the engine cuts longer ones.
_LONGEST = 4_096
#: Shown before the place where two long labels differ.
_SHARED = 3


def shortened(label: str, width: int = LABEL_MAX) -> str:
    """Return a label in at most `width` printable characters; a long one loses its middle."""
    text = printable(label, _LONGEST)
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + ELLIPSIS + text[len(text) - tail :]


def shortened_apart(labels: Collection[str], width: int = LABEL_MAX) -> dict[str, str]:
    """Return each label in short; those that would look alike show the place where they differ."""
    found: dict[str, str] = {}
    alike: dict[str, list[str]] = {}
    for label in dict.fromkeys(labels):
        alike.setdefault(shortened(label, width), []).append(label)
    for short, group in alike.items():
        if len(group) == 1:
            found[group[0]] = short
        else:
            found |= _told_apart(group, width, set(alike))
    return found


def _told_apart(labels: list[str], width: int, taken: set[str]) -> dict[str, str]:
    """Show the first difference of labels with equal ends; number those that still look alike."""
    texts = [printable(label, _LONGEST) for label in labels]
    differ = next(
        (i for i, found in enumerate(zip(*texts, strict=False)) if len(set(found)) > 1),
        min(map(len, texts)),
    )
    third = max((width - 2) // 3, 1)
    found = {}
    for label, text in zip(labels, texts, strict=True):
        middle = text[max(differ - _SHARED, third) :][:third]
        rest = width - 2 - third - len(middle)
        short = text[:third] + ELLIPSIS + middle + ELLIPSIS + text[len(text) - rest :]
        number = 2
        while short in taken:
            mark = f"{ELLIPSIS}({number})"
            short, number = text[: width - len(mark)] + mark, number + 1
        taken.add(short)
        found[label] = short
    return found
