"""A batch that spans months (a quiet site, a replay) counts the same as its records one by one."""

from agents.simulation.traffic import Traffic
from stream.settings.application import Settings
from stream.settings.definitions import Funnel, Selection
from tests.properties.compare import published
from tests.properties.engine import EVERYONE, LogRecord, Worker, final_records

END_MS = 1_735_700_000_000
SETTINGS = Settings(
    funnels={"buy": Funnel(steps=(Selection(type="page_view"), Selection(type="order")))}
)


def read(log: list[LogRecord], at_once: int) -> Worker:
    worker = Worker(0, {"events": log}, SETTINGS, EVERYONE, END_MS)
    while worker.read("events", at_once):
        pass
    worker.finish()
    return worker


def test_one_large_batch_gives_the_numbers_of_single_records() -> None:
    sent = list(Traffic(11, rate_per_second=1.0).history(120, END_MS, events_max=600))
    log = [LogRecord(number, END_MS, one.raw) for number, one in enumerate(sent)]
    one_by_one, whole = read(log, 1), read(log, len(log))
    assert one_by_one.outcomes() == whole.outcomes()
    left, others = (published(final_records([w], SETTINGS)) for w in (one_by_one, whole))
    assert len(left) > 5_000
    assert {
        key: (value, others.get(key)) for key, value in left.items() if others.get(key) != value
    } == {}
    assert left.keys() == others.keys()
