"""Stages of the pipeline on the live page agree with the reasons why numbers are not live."""

from types import SimpleNamespace
from typing import Any

import pytest

from stream.publish.staleness import Stale
from stream.web.live_alerts import AlertWatch
from stream.web.live_pipeline import Pipeline
from stream.worker.clock import now_ms


def states(seen_ms: int, *stale: Stale) -> dict[str, tuple[str, str]]:
    """Return state and text of each stage, with a shard last read at `seen_ms`."""
    shard = SimpleNamespace(topics={"clicks": SimpleNamespace(next=5)})
    owner: Any = SimpleNamespace(
        assigned_shards={0: SimpleNamespace(partition=0, shard=shard)},
        problem="",
        counts=SimpleNamespace(checkpoints=1),
    )
    log: Any = SimpleNamespace(read_to=lambda _: (5, seen_ms))
    telemetry: Any = SimpleNamespace(redis_memory={"r1": SimpleNamespace(used=1)})
    pipeline = Pipeline(owner, log, telemetry, AlertWatch(""), lambda: 1.0, 30, lambda: [*stale])
    return {stage.name: (stage.state, stage.text) for stage in pipeline.stages()}


def test_all_stages_work_while_no_reason_holds() -> None:
    found = states(now_ms())
    assert [found[name][0] for name in ("Kafka", "Worker", "Redis")] == ["ok", "ok", "ok"]


@pytest.mark.parametrize(("stage", "reason"), [("Kafka", "broker_away"), ("Redis", "redis_away")])
def test_a_stage_is_bad_for_the_reason_that_is_shown_elsewhere(stage: str, reason: str) -> None:
    assert states(now_ms(), Stale(reason, 1, "no answer"))[stage] == ("bad", "no answer")


def test_a_kafka_that_answers_is_not_blamed_for_batches_that_wait() -> None:
    found = states(now_ms() - 60_000, Stale("redis_away", 1, "no answer"))
    assert found["Kafka"][0] == "waiting"
