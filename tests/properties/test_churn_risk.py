"""The model's numbers follow from the log: crashes, batches, repeated scans and late events change none."""

import asyncio
import json
from collections.abc import Sequence
from random import Random

import pytest
from aiokafka.errors import KafkaConnectionError
from msgspec.structs import replace

from stream.counters import measures
from stream.counters.calendar import DAY_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.settings.application import Settings
from stream.settings.churn import ChurnRiskSettings
from stream.worker.churn_scan import assess_some
from tests.conftest import needs_river
from tests.properties.engine import LogRecord, MemoryStore, Worker

needs_river()
DAYS = 70
BEGIN_MS = 1_711_972_800_000
RISK = ChurnRiskSettings(enabled=True, horizon_days=7, examples_min=100, topic="risks")
SETTINGS = Settings(churn_risk=RISK)
TOPICS = ("page-views", "orders")
Key = tuple[str, str, str, str]


def log(seed: int) -> dict[str, list[LogRecord]]:
    """Return the log of people on two sites, on two topics; some events arrive hours late."""
    random, events = Random(seed), []
    for who in range(60):
        first, stays = random.randrange(DAYS), random.randrange(1, 40)
        for day in range(first, min(first + stays, DAYS)):
            if day == first or random.random() < 0.5:
                at = BEGIN_MS + day * DAY_MS + random.randrange(DAY_MS)
                late = random.randrange(20 * 3_600_000) if random.random() < 0.2 else 0
                events.append((at + late, at, who))
    records: dict[str, list[LogRecord]] = {topic: [] for topic in TOPICS}
    for number, (arrives, at, who) in enumerate(sorted(events)):
        topic = TOPICS[number % 2]
        event = {
            "type": "page_view" if number % 2 == 0 else "order", "event_id": f"e{number}",
            "event_time": at, "user_id": f"p{who}", "site": f"s{who % 2}", "page_url": "/",
        } | ({"order_id": f"o{number}", "revenue": 1} if number % 2 else {})  # fmt: skip
        value = json.dumps(event).encode()
        records[topic].append(LogRecord(len(records[topic]), arrives, value))
    return records


