"""session.include_open: sessions count from their first event on, and end in the same numbers."""

import msgspec
import pytest

from stream.counters import measures
from stream.counters.measures import Grain
from stream.settings.application import SessionSettings, Settings
from tests.properties.checking import wrong_numbers
from tests.properties.engine import EVERYONE, Worker
from tests.properties.test_engine_and_time import log_of


@pytest.mark.parametrize(("include", "seen"), [(False, [0, 0, 0, 1]), (True, [1, 1, 1, 2])])
def test_a_session_counts_at_once_or_when_it_has_closed(include: bool, seen: list[int]) -> None:
    settings = Settings(session=msgspec.convert({"include_open": include}, SessionSettings))
    log = log_of([{"minute": 0}, {"minute": 10}, {"minute": 39}, {"minute": 200}])
    worker = Worker(0, {"t": log}, settings, EVERYONE, 1 << 60)
    found = []
    for _ in log:
        worker.read("t", 1)
        worker.close()
        worker.checkpoint()
        found.append(sessions_of(worker))
    assert found == seen
    worker.finish()
    assert sessions_of(worker) == 2
    assert worker.shard.sessions.open.reopened == 0
    assert wrong_numbers([worker], [{"t": log}], settings) == []


def sessions_of(worker: Worker) -> int:
    """Return the number of sessions counted so far for the whole site."""
    counters, names = worker.shard.counters, worker.shard.registry
    bucket = counters.tables[Grain.ALL].get(0, {})
    [series] = names.segment_set_of("default", {}).segments[0].series(measures.SESSIONS)
    return bucket.get(series, 0)
