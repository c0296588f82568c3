"""Progress of a source partition, as it stands beside the committed offset in the consumer group."""

import re
from typing import NamedTuple

_FORM = re.compile(r"engage time=(-?\d+) partitions=(\d+)")


class Progress(NamedTuple):
    """Time that a source partition is read up to, and the partitions its records were keyed for."""

    #: Kafka's time of the next record in epoch ms, or of the newest one that was read.
    time_ms: int
    #: Partitions that the input topics had.
    partitions: int

    def text(self) -> str:
        """Return the metadata of the offset."""
        return f"engage time={self.time_ms} partitions={self.partitions}"


def read_progress(text: str) -> Progress | None:
    """Read the metadata of an offset; None if it is not ours, as after a reset by another tool."""
    found = _FORM.fullmatch(text)
    return Progress(int(found[1]), int(found[2])) if found else None
