"""Carts: the outcome of each, for any order of arrival of its events."""

from itertools import permutations

import pytest

from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.history.cart_outcomes import CartRules, KnownCarts
from stream.history.contributions import Contributions

HOUR = 3_600_000
ADDED, REMOVED, CHECKOUT, ORDERED = range(4)
RULES = CartRules(opens=ADDED, timeout_ms=24 * HOUR, recovery_ms=30 * 24 * HOUR)
NAMES = SegmentRegistry((), 10, lambda site: Calendar())
SEGMENT_SET = NAMES.segment_set_of("default", {}).id
Step = tuple[float, int] | tuple[float, int, str | None]


def outcomes_of(*steps: Step, rules: CartRules = RULES) -> list[tuple[str, float]]:
    """Return (outcome, minute as hour) of steps (hour, kind, cart)."""
    changes = [
        (round(hour * HOUR), SEGMENT_SET, kind, *(cart or (None,))) for hour, kind, *cart in steps
    ]
    carts, counts = KnownCarts(rules, NAMES), Contributions()
    for change in sorted(changes, key=lambda change: (change[0], change[2])):
        carts.take(change, 1, counts)
    return sorted(
        (measure.removeprefix("carts_"), minute / 60)
        for (measure, _, grain, minute), number in counts.expanded().items()
        if grain is Grain.MINUTE
        for _ in range(number)
    )


def test_an_order_in_time_closes_the_cart() -> None:
    assert outcomes_of((0, ADDED), (3, ORDERED)) == [("ordered", 3)]


def test_the_last_instant_is_in_time() -> None:
    assert outcomes_of((0, ADDED), (24, ORDERED)) == [("ordered", 24)]
    late = 24 + 1 / 60
    assert outcomes_of((0, ADDED), (late, ORDERED)) == [("abandoned", 24), ("recovered", late)]


def test_every_change_of_a_cart_gives_it_more_time() -> None:
    assert outcomes_of((0, ADDED), (20, CHECKOUT), (43, ORDERED)) == [("ordered", 43)]
    assert outcomes_of((0, ADDED), (1, ADDED), (20, REMOVED)) == [("abandoned", 44)]


def test_an_emptied_cart_has_no_outcome() -> None:
    assert outcomes_of((0, ADDED), (1, REMOVED)) == []
    assert outcomes_of((0, ADDED), (1, REMOVED), (2, ORDERED)) == []


def test_a_cart_filled_again_is_another_cart() -> None:
    assert outcomes_of((0, ADDED), (30, ADDED), (31, ORDERED)) == [
        ("abandoned", 24),
        ("ordered", 31),
    ]
    assert outcomes_of((0, ADDED), (1, REMOVED), (2, ADDED)) == [("abandoned", 26)]


def test_a_cart_is_recovered_once_and_within_its_time() -> None:
    twice = outcomes_of((0, ADDED), (30, ORDERED), (31, ORDERED))
    assert twice == [("abandoned", 24), ("recovered", 30)]
    assert outcomes_of((0, ADDED), (24 * 40, ORDERED)) == [("abandoned", 24)]


def test_carts_with_ids_are_separate() -> None:
    two = outcomes_of((0, ADDED, "a"), (1, ADDED, "b"), (2, ORDERED, "a"))
    assert two == [("abandoned", 25), ("ordered", 2)]


@pytest.mark.parametrize("named", [None, "unknown"])
def test_an_order_without_a_known_cart_closes_the_one_changed_last(named: str | None) -> None:
    assert outcomes_of((0, ADDED, "a"), (1, ADDED, "b"), (2, ORDERED, named)) == [
        ("abandoned", 24), ("ordered", 2),
    ]  # fmt: skip


def test_events_without_a_cart_count_nowhere() -> None:
    assert outcomes_of((0, ORDERED), (1, REMOVED), (2, CHECKOUT)) == []


def test_a_checkout_may_open_a_cart() -> None:
    rules = RULES._replace(opens=CHECKOUT)
    assert outcomes_of((0, ADDED), (1, CHECKOUT), rules=rules) == [("abandoned", 25)]
    assert outcomes_of((0, ADDED), rules=rules) == []


EVENTS = [(0, ADDED), (0, ORDERED), (5, ADDED), (5, REMOVED), (9, ADDED), (40, ORDERED)]


@pytest.mark.parametrize("order", list(permutations(range(6)))[::37])
def test_the_order_of_arrival_changes_nothing(order: tuple[int, ...]) -> None:
    assert outcomes_of(*(EVENTS[n] for n in order)) == outcomes_of(*EVENTS)
