"""Marks numbers of windows that are not over at the newest event; the window `all` has no end."""

from collections.abc import Sequence

from schemas.outputs import MetricRecord

MARK = "*"
NOTE = "* so far: the window is not over at the newest event, so its number can still change."


def is_partial(record: MetricRecord) -> bool:
    """Whether the window of a record has an end, and this is still to come."""
    return not record.is_final and record.window.kind != "all"


def marked(texts: Sequence[str], records: Sequence[MetricRecord]) -> list[str]:
    """Mark the texts of partial records; the others keep the place, so that numbers stay aligned."""
    if not any(map(is_partial, records)):
        return list(texts)
    return [
        text + (MARK if is_partial(record) else " ")
        for text, record in zip(texts, records, strict=True)
    ]
