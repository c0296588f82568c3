"""A consumer holds the same numbers however often publishers crash and others take over."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.settings.application import Settings
from tests.properties.engine import EVERYONE, Worker
from tests.properties.inputs.traffic import DAY_MS, HOUR_MS, logs_of, moments, traffic
from tests.properties.publishers import Succession, with_dated_store

CONFIG = Settings(dimensions=("country",))


def workers_on(data: st.DataObject) -> tuple[list[Worker], int]:
    """Return two shards with a few days of events, and the base instant of the events."""
    _, base_ms = data.draw(moments)
    logs = logs_of(data.draw(traffic(base_ms, delay_ms=6 * HOUR_MS, most=25)), 2)
    workers = [Worker(n, part, CONFIG, EVERYONE, 1 << 60) for n, part in enumerate(logs)]
    return [with_dated_store(worker) for worker in workers], base_ms


@settings(max_examples=9)
@given(data=st.data())
def test_a_publisher_that_takes_over_ends_with_the_numbers_of_one_that_never_crashed(
    data: st.DataObject,
) -> None:
    workers, base_ms = workers_on(data)
    steady, changing = Succession(workers, CONFIG), Succession(workers, CONFIG)
    for step in range(data.draw(st.integers(2, 6))):
        for worker in workers:
            worker.act(("read", data.draw(st.integers(0, 2)), data.draw(st.integers(0, 9))))
            if data.draw(st.booleans()):
                # Silence ends all windows so far, and yet later events still fall into them.
                for topic in worker.logs:
                    worker.shard.drained(topic, base_ms + data.draw(st.integers(1, 90)) * DAY_MS)
            worker.close()
            worker.checkpoint()
        now_ms = base_ms + step
        asyncio.run(steady.publish(now_ms))
        if data.draw(st.booleans()):
            asyncio.run(changing.publish(now_ms, windows=data.draw(st.integers(0, 300))))
            changing.follow()
        asyncio.run(changing.publish(now_ms))
        expected = steady.numbers()
        found = changing.numbers()
        assert {
            key: (one, found.get(key)) for key, one in expected.items() if found.get(key) != one
        } == {}
        assert found.keys() == expected.keys()
