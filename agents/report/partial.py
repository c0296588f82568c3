"""Marks numbers of windows that are not over at the newest event."""

from collections.abc import Sequence

from schemas.outputs import MetricRecord

MARK = "*"
NOTE = "* so far: the window is not over at the newest event, so its number can still change."


def marked(texts: Sequence[str], records: Sequence[MetricRecord]) -> list[str]:
    """Mark the texts of partial records; the others keep the place, so that numbers stay aligned."""
    if all(record.is_final for record in records):
        return list(texts)
    return [
        text + (" " if record.is_final else MARK)
        for text, record in zip(texts, records, strict=True)
    ]
