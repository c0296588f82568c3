"""Rounds of checkpoints: at moments that all workers share, and never one right after another."""

import asyncio

import pytest

from stream.worker.rounds import Rounds, seconds_to_round


@pytest.mark.parametrize(
    ("epoch_seconds", "expected"),
    [(1_000.0, 1.0), (1_000.25, 0.75), (1_000.74, 0.26), (1_000.8, 1.2), (1_000.99, 1.01)],
)
def test_rounds_begin_at_whole_intervals_of_the_wall_clock(
    epoch_seconds: float, expected: float
) -> None:
    assert seconds_to_round(1.0, epoch_seconds) == pytest.approx(expected)


def test_two_workers_store_at_the_same_moment_whenever_they_have_started() -> None:
    moments = {round(at + seconds_to_round(0.5, at), 6) for at in (7.51, 7.6, 7.7, 7.87)}
    assert moments == {8.0}


async def test_who_waits_goes_on_after_the_next_round() -> None:
    rounds = Rounds()
    waiting = asyncio.create_task(rounds.after(rounds.number, 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    rounds.stored()
    await asyncio.wait_for(waiting, 5)


async def test_a_round_stored_meanwhile_is_not_waited_for_again() -> None:
    rounds = Rounds()
    seen = rounds.number
    rounds.stored()
    await asyncio.wait_for(rounds.after(seen, 60), 5)


async def test_without_rounds_the_wait_ends_after_its_timeout() -> None:
    await asyncio.wait_for(Rounds().after(0, 0.01), 5)
