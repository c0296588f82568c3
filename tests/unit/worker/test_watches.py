"""Watches over a loaded shard: rejections, silence, and stalled topics."""

import pytest
from faust.types import TP

from schemas.codec import parse_all
from stream.engine.watermark import IdleHold
from stream.worker.clock import now_ms
from stream.worker.contiguity import ContiguityGuard
from stream.worker.rejection_limit import RejectionLimit
from stream.worker.status import OwnerCounts
from stream.worker.watch.topics import IdleWatch, StallWatch
from tests.unit.worker.stand_ins import SETTINGS, TOPIC, Log, shard

VIEW = b'{"type":"page_view","event_id":"e","event_time":1700000000000,"visitor_id":"v","page_url":"/"}'


def test_a_topic_is_halted_when_too_many_of_the_last_records_are_rejected() -> None:
    limit = RejectionLimit(3, SETTINGS.ledger)
    limit.note(TOPIC, parse_all([VIEW] * 5 + [b"no event"] * 4))
    assert (limit.halted, limit.problem) == (set(), "")
    limit.note(TOPIC, parse_all([b"no event"]))
    assert limit.halted == set(), "half of ten is the limit itself"
    limit.note(TOPIC, parse_all([VIEW] * 4 + [b"no event"] * 6))
    assert limit.halted == {TOPIC}
    assert limit.problem.startswith("page-views[3]: more than 50% of the last 10 records")


def test_each_topic_is_judged_separately() -> None:
    limit = RejectionLimit(0, SETTINGS.ledger)
    limit.note("clicks", parse_all([b"no event"] * 10))
    limit.note(TOPIC, parse_all([VIEW] * 10))
    assert limit.halted == {"clicks"}


def test_a_topic_is_drained_after_the_idle_time_at_its_end() -> None:
    held, log = shard(), Log(ends={TOPIC: (0, 50_000)})
    watch = IdleWatch(held, log, 10_000, IdleHold())
    watch.note()
    assert held.topics[TOPIC].drained_at == 0
    log.ends[TOPIC] = (0, 60_000)
    watch.note()
    assert held.topics[TOPIC].drained_at == 60_000
    log.ends[TOPIC] = (5, 61_000)
    watch.note()
    assert held.topics[TOPIC].drained_at == 0, "there is a backlog"


def test_a_topic_with_an_unknown_end_is_not_drained() -> None:
    held = shard()
    IdleWatch(held, Log(), 0, IdleHold()).note()
    assert held.topics[TOPIC].drained_at == 0


async def test_a_stalled_topic_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.worker.watch.topics.STALLED_SECONDS", 0.0)
    held, log, counts = shard(), Log(ends={TOPIC: (5, now_ms())}), OwnerCounts()
    watch = StallWatch(held, log, ContiguityGuard(held, log, counts))
    await watch.look(())
    assert log.rewinds == []
    await watch.look(())
    assert (log.rewinds, counts.rewinds) == ([{TP(TOPIC, 0): 0}], 1)


async def test_a_log_that_retention_has_emptied_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stream.worker.watch.topics.STALLED_SECONDS", 0.0)
    log = Log(first=7, ends={TOPIC: (7, now_ms())})
    held, counts = shard(), OwnerCounts()
    watch = StallWatch(held, log, ContiguityGuard(held, log, counts))
    for _ in range(3):
        await watch.look(())
    assert (held.topics[TOPIC].expected, counts.retention_lost) == (7, 7)


async def test_a_halted_topic_and_a_silent_broker_are_no_stall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stream.worker.watch.topics.STALLED_SECONDS", 0.0)
    halted, silent = Log(ends={TOPIC: (5, now_ms())}), Log(ends={TOPIC: (5, now_ms() - 60_000)})
    for log, topics in ((halted, {TOPIC}), (silent, set())):
        held = shard()
        watch = StallWatch(held, log, ContiguityGuard(held, log, OwnerCounts()))
        for _ in range(3):
            await watch.look(topics)
        assert log.rewinds == []
