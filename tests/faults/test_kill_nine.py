"""Workers die by kill -9 while events flow, and every number stays exact."""

import os
import time
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.faults.scenario import Scenario
from tests.faults.traffic import DAY_MS, DEDUPE_SECONDS, Traffic
from tests.faults.witness import folded, replayed
from tests.servers.kafka_server import KafkaServer

FULL = os.environ.get("ENGAGE_FAULTS", "ci") == "full"
KILLS, EVENTS = (20, 300_000) if FULL else (12, 120_000)
SEED = 20
#: A checkpoint every 2 s, so that most kills destroy work. Metric records have tests of their own.
SETTINGS = {
    "DEDUPE_WINDOW_SECONDS": DEDUPE_SECONDS,
    "PUBLISH_CUT_SECONDS": "2",
    "PUBLISH_RECORDS_SECONDS": "30",
}


def start_ms() -> int:
    """Return a start so long ago that all event times are past, and silence closes every session at once."""
    return (time.time_ns() // 1_000_000 // DAY_MS - 20) * DAY_MS


def test_every_number_survives_kill_nine(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    records = list(Traffic(SEED, EVENTS, start_ms(), days=4).records())
    with Fleet(
        kafka.bootstrap, redis_url, tmp_path, module="tests.faults.witness",
        settings=SETTINGS,
    ) as fleet:  # fmt: skip
        scenario = Scenario(fleet, redis_url, records, SEED)
        evidence = scenario.run(scenario.mixed(kills=KILLS, freezes=1, flushes=1))
    print(evidence)
    assert evidence.differences == []
    # The faults happened and did damage: each met flowing traffic, and most of them a working
    # worker.
    assert len(evidence.lags) == KILLS
    assert all(lag > 0 for lag in evidence.lags)
    assert sum(lost > 0 for lost in evidence.destroyed) >= KILLS // 3
    assert replayed(folded(tmp_path / "folded.txt")) >= sum(evidence.destroyed) > 0


@pytest.mark.parametrize(
    ("module", "faults"),
    [("broken_no_cas", {"freezes": 1}), ("broken_no_guard", {"flushes": 1})],
)
def test_a_broken_build_is_caught(
    kafka: KafkaServer, redis_url: str, tmp_path: Path, module: str, faults: dict[str, int]
) -> None:
    """Run the same comparison with workers that lack one of the safeguards."""
    for round_number in range(3):
        seed = SEED + round_number
        records = list(Traffic(seed, 40_000, start_ms(), days=4).records())
        with Fleet(
            kafka.bootstrap, redis_url, tmp_path / str(seed), module=f"tests.faults.{module}",
            settings=SETTINGS,
        ) as fleet:  # fmt: skip
            scenario = Scenario(fleet, redis_url, records, seed)
            evidence = scenario.run(scenario.mixed(**faults), patience=20)
        print(round_number, len(evidence.differences), evidence.differences[:5])
        if evidence.differences:
            return
    pytest.fail(f"{module} was not noticed in three rounds")
