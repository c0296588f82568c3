"""The garbage collector of a worker: what slices leave is not walked again, and no cycle stays for good."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from stream.worker.process.garbage import GarbageCollector


class Node:
    """An object that can be in a cycle."""

    def __init__(self) -> None:
        self.other: Node | None = None


def cycle() -> weakref.ref[Node]:
    one, two = Node(), Node()
    one.other, two.other = two, one
    return weakref.ref(one)


@pytest.fixture
def collector() -> Iterator[GarbageCollector]:
    thresholds = gc.get_threshold()
    made = GarbageCollector()
    made.begin()
    yield made
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_a_slice_has_made_is_left_out(collector: GarbageCollector) -> None:
    collector.before_slice()
    kept = [[n] for n in range(10_000)]
    collector.after_slice()
    assert gc.get_count()[0] < len(kept)
    # A collection walks none of them.
    assert not any(one is kept for one in gc.get_objects())
    assert gc.get_freeze_count() >= len(kept)


def test_a_cycle_from_between_two_slices_is_collected_before_the_next(
    collector: GarbageCollector,
) -> None:
    collector.after_slice()
    lost = cycle()
    others = [[n] for n in range(2_000)]  # Enough to be worth a look.
    assert others
    assert lost() is not None
    collector.before_slice()
    assert lost() is None


def test_a_cycle_that_was_left_out_is_found_by_the_search(collector: GarbageCollector) -> None:
    lost = cycle()
    collector.after_slice()
    gc.collect()
    assert lost() is not None
    assert collector.search() > 0
    assert lost() is None


def test_python_collects_as_usual_until_a_worker_begins() -> None:
    before = gc.get_freeze_count()
    other = GarbageCollector()
    other.before_slice()
    other.after_slice()
    assert gc.get_freeze_count() == before
