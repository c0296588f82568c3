"""The consumer waits while too many batches are on their way, and never for agents that stop."""

import asyncio

from stream.kafka.backpressure import Backpressure


async def _waits(backpressure: Backpressure) -> bool:
    try:
        await asyncio.wait_for(backpressure.room(), 0.05)
    except TimeoutError:
        return True
    return False


async def test_there_is_room_up_to_the_limit() -> None:
    backpressure = Backpressure(2, lambda: False)
    for _ in range(2):
        backpressure.delivered()
    assert not await _waits(backpressure)
    backpressure.delivered()
    assert await _waits(backpressure)


async def test_a_consumed_batch_makes_room_at_once() -> None:
    backpressure = Backpressure(0, lambda: False)
    backpressure.delivered()
    room = asyncio.create_task(backpressure.room())
    await asyncio.sleep(0)
    backpressure.consumed()
    await asyncio.wait_for(room, 0.05)


async def test_a_rebalance_starts_from_zero_and_late_batches_do_not_go_below() -> None:
    backpressure = Backpressure(0, lambda: False)
    for _ in range(3):
        backpressure.delivered()
    backpressure.reset()
    assert not await _waits(backpressure)
    backpressure.consumed()
    backpressure.delivered()
    assert await _waits(backpressure)


async def test_agents_that_are_being_stopped_are_not_waited_for() -> None:
    backpressure = Backpressure(0, lambda: True)
    backpressure.delivered()
    assert not await _waits(backpressure)
