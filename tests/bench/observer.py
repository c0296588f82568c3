"""Observes from outside when sent events are visible: one process sends markers, another one scrapes."""

import http.client
import re
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import accumulate
from math import ceil
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import NamedTuple, Self

#: Site of the markers of a partition. A site of each: its markers become visible in their order.
_PROBE = "probe-{}"
_COUNTS = re.compile(rb'^engagement_page_views_total\{site="probe-(\d+)"\} (\S+)', re.MULTILINE)


class Scrape(NamedTuple):
    """Numbers of one page: when its answer was complete, and the markers counted by partition."""

    at: float
    counts: dict[int, int]


def probe_site(partition: int) -> str:
    """Return the site of a partition's markers."""
    return _PROBE.format(partition)


def counts_on(page: bytes) -> dict[int, int]:
    """Return the markers on a page by partition."""
    return {int(number): int(float(count)) for number, count in _COUNTS.findall(page)}


def scrape(port: int, every_seconds: float) -> Iterator[tuple[Scrape, int]]:
    """Yield the numbers of a worker's page and its size, for ever, one page at a time."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        while True:
            began = time.monotonic()
            connection.request("GET", "/metrics")
            page = connection.getresponse().read()
            yield Scrape(time.monotonic(), counts_on(page)), len(page)
            time.sleep(max(every_seconds - (time.monotonic() - began), 0.0))


class Watch:
    """Scrapes from its own process until it is closed; then `scrapes` holds what it saw."""

    def __init__(self, port: int, every_seconds: float) -> None:
        context = get_context("spawn")
        self.scrapes: list[Scrape] = []
        self._stop = context.Event()
        self._found: Queue[list[Scrape]] = context.Queue()
        self._process = context.Process(
            target=_watch, args=(port, every_seconds, self._stop, self._found), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        self._found.get(timeout=60)  # It has seen its first page.
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.scrapes = self._found.get(timeout=60)
        self._process.join()


def _watch(port: int, every_seconds: float, stop: Event, found: "Queue[list[Scrape]]") -> None:
    scrapes: list[Scrape] = []
    for one, _ in scrape(port, every_seconds):
        scrapes.append(one)
        if len(scrapes) == 1:
            found.put([])
        if stop.is_set():
            found.put(scrapes)
            return


def delays(
    sent: Mapping[int, Sequence[float]], before: Mapping[int, int], seen: Sequence[Scrape]
) -> list[float]:
    """Return the seconds from sending each marker to the first scrape that counts it.

    `sent` are the times by partition, `before` the markers counted before the first one. Raises
    LookupError if one was never seen.
    """
    found = []
    for partition, times in sent.items():
        # A page without the numbers shows nothing new.
        counts = list(accumulate((one.counts.get(partition, 0) for one in seen), max))
        for number, at in enumerate(times, before.get(partition, 0) + 1):
            place = bisect_left(counts, number)
            if place == len(counts):
                raise LookupError(f"marker {number} of partition {partition} was never seen")
            found.append(seen[place].at - at)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(ceil(len(ordered) * share), 1) - 1]
