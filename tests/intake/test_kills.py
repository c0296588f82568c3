"""No event is lost or doubled through kills, stalls and rebalances; a build without transactions fails this."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import provided
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.intake.foreign import T0, calls
from tests.intake.stand import Stand
from tests.servers.kafka_server import KafkaServer

SEED = 20261201
PARTITIONS = 6
#: Stalls until one has interrupted a transaction: most fall between two of them.
MORE_STALLS = 12
#: A broker that lets sessions be short, so that 20 faults fit into a minute.
BROKER = {"group.min.session.timeout.ms": "1000"}
SETTINGS = {
    "KAFKA_SESSION_TIMEOUT_SECONDS": "3",
    "KAFKA_HEARTBEAT_SECONDS": "1",
    "REDIS_SOCKET_TIMEOUT_SECONDS": "1",
    "KAFKA_MAX_PARTITION_FETCH_BYTES": "262144",
}


@pytest.fixture
def broker() -> Iterator[KafkaServer]:
    with provided(lambda: KafkaServer(BROKER)) as server:
        yield server


class Outcome(NamedTuple):
    """Difference between our topics after a run of faults and what should be there."""

    lost: int
    doubled: int
    misplaced: int
    fenced: int
    kills: int
    stalls: int


class Faults:
    """Two processes that are killed and stalled while records come."""

    def __init__(self, stand: Stand, chance: random.Random, module: str) -> None:
        self.stand = stand
        self.chance = chance
        self.processes = [stand.process(module=module, **SETTINGS) for _ in range(2)]
        self.fenced = self.kills = self.stalls = 0

    def wait_both(self) -> None:
        """Wait until both have partitions."""
        wait_until(
            "both carry",
            lambda: all(one.value("engagement_intake_partitions") for one in self.processes),
        )

    def kill(self, work: Callable[[], None]) -> None:
        """Kill one while it carries, and start it again."""
        one = self.chance.choice(self.processes)
        self._note_fenced(one)
        self._busy(one, work)
        one.kill9()
        one.start()
        self.kills += 1

    def stall(self, work: Callable[[], None]) -> None:
        """Stop one until the other one has its partitions, and let it go on as if nothing had been."""
        one, other = self.chance.sample(self.processes, 2)
        before = other.value("engagement_intake_rebalances_total")
        self._resume_with(work)
        time.sleep(self.chance.uniform(0.02, 0.15))
        one.pause()
        wait_until(
            "the other process takes over",
            lambda: (
                other.value("engagement_intake_rebalances_total") > before
                and other.value("engagement_intake_partitions") == PARTITIONS
            ),
        )
        one.resume()
        wait_until("it is back", lambda: other.value("engagement_intake_partitions") < PARTITIONS)
        self.stalls += 1

    def _busy(self, one: WorkerProcess, work: Callable[[], None]) -> None:
        """Return while one is in the middle of what `work` sends: both stand still until all is there."""
        done = one.value("engagement_intake_transactions_total")
        self._resume_with(work)
        wait_until("it carries", lambda: one.value("engagement_intake_transactions_total") > done)

    def _resume_with(self, work: Callable[[], None]) -> None:
        """Let both begin with all that `work` sends."""
        for process in self.processes:
            process.pause()
        work()
        for process in self.processes:
            process.resume()

    def all_fenced(self) -> int:
        """Return the fencings so far, of killed processes and of both."""
        return self.fenced + sum(map(_fenced, self.processes))

    def _note_fenced(self, one: WorkerProcess) -> None:
        self.fenced += _fenced(one)


def _fenced(one: WorkerProcess) -> int:
    return round(one.value("engagement_intake_fenced_total"))


def expected(sent: dict[int, list[bytes]], foreign: str) -> tuple[Counter[str], Counter[str]]:
    """Return the origins of all events and of all dead letters, by the generator's own marks."""
    events: Counter[str] = Counter()
    letters: Counter[str] = Counter()
    for partition, values in sent.items():
        for offset, value in enumerate(values):
            origin = f"{foreign}/{partition}/{offset}/0"
            if b'"messageId": "broken' in value:
                letters[origin] += 1
            elif b'"type": "identify"' not in value:
                events[origin] += 1
    return events, letters


def run_faults(
    broker: KafkaServer,
    directory: Path,
    *,
    module: str,
    records: int,
    faults: int,
    more_stalls: int = 0,
) -> Outcome:
    """Run the faults, and up to `more_stalls` until a producer was fenced."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with Stand(broker.bootstrap, directory, partitions=PARTITIONS) as stand:
        running = Faults(stand, chance, module)
        sent: dict[int, list[bytes]] = {p: [] for p in range(PARTITIONS)}
        values = list(calls(records, SEED))
        share = records // (faults + more_stalls) // PARTITIONS
        first, second = running.processes
        first.start()
        wait_until("it carries", lambda: first.value("engagement_intake_partitions") == PARTITIONS)
        second.start()  # A rebalance between the two.
        for number in range(faults + more_stalls):
            running.wait_both()
            if number >= faults and running.all_fenced():
                break

            def work(number: int = number) -> None:
                for partition in range(PARTITIONS):
                    part = [values.pop() for _ in range(share)]
                    stand.send(partition, part, T0 + number * 1000)
                    sent[partition] += part

            if number >= faults or number % 4 == 3:
                running.stall(work)
            else:
                running.kill(work)
        stand.send(0, values, T0 + faults * 1000)
        sent[0] += values
        stand.wait_carried(120)
        running.wait_both()
        fenced = running.all_fenced()
        for one in running.processes:
            assert one.stop() == 0
        events, letters = expected(sent, stand.foreign)
        found = stand.written()
        origins = Counter(record.origin for record in found)
        refused = Counter(record.origin for record in stand.written(ledger=True))
        ids = Counter(
            record.value.partition(b'"event_id":"')[2].partition(b'"')[0] for record in found
        )
        assert len(ids) <= len(origins)
        lost = sum((events - origins).values()) + sum((letters - refused).values())
        doubled = sum((origins - events).values()) + sum((refused - letters).values())
        assert bool(doubled) or max(ids.values()) == 1
        by_key: dict[bytes | None, set[int]] = {}
        for record in found:
            by_key.setdefault(record.key, set()).add(record.partition)
        misplaced = sum(len(partitions) > 1 for partitions in by_key.values())
    return Outcome(lost, doubled, misplaced, fenced, running.kills, running.stalls)


def test_nothing_is_lost_or_doubled_through_kills_and_stalls(
    broker: KafkaServer, tmp_path: Path
) -> None:
    outcome = run_faults(
        broker, tmp_path, module="agents", records=300_000, faults=20, more_stalls=MORE_STALLS
    )
    print(outcome)
    assert (outcome.lost, outcome.doubled, outcome.misplaced) == (0, 0, 0)
    assert outcome.kills == 15
    assert outcome.stalls >= 5
    assert outcome.fenced, "no process was fenced"


def test_a_build_without_transactions_is_caught(broker: KafkaServer, tmp_path: Path) -> None:
    module = "tests.intake.broken_no_transactions"
    outcome = run_faults(broker, tmp_path, module=module, records=90_000, faults=6)
    print(outcome)
    assert outcome.doubled