class ScannedStore:
    """People of a memory store, scanned a few at a time in random order; some come twice."""

    def __init__(self, store: MemoryStore, seed: int) -> None:
        self._store, self._random = store, Random(seed)
        self._order: list[bytes] = []

    async def scan_people(
        self, partition: int, cursor: int, at_once: int
    ) -> tuple[int, dict[bytes, bytes]]:
        if cursor == 0:
            self._order = [*self._store.people]
            self._order += self._random.sample(self._order, len(self._order) // 3)
            self._random.shuffle(self._order)
        after = cursor + 7
        part = {field: self._store.people[field] for field in self._order[cursor:after]}
        return (0 if after >= len(self._order) else after), part


def assess(worker: Worker, store: ScannedStore, turns: int, sent: list[tuple[str, str]]) -> None:
    """Assess people in some turns, as a live worker does after every checkpoint."""

    async def send(messages: object) -> None:
        sent.extend((key.decode(), value.decode()) for key, value in messages)  # type: ignore[attr-defined]

    async def run() -> None:
        for _ in range(turns):
            if not await assess_some(store, worker.shard, send, lambda: True):  # type: ignore[arg-type]
                break

    asyncio.run(run())


def read_log(
    logs: dict[str, list[LogRecord]], seed: int, batch: int, crash_in: int, settings: Settings
) -> tuple[Worker, list[tuple[str, str]]]:
    """Read the log in turns; about one turn of `crash_in` ends in a crash (0: none)."""
    random, sent = Random(seed), []
    worker = Worker(0, logs, settings, people_cached=20, now_ms=1 << 60)
    store = ScannedStore(worker.store, seed)
    while any(worker.shard.topics[t].next < len(logs[t]) for t in logs):
        for number in range(len(logs)):
            worker.act(("read", number, batch))
        worker.close()
        worker.checkpoint()
        assess(worker, store, random.choice((1, 3, 50)), sent)
        if crash_in and random.randrange(crash_in) == 0:
            worker.crash()
    for _ in range(4):  # Assess the days made due by the last checkpoint, and store their counts.
        worker.checkpoint()
        assess(worker, store, 10_000, sent)
    worker.checkpoint()
    return worker, sent


def counts(worker: Worker, wanted: bool) -> dict[tuple[BucketKey, Key], int]:
    """Return the stored counts by series name: those of the model if `wanted`, else all others."""
    names = worker.shard.registry.series
    return {
        (bucket, names[series]): count
        for bucket, found in worker.store.buckets.items()
        for series, count in found.items()
        if (names[series][0] == measures.RISK_PEOPLE) is wanted and count
    }


def settled(worker: Worker) -> dict[tuple[BucketKey, Key], int]:
    """Return the model's counts of days that no event can change any more."""
    risk = worker.shard.churn_risk
    assert risk is not None
    assert risk.settled is not None
    return {key: n for key, n in counts(worker, True).items() if key[0][1] <= risk.settled}


@pytest.fixture(scope="module")
def smooth() -> Worker:
    return read_log(log(1), seed=1, batch=40, crash_in=0, settings=SETTINGS)[0]


def test_the_traffic_fills_all_risk_bands(smooth: Worker) -> None:
    bands = {key[1][3] for key in settled(smooth) if key[1][2]}
    assert bands == {"low", "medium", "high"}


@pytest.mark.parametrize(("seed", "batch", "crash_in"), [(2, 40, 3), (3, 7, 9), (4, 500, 2)])
def test_crashes_batches_and_repeated_scans_change_no_number(
    smooth: Worker, seed: int, batch: int, crash_in: int
) -> None:
    worker, _ = read_log(log(1), seed, batch, crash_in, SETTINGS)
    assert worker.crashes or batch == 500
    assert settled(worker) == settled(smooth)
    one, other = worker.shard.churn_risk, smooth.shard.churn_risk
    assert one is not None
    assert other is not None
    assert one.model.state == other.model.state
    assert one.settled == other.settled
    assert counts(worker, False) == counts(smooth, False)


@pytest.mark.parametrize(("seed", "batch", "crash_in"), [(1, 40, 0), (5, 20, 5)])
def test_the_model_changes_no_other_number(seed: int, batch: int, crash_in: int) -> None:
    having, _ = read_log(log(1), seed, batch, crash_in, SETTINGS)
    without, sent = read_log(log(1), seed, batch, crash_in, Settings())
    assert counts(without, False) == counts(having, False)
    assert counts(without, True) == {}
    assert sent == []
    assert not any(b"s0\x1fp" in raw for raw in without.store.people.values())


def test_the_bands_of_a_day_sum_to_the_people_active_in_28_days(smooth: Worker) -> None:
    active = {
        (key[0][1], key[1][1]): n
        for key, n in counts(smooth, False).items()
        if key[1][0] == measures.ACTIVE_28D and not key[1][2]
    }
    by_day: dict[tuple[int, str], int] = {}
    whole: dict[tuple[int, str], int] = {}
    for ((grain, day), (_, site, dimension, _)), people in settled(smooth).items():
        assert grain is Grain.DAY
        into = by_day if dimension == measures.RISK_BAND else whole
        into[day, site] = into.get((day, site), 0) + people
    assert by_day
    assert by_day == whole
    assert by_day == {key: active[key] for key in by_day}


def test_later_events_change_no_prediction(smooth: Worker) -> None:
    newest = max(key[0][1] for key in settled(smooth))
    ends_ms = Calendar().day_start_ms(newest - 10)
    shorter = {
        topic: [one for one in records if one.timestamp < ends_ms]
        for topic, records in log(1).items()
    }
    worker, _ = read_log(shorter, seed=1, batch=40, crash_in=0, settings=SETTINGS)
    risk = worker.shard.churn_risk
    assert risk is not None
    assert risk.settled is not None
    assert newest - 20 < risk.settled < newest
    kept = {key: n for key, n in settled(smooth).items() if key[0][1] <= risk.settled}
    assert settled(worker) == kept


def test_each_person_is_published_once_a_day_with_a_band(smooth: Worker) -> None:
    worker, sent = read_log(log(1), seed=1, batch=40, crash_in=0, settings=SETTINGS)
    assert worker.shard.churn_risk is not None
    by_day: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in sent:
        record = json.loads(value)
        assert key == f"{record['site']}\x1f{record['person']}"
        assert 0 < record["risk"] < 1
        assert record["horizon_days"] == 7
        band = "low" if record["risk"] < 0.3 else "high" if record["risk"] >= 0.7 else "medium"
        assert record["band"] == band
        by_day.setdefault((record["day"], record["site"]), {})[record["person"]] = band
    people: Sequence[int] = [len(found) for found in by_day.values()]
    assert len(people) > 50
    assert max(people) > 5


def test_records_that_kafka_refuses_are_sent_again_and_count_once(smooth: Worker) -> None:
    worker, _ = read_log(log(1), seed=1, batch=40, crash_in=0, settings=SETTINGS)
    risk = worker.shard.churn_risk
    assert risk is not None
    assert risk.settled is not None
    risk.settled -= 1
    risk.published_day = risk.settled
    store, failures, sent = ScannedStore(worker.store, 3), [3], 0

    async def send(messages: object) -> None:
        nonlocal sent
        number = len(list(messages))  # type: ignore[call-overload]
        if failures[0]:
            failures[0] -= 1
            raise KafkaConnectionError
        sent += number

    async def run() -> None:
        for _ in range(200):
            await assess_some(store, worker.shard, send, lambda: True)  # type: ignore[arg-type]

    before = settled(worker)
    asyncio.run(run())
    worker.checkpoint()
    assert failures == [0]
    assert {key for key, n in settled(worker).items() if before.get(key) == n} >= {
        key for key in before if not key[1][2]
    }
    assert sent >= sum(n for key, n in before.items() if key[0][1] == risk.settled and key[1][2])


def test_a_model_with_another_horizon_learns_from_the_start_and_continues_at_the_same_day(
    smooth: Worker,
) -> None:
    changed = Settings(churn_risk=replace(RISK, horizon_days=10))
    worker = Worker(0, log(1), changed, people_cached=20, now_ms=1 << 60)
    worker.store = smooth.store
    worker.crash()
    one, other = worker.shard.churn_risk, smooth.shard.churn_risk
    assert one is not None
    assert other is not None
    assert one.settled == other.settled
    assert one.model.learned == 0


def test_a_model_switched_on_later_learns_from_the_known_days(smooth: Worker) -> None:
    worker, _ = read_log(log(1), seed=1, batch=40, crash_in=0, settings=Settings())
    later = Worker(0, log(1), SETTINGS, people_cached=20, now_ms=1 << 60)
    later.store = worker.store
    later.crash()
    store = ScannedStore(later.store, 1)
    for _ in range(4):
        later.checkpoint()
        assess(later, store, 10_000, [])
    risk, longer = later.shard.churn_risk, smooth.shard.churn_risk
    assert risk is not None
    assert longer is not None
    assert risk.settled == longer.settled
    assert 100 < risk.model.learned < longer.model.learned
