"""Divides the inputs of a report among its jobs: plain files of lines into ranges of bytes."""

import os
from collections.abc import Sequence
from pathlib import Path

from stream.report.input import is_splittable
from stream.report.jobs.messages import Part
from stream.report.jobs.person_keys import SHARES_MAX
from stream.report.opening import STANDARD_INPUT, is_compressed, is_file
from stream.settings.application import Settings

#: Bytes of a part at least.
PART_BYTES = 1 << 16
#: Lines of a compressed input take about this many times its bytes.
_PACKED = 8
#: Bytes for which it pays to start one more process.
_JOB_BYTES = 16 << 20
#: Items of a part are numbered from here on, after those of the parts before.
NUMBER_BITS = 40


def jobs_for(settings: Settings, names: Sequence[str], asked: int | None) -> int:
    """Return the number of jobs for these inputs: `asked`, or else what is fastest.

    The model of churn risk learns from everybody. What is neither a file nor standard input, such as a
    pipe that a shell has opened, belongs to this process.
    """
    if settings.churn_risk.enabled or not all(map(_is_open_to_all, names)):
        return 1
    if asked is not None:
        return min(asked, SHARES_MAX)
    size = sum(map(size_of, names))
    return max(1, min(_cores(), size // _JOB_BYTES, SHARES_MAX))


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_open_to_all(name: str) -> bool:
    return name == STANDARD_INPUT or is_file(name)


def divided(names: Sequence[str], jobs: int) -> list[list[Part]]:
    """Return the parts of each job, in the order of the inputs."""
    parts: list[tuple[int, Part]] = []
    for number, name in enumerate(names):
        size = size_of(name)
        if is_splittable(name):
            step = max(-(-size // jobs), PART_BYTES)
            for start in range(0, max(size, 1), step):
                end = min(start + step, size)
                # The last part goes on to what is written to the file meanwhile.
                last = end if end < size else 1 << 62
                parts.append((end - start, Part(len(parts), number, name, start, last)))
        else:
            parts.append((size, Part(len(parts), number, name)))
    shares: list[list[Part]] = [[] for _ in range(jobs)]
    sizes = [0] * jobs
    for size, part in sorted(parts, key=lambda one: -one[0]):
        # Whoever reads standard input first has all of it.
        job = 0 if part.name == STANDARD_INPUT else sizes.index(min(sizes))
        sizes[job] += size
        shares[job].append(part)
    return [sorted(share, key=lambda part: part.number) for share in shares]


def size_of(name: str) -> int:
    """Return about how many bytes an input has; 0 for standard input."""
    if not is_file(name):
        return 0
    with Path(name).open("rb") as source:
        packed = is_compressed(source.read(4))
    return Path(name).stat().st_size * (_PACKED if packed else 1)


def first_number(part: int) -> int:
    """Return the number before the first item of a part."""
    return part << NUMBER_BITS
