"""Page paths: first, second and last view in any order, readings, and their stored size."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest

from stream.sessions.page_path import PagePath

View = tuple[int, int]


def page_path(views: Sequence[View]) -> PagePath:
    made = PagePath()
    for time_ms, page in views:
        made.view(page, time_ms, 0)
    return made


def packed_form(one: PagePath, views: int, start: int, end: int) -> list[Any]:
    packed: list[Any] = []
    one.pack_into(packed, views, start, end)
    return packed


def ends(one: PagePath) -> tuple[int, ...]:
    return one.entry_ms, one.entry_page, one.second_ms, one.exit_ms, one.exit_page


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ([(5, 1)], (5, 1, -1, 5, 1)),
        ([(5, 1), (7, 2), (9, 3), (11, 1)], (5, 1, 7, 11, 1)),
        ([(5, 0), (9, 0)], (5, 0, 9, 9, 0)),
    ],
)
def test_the_ends_are_the_same_in_any_order(views: list[View], expected: tuple[int, ...]) -> None:
    assert {ends(page_path(some)) for some in permutations(views)} == {expected}


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ([(5, 1), (5, 2), (5, 3)], (5, 1, 5, 5, 3)),
        ([(5, 3), (5, 2), (5, 1)], (5, 3, 5, 5, 1)),
        ([(9, 3), (9, 2), (5, 1)], (5, 1, 9, 9, 2)),
        ([(9, 2), (5, 3), (5, 2), (9, 1)], (5, 3, 5, 9, 1)),
    ],
)
def test_views_of_one_instant_follow_each_other_as_they_arrived(
    views: list[View], expected: tuple[int, ...]
) -> None:
    assert ends(page_path(views)) == expected


def test_views_of_one_instant_in_two_topics_follow_each_other_by_rank_in_any_order() -> None:
    for some in permutations([(1, 0), (2, 7), (3, 7), (4, 9)]):
        if some.index((2, 7)) < some.index((3, 7)):
            made = PagePath()
            for page, rank in some:
                made.view(page, 5, rank)
            assert ends(made) == (5, 1, 5, 5, 4)


def test_the_ranks_of_topics_are_stored_only_if_they_matter() -> None:
    one = PagePath()
    one.view(1, 5, 0)
    assert one.ranks() == []
    one.view(2, 5, 9)
    one.path = [(5, 1, 0), (5, 2, 9)]
    again = PagePath()
    again.path = [(5, 1, 0), (5, 2, 0)]
    again.put_ranks(one.ranks())
    assert (again.entry_rank, again.exit_rank, again.path) == (0, 9, one.path)


@pytest.mark.parametrize("split", range(5))
def test_two_page_paths_join_to_the_path_of_all_views(split: int) -> None:
    views = [(5, 1), (6, 3), (8, 2), (9, 2), (10, 3)]
    for some in permutations(views):
        one, other = page_path(some[:split]), page_path(some[split:])
        one.join(other)
        assert ends(one) == ends(page_path(views))


def test_the_views_of_a_joined_path_follow_those_of_the_same_instant() -> None:
    one, other = page_path([(5, 1), (9, 2)]), page_path([(5, 3), (9, 1)])
    one.join(other)
    assert ends(one) == (5, 1, 5, 9, 1)


def test_joining_adds_time_and_keeps_the_greatest_depth() -> None:
    one, other = PagePath(), PagePath()
    one.look(1, 1_000, 50)
    one.look(2, 1_000, None)
    other.look(1, 2_000, 25.5)
    other.look(2, 0, 10)
    other.look(3, 5, None)
    one.join(other)
    assert one.looks == {1: [3_000, 5_000], 2: [1_000, 1_000], 3: [5, -1]}


def test_the_first_page_lasts_until_the_second_view_but_at_most_a_timeout() -> None:
    one = page_path([(1_000, 1), (61_000, 2)])
    assert (one.landing_ms(90_000, one.engaged()), one.landing_ms(30_000, one.engaged())) == (
        60_000,
        30_000,
    )


def test_a_single_page_lasts_its_engaged_time() -> None:
    one = page_path([(1_000, 1)])
    assert one.landing_ms(90_000, one.engaged()) is None
    one.look(1, 0, 50)
    assert one.landing_ms(90_000, one.engaged()) is None
    one.look(1, 7_000, None)
    assert one.landing_ms(90_000, one.engaged()) == 7_000
    unnamed = page_path([(1_000, 0)])
    unnamed.look(1, 7_000, None)
    assert unnamed.landing_ms(90_000, unnamed.engaged()) is None


def test_a_pause_lasts_until_the_next_view_and_the_last_view_has_none() -> None:
    one = PagePath()
    one.path = [(30, 3, 0), (0, 1, 0), (10, 2, 0), (10, 1, 0)]
    assert list(one.pauses(15)) == [(1, 10), (2, 0), (1, 15)]


@pytest.mark.parametrize("views", [[], [(1_005, 1)], [(1_005, 1), (1_007, 2), (1_009, 3)]])
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("whole_path", [False, True])
def test_a_packed_page_path_is_restored_whole(
    views: list[View], looked: bool, whole_path: bool
) -> None:
    one = page_path(views)
    if looked:
        one.look(2, 10_000, 33.3)
        one.look(-77, 0, None)
    if whole_path:
        one.path = [(*view, 0) for view in views]
    packed = msgspec.msgpack.encode(packed_form(one, len(views), 1_000, 2_000))
    again = PagePath.unpack(msgspec.msgpack.decode(packed), len(views), 1_000, 2_000)
    assert ends(again) == ends(one)
    assert (again.looks, again.path) == (one.looks, one.path)


def test_a_usual_page_path_is_short() -> None:
    hour = 3_600_000
    one = page_path([(hour, 100), (hour + 20_000, 200), (hour + 600_000, 150)])
    one.look(100, 20_000, 80)
    packed = packed_form(one, 3, hour, hour + 650_000)
    assert len(msgspec.msgpack.encode(packed)) <= 24
    assert len(msgspec.msgpack.encode(packed_form(page_path([(hour, 100)]), 1, hour, hour))) <= 3
