"""The page of the intake has every family, and /readyz says what is wrong."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from stream.intake.families import FAMILIES, PREFIX
from stream.intake.status import Status
from stream.intake.telemetry import Telemetry
from stream.rekey.alignment import PATIENCE_MS, Alignment
from stream.rekey.counts import SourceCounts

PLACE = TopicPartition("foreign", 1)


def lane(problem: str = "") -> Any:
    return SimpleNamespace(place=PLACE, problem=problem, is_held=False)


@pytest.fixture
def intake() -> Any:
    status = Status(rebalances=1)
    counts = SourceCounts(mapped=2, events=3)
    counts.ignore("none", "no rule for type = odd")
    counts.ignore("rule 3", "says who somebody is")
    status.add({"web": counts})
    alignment: Alignment[TopicPartition] = Alignment()
    alignment.note(PLACE, 7, 1_000, is_behind=True, now_ms=1 << 60)
    return SimpleNamespace(
        status=status,
        alignment=alignment,
        group=SimpleNamespace(lanes={PLACE: lane()}),
        watch=SimpleNamespace(lag={PLACE: 5}),
    )


def test_the_page_has_every_family_with_its_labels(intake: Any) -> None:
    page, content_type = Telemetry(intake).render("")
    assert content_type.startswith("text/plain")
    families = {f.name: f for f in text_string_to_metric_families(page.decode())}
    own = {name.removeprefix(PREFIX) for name in families if name.startswith(PREFIX)}
    assert own == FAMILIES.keys()
    for name, family in FAMILIES.items():
        samples = families[PREFIX + name].samples
        assert samples
        assert {frozenset(sample.labels) for sample in samples} == {frozenset(family.labels)}


def failing(intake: Any) -> dict[str, str]:
    return {name: text for name, text in Telemetry(intake).checks().items() if text}


def test_it_is_ready_while_it_can_commit(intake: Any) -> None:
    assert failing(intake) == {}
    intake.group.lanes = {PLACE: lane("cannot commit: KafkaTimeoutError()")}
    assert failing(intake) == {"commit": "foreign/1: cannot commit: KafkaTimeoutError()"}


def test_it_is_not_ready_before_it_is_a_member(intake: Any) -> None:
    intake.status.rebalances = 0
    assert failing(intake) == {"group": "not a member yet"}


def test_it_names_a_source_that_maps_nothing(intake: Any) -> None:
    counts = SourceCounts(ignored=10_000)
    counts.unmatched.update({"no rule for type = odd": 9_000, "no rule for type = rare": 1_000})
    intake.status.sources["crm"] = counts
    text = failing(intake)["mapping"]
    assert text.startswith("crm: no event in 10000 records; most are no rule for type = odd (9000)")


def test_it_names_a_partition_that_is_stuck(intake: Any) -> None:
    intake.alignment.heads[PLACE].moved_ms = -2 * PATIENCE_MS
    assert failing(intake) == {"progress": "foreign/1 is not read"}


def test_it_says_why_it_was_halted(intake: Any) -> None:
    intake.status.halted = "other partitions"
    assert failing(intake) == {"input partitions": "other partitions"}
