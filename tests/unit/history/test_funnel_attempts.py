"""Attempts at a funnel: the events that make steps, their order, and the window after the first."""

from itertools import permutations
from typing import Any

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.events import HISTORY_MAX, HistoryEntry, learn
from stream.history.funnel_attempts import Attempts, Moment
from stream.metrics.themes.funnels import FunnelAggregate
from stream.settings.application import SessionSettings, Settings
from stream.settings.definitions import Funnel, Selection

A, B, C, OTHER = 1, 2, 4, 0
DAY = 86_400_000


def depths(*moments: tuple[int, int], **rules: Any) -> list[int]:
    """Return the steps reached by each attempt at moments (time, steps)."""
    given = {"steps": 3, "window_ms": 100, "order": "ordered"} | rules
    return [depth for _, depth in Attempts(**given).depths(Moment(*m) for m in moments)]


def test_other_events_may_lie_between_ordered_steps() -> None:
    assert depths((1, A), (2, OTHER), (3, B), (4, OTHER), (5, C)) == [3]


def test_steps_in_the_wrong_order_do_not_count() -> None:
    assert depths((1, C), (2, B), (3, A)) == [1]
    assert depths((1, A), (2, C), (3, B)) == [2]


def test_every_first_step_begins_an_attempt() -> None:
    assert depths((1, A), (2, A), (3, B)) == [2, 2]
    assert depths((1, A), (2, B), (3, A), (4, OTHER)) == [2, 1]


def test_a_step_at_the_end_of_the_window_counts_and_one_after_it_does_not() -> None:
    assert depths((1, A), (101, B)) == [2]
    assert depths((1, A), (102, B)) == [1]
    assert depths((1, A), (60, B), (102, C)) == [2], "the window is from step 1 on"


def test_one_event_is_one_step_even_if_it_fits_two() -> None:
    assert depths((1, A | B), steps=2) == [1]
    assert depths((1, A | B), (2, A | B), steps=2) == [2, 1]


def test_strict_steps_allow_no_event_between_them() -> None:
    assert depths((1, A), (2, B), (3, C), order="strict") == [3]
    assert depths((1, A), (2, OTHER), (3, B), order="strict") == [1]
    assert depths((1, A), (2, B), (3, B), (4, C), order="strict") == [2]


@pytest.mark.parametrize("steps", list(permutations([A, B, C])))
def test_unordered_steps_come_in_any_order(steps: tuple[int, ...]) -> None:
    found = depths(*enumerate(steps), order="unordered")
    assert found[0] == 3


def test_unordered_steps_are_assigned_in_the_best_way() -> None:
    assert depths((1, A | B), (2, A), order="unordered")[0] == 2
    assert depths((1, A), (2, A), order="unordered")[0] == 1
    assert depths((1, A | B), (2, B | C), (3, B), order="unordered")[0] == 3


def test_moments_at_one_instant_follow_the_order_of_the_steps() -> None:
    for order in permutations([A, B, C]):
        assert depths(*((7, steps) for steps in order)) == [3]


def test_steps_must_be_in_one_session_if_configured() -> None:
    rules = Attempts(steps=2, window_ms=1000, order="ordered", session_gap_ms=30)
    ids = [Moment(1, A, "s"), Moment(2, A, "t"), Moment(900, B, "s")]
    assert sorted(rules.depths(ids)) == [(1, 2), (2, 1)]
    gaps = [Moment(1, A), Moment(31, B), Moment(100, A), Moment(131, B)]
    assert sorted(rules.depths(gaps)) == [(1, 2), (100, 1)]


NAMES = SegmentRegistry((), 100, lambda site: Calendar())
SEGMENT_SET = NAMES.segment_set_of("default", {}).id


def aggregate(**fields: Any) -> FunnelAggregate:
    steps = tuple(Selection(type="custom", where={"name": name}) for name in "ab")
    return FunnelAggregate("f", Funnel(steps=steps, window_days=2, **fields), Settings())


def entry(time_ms: int, steps: int) -> HistoryEntry:
    return time_ms, SEGMENT_SET, steps, None


def test_settled_repetitions_are_pruned() -> None:
    history = [entry(DAY + n, A) for n in range(50)] + [entry(DAY + 60 + n, B) for n in range(50)]
    after, _, _ = learn(history, entry(2 * DAY, A), DAY + 1_000, aggregate(), NAMES)
    assert [one[0] - DAY for one in after] == [49, 60, DAY]
    assert len(learn(history, entry(2 * DAY, A), DAY, aggregate(), NAMES)[0]) == 101


def test_first_steps_of_two_days_are_both_kept() -> None:
    history = [entry(DAY, A), entry(2 * DAY, A)]
    assert len(learn(history, entry(3 * DAY, B), 3 * DAY, aggregate(), NAMES)[0]) == 3


def test_a_step_reached_long_ago_is_counted_once() -> None:
    ever = ("funnel_people_all", NAMES.own_segment("default", "funnel\x1fstep", "f\x1f2"))
    known, counted = [], 0
    for time_ms in (DAY, DAY + 1, 90 * DAY, 90 * DAY + 1, 180 * DAY, 180 * DAY + 1):
        known, change, _ = learn(
            known, entry(time_ms, 1 + time_ms % 2), time_ms, aggregate(), NAMES
        )
        counted += sum(count for key, count in change.items() if key[:2] == ever)
        assert len(known) <= 3
    assert counted == 1


def test_a_capped_history_keeps_the_steps_reached() -> None:
    history = [(-1, SEGMENT_SET, 2, None), *(entry(DAY * 100 + n, A) for n in range(HISTORY_MAX))]
    after, _, capped = learn(history, entry(DAY * 200, A), 0, aggregate(), NAMES)
    assert capped
    assert after[0] == (-1, SEGMENT_SET, 2, None)


def test_other_steps_are_another_aggregate() -> None:
    assert aggregate().name != aggregate(order="strict").name
    assert aggregate().name.startswith("fn:f:")


def test_sessions_by_gap_ignore_ids() -> None:
    steps = (Selection(type="order"), Selection(type="refund"))
    gap = Settings(session=SessionSettings(source="gap"))
    funnel = Funnel(steps=steps, scope="session")
    assert FunnelAggregate("f", funnel, gap)._by_id is False
    assert FunnelAggregate("f", funnel, Settings())._by_id is True
