"""Cost of an event: in steps of the interpreter, the same however many entries came before."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry
from stream.history.learning import learn
from stream.metrics.themes.carts import Carts
from stream.metrics.themes.clicks import Matched
from stream.metrics.themes.features import Features
from stream.metrics.themes.feedback import Feedback
from stream.metrics.themes.funnels import FunnelAggregate
from stream.metrics.themes.orders import Orders
from stream.metrics.themes.tickets import Tickets
from stream.settings.application import Settings
from stream.settings.customers import SurveySettings
from stream.settings.definitions import Funnel, Selection
from stream.settings.pages import CtrSettings

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS
Fields = Callable[[int], tuple[Any, ...]]
STEPS = (Selection(type="page_view"), Selection(type="order"))
AGGREGATES: dict[str, tuple[Aggregate, Fields]] = {
    "orders": (Orders(), lambda number: ("o", b"%d" % number, 1_000_000)),
    "orders and their refunds": (
        Orders(),
        lambda number: (
            ("r", b"%d" % (number - 1), 1, b"%d" % number) if number % 2
            else ("o", b"%d" % number, 1_000_000)
        ),
    ),
    "refunds of one order": (
        Orders(), lambda number: ("r", b"o", 1, b"%d" % number) if number else ("o", b"o", 5)
    ),
    "carts": (Carts(Settings()), lambda number: (0, f"cart-{number}")),
    "changes of one cart": (Carts(Settings()), lambda number: (number % 3 == 2, None)),
    "orders without a cart": (Carts(Settings()), lambda number: (3 * (number % 2), f"c{number}")),
    "views in a funnel": (
        FunnelAggregate("f", Funnel(steps=STEPS, window_days=7), Settings()),
        lambda number: (1 + (number % 5 == 4), None),
    ),
    "a strict funnel": (
        FunnelAggregate("f", Funnel(steps=STEPS, order="strict"), Settings()),
        lambda number: (number % 3, None),
    ),
    "an unordered funnel": (
        FunnelAggregate("f", Funnel(steps=STEPS, order="unordered"), Settings()),
        lambda number: (1 + number % 2, None),
    ),
    "answers": (
        Feedback(Settings()), lambda number: ("nps", 9_000_000, b"%d" % number)
    ),
    "newest answers": (
        Feedback(Settings(survey=SurveySettings(dedupe="latest_per_user"))),
        lambda number: ("nps", 9_000_000, b"%d" % number),
    ),
    "answers of one response": (Feedback(Settings()), lambda number: ("nps", number % 10, b"r")),
    "tickets": (
        Tickets(Settings()), lambda number: (b"%d" % (number // 3), "oar"[number % 3])
    ),
    "clicks and impressions": (
        Matched(Settings(ctr=CtrSettings(match_impression=True))),
        lambda number: (f"c{number % 7}", b"%d" % number if number % 2 else b""),
    ),
    "features": (Features(Settings()), lambda number: (f"feature-{number}",)),
}  # fmt: skip


def steps_of(action: Callable[[], object]) -> int:
    """Return how many Python functions an action calls."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


class Learner:
    """One person's history of an aggregate."""

    def __init__(self, aggregate: Aggregate) -> None:
        self.aggregate = aggregate
        self.registry = SegmentRegistry((), 10, lambda site: Calendar())
        self.segment_set = self.registry.segment_set_of("default", {})
        self.entries: list[HistoryEntry] = []
        self.counts = Contributions()
        self.index: Any = None

    def learn(self, time_ms: int, fields: tuple[Any, ...]) -> None:
        time_ms = self.aggregate.entry_ms(time_ms, self.segment_set.calendar)
        new = (time_ms, self.segment_set.id, *fields)
        learned = learn(
            self.entries, new, time_ms - DAY_MS, self.aggregate, self.registry, self.counts, self.index
        )  # fmt: skip
        self.entries, self.index = learned.entries, learned.kept_index


def cost(person: Learner, fields: Fields, numbers: Iterable[int], seconds: int = 1) -> int:
    """Return the steps that these events of a person take."""
    return steps_of(
        lambda: [person.learn(START_MS + n * seconds * 1000, fields(n)) for n in numbers]
    )


@pytest.mark.parametrize("seconds", [1, 3_600])
@pytest.mark.parametrize("name", AGGREGATES)
def test_an_event_costs_the_same_after_any_number_of_events(name: str, seconds: int) -> None:
    aggregate, fields = AGGREGATES[name]
    person, found = Learner(aggregate), []
    for first, last in ((200, 300), (2_000, 2_100)):
        for number in range(0 if first == 200 else 300, first):
            person.learn(START_MS + number * seconds * 1000, fields(number))
        found.append(cost(person, fields, range(first, last), seconds))
    early, late = found
    assert late < 2 * early, f"{early / 100:.0f} steps an event, then {late / 100:.0f}"


@pytest.mark.parametrize("name", AGGREGATES)
def test_an_event_a_little_late_costs_little_more(name: str) -> None:
    aggregate, fields = AGGREGATES[name]
    in_order = cost(Learner(aggregate), fields, range(1_000))
    in_pairs = cost(Learner(aggregate), fields, (number ^ 1 for number in range(1_000)))
    assert in_pairs < 100 * in_order, f"{in_pairs / 1_000:.0f} steps, not {in_order / 1_000:.0f}"
