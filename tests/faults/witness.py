"""The unchanged worker, which records everything it folds: proof of destroyed and replayed work.

Run as `python -m tests.faults.witness worker`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stream.engine.record import Record
from stream.engine.shard import Shard

_original = Shard.apply


class Folded(NamedTuple):
    """Records [start, end) of a partition, folded by a process."""

    pid: int
    topic: str
    partition: int
    start: int
    end: int


def watch() -> None:
    """Record every batch before it is folded; records read only for their ids are omitted."""
    file = os.open(os.environ["TEST_FOLDED_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def apply(self: Shard, topic: str, records: Sequence[Record], *rest: Any) -> None:
        start, end = max(self.topics[topic].next, records[0].offset), records[-1].offset + 1
        if start < end:
            # One short write to the end of a file is atomic, and survives a kill.
            os.write(file, f"{os.getpid()} {topic} {self.partition} {start} {end}\n".encode())
        _original(self, topic, records, *rest)

    Shard.apply = apply  # type: ignore[assignment]


def folded(file: Path) -> list[Folded]:
    """Return everything that was recorded, in order."""
    noted = []
    for line in file.read_text().splitlines():
        pid, topic, partition, start, end = line.split()
        noted.append(Folded(int(pid), topic, int(partition), int(start), int(end)))
    return noted


def replayed(noted: Sequence[Folded]) -> int:
    """Return the number of records that were folded more than once."""
    offsets: dict[tuple[str, int], set[int]] = {}
    again = 0
    for one in noted:
        seen = offsets.setdefault((one.topic, one.partition), set())
        span = range(one.start, one.end)
        again += sum(offset in seen for offset in span)
        seen.update(span)
    return again


def main() -> None:
    """Run the watched command line."""
    from agents.cli.main import main as engage

    watch()
    engage()


if __name__ == "__main__":
    main()
