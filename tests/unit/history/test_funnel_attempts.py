"""Attempts at a funnel: the events that make steps, their order, and the window after the first."""

from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions, Expanded
from stream.history.events import HistoryEntry
from stream.history.funnel_attempts import Attempts, Progress
from stream.history.funnel_steps import EVER, FunnelSteps
from stream.history.learning import learn
from stream.metrics.themes.funnels import FunnelAggregate
from stream.settings.application import SessionSettings, Settings
from stream.settings.definitions import Funnel, Selection

A, B, C, OTHER = 1, 2, 4, 0
DAY = 86_400_000
NAMES = SegmentRegistry((), 100, lambda site: Calendar())
SEGMENT_SET = NAMES.segment_set_of("default", {}).id


def entry(time_ms: int, steps: int, session: str | None = None) -> HistoryEntry:
    return time_ms, SEGMENT_SET, steps, session


class Reached(FunnelSteps):
    """The number of steps reached from each day of entry on."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.steps = Counter[int]()

    def count(self, _site: str, day: int, _step: int, by: int, _counts: object) -> None:
        self.steps[day] += by


def depths(*moments: tuple[Any, ...], **rules: Any) -> list[int]:
    """Return the best depth of each day of entry, at moments (time, steps, session)."""
    given = {"steps": 3, "window_ms": 100, "order": "ordered"} | rules
    reached = Reached("funnel", "f", NAMES)
    progress = Progress(Attempts(**given), NAMES, reached)
    for moment in sorted(moments, key=lambda moment: moment[:2]):
        progress.take(entry(*moment), 1, Contributions())
    ever = reached.steps.pop(EVER, 0)
    assert max(reached.steps.values(), default=0) == ever
    return [depth for _, depth in sorted(reached.steps.items())]


def test_other_events_may_lie_between_ordered_steps() -> None:
    assert depths((1, A), (2, OTHER), (3, B), (4, OTHER), (5, C)) == [3]


def test_steps_in_the_wrong_order_do_not_count() -> None:
    assert depths((1, C), (2, B), (3, A)) == [1]
    assert depths((1, A), (2, C), (3, B)) == [2]


def test_every_first_step_begins_an_attempt() -> None:
    assert depths((1, A), (90, A), (150, B)) == [2]
    assert depths((1, A), (DAY, A), (DAY + 1, B), window_ms=2 * DAY) == [2, 2]
    assert depths((1, A), (2, B), (DAY, A), (DAY + 1, OTHER)) == [2, 1]


def test_an_earlier_attempt_may_get_further_than_a_later_one() -> None:
    assert depths((1, A), (2, B), (50, A), (60, C)) == [3]
    assert depths((1, A), (2, B), (50, A), (102, C)) == [2]


def test_a_step_at_the_end_of_the_window_counts_and_one_after_it_does_not() -> None:
    assert depths((1, A), (101, B)) == [2]
    assert depths((1, A), (102, B)) == [1]
    assert depths((1, A), (60, B), (102, C)) == [2], "the window is from step 1 on"


def test_one_event_is_one_step_even_if_it_fits_two() -> None:
    assert depths((1, A | B), steps=2) == [1]
    assert depths((1, A | B), (2, A | B), steps=2) == [2]


def test_strict_steps_allow_no_event_between_them() -> None:
    assert depths((1, A), (2, B), (3, C), order="strict") == [3]
    assert depths((1, A), (2, OTHER), (3, B), order="strict") == [1]
    assert depths((1, A), (2, B), (3, B), (4, C), order="strict") == [2]


@pytest.mark.parametrize("steps", list(permutations([A, B, C])))
def test_unordered_steps_come_in_any_order(steps: tuple[int, ...]) -> None:
    assert depths(*enumerate(steps, 1), order="unordered") == [3]


def test_unordered_steps_are_assigned_in_the_best_way() -> None:
    assert depths((1, A | B), (2, A), order="unordered") == [2]
    assert depths((1, A), (2, A), order="unordered") == [1]
    assert depths((1, A | B), (2, B | C), (3, B), order="unordered") == [3]


def test_moments_at_one_instant_follow_the_order_of_the_steps() -> None:
    for order in permutations([A, B, C]):
        assert depths(*((7, steps) for steps in order)) == [3]


def test_an_excluded_event_ends_the_attempts_before_it() -> None:
    ends = 8
    assert depths((1, A), (2, ends), (3, B)) == [1]
    assert depths((1, A), (2, A | ends), (3, B)) == [2], "it may begin an attempt itself"


def test_steps_must_be_in_one_session_if_configured() -> None:
    rules = {"steps": 2, "window_ms": 2 * DAY, "session_gap_ms": 30}
    assert depths((1, A, "s"), (2, A, "t"), (900, B, "s"), **rules) == [2]
    assert depths((1, A, "s"), (2, A, "t"), (900, B, "u"), **rules) == [1]
    assert depths((1, A), (31, B), (DAY, A), (DAY + 31, B), **rules) == [2, 1]


def test_only_the_first_attempt_counts_if_configured() -> None:
    assert depths((1, A), (DAY, A), (DAY + 1, B), is_first_only=True) == [1]


def aggregate(**fields: Any) -> FunnelAggregate:
    steps = tuple(Selection(type="custom", where={"name": name}) for name in "ab")
    return FunnelAggregate("f", Funnel(steps=steps, window_days=2, **fields), Settings())


def learned(
    known: list[HistoryEntry], new: HistoryEntry, settled_ms: int
) -> tuple[list[HistoryEntry], Expanded]:
    counts = Contributions()
    entries = learn(known, new, settled_ms, aggregate(), NAMES, counts).entries
    return entries, counts.expanded()


def test_settled_moments_become_one_entry() -> None:
    history = [entry(DAY + n, A) for n in range(50)] + [entry(DAY + 60 + n, B) for n in range(50)]
    settled, _ = learned(history.copy(), entry(2 * DAY, A), DAY + 1_000)
    assert [one[0] for one in settled] == [-1, 2 * DAY]
    assert len(learned(history.copy(), entry(2 * DAY, A), DAY)[0]) == 101


def test_a_step_reached_long_ago_is_counted_once() -> None:
    ever = ("funnel_people_all", NAMES.own_segment("default", "funnel\x1fstep", "f\x1f2"))
    known, counted = list[HistoryEntry](), 0
    for time_ms in (DAY, DAY + 1, 90 * DAY, 90 * DAY + 1, 180 * DAY, 180 * DAY + 1):
        new = entry(time_ms, 1 + time_ms % 2)
        known, change = learned(known, new, time_ms)
        counted += sum(count for key, count in change.items() if key[:2] == ever)
        assert len(known) <= 3
    assert counted == 1


def test_steps_reached_before_there_was_more_to_store_are_counted_once() -> None:
    history = [(-1, SEGMENT_SET, 2, None), entry(DAY * 100, A)]
    _, change = learned(history, entry(DAY * 100 + 1, B), DAY * 99)
    assert "funnel_people_all" not in {key[0] for key in change}
    assert "funnel_people_1d" in {key[0] for key in change}


def test_other_steps_are_another_aggregate() -> None:
    assert aggregate().name != aggregate(order="strict").name
    assert aggregate().name.startswith("fn:f:")


def test_sessions_by_gap_ignore_ids() -> None:
    steps = (Selection(type="order"), Selection(type="refund"))
    gap = Settings(session=SessionSettings(source="gap"))
    funnel = Funnel(steps=steps, scope="session")
    assert FunnelAggregate("f", funnel, gap)._by_id is False
    assert FunnelAggregate("f", funnel, Settings())._by_id is True
