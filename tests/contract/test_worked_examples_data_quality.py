"""Worked examples of data quality: twelve records through engine, publisher and page."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Snapshot
from stream.settings.application import Settings
from stream.web.data_quality import DATA_QUALITY, DataQuality
from stream.web.exporter import Exporter, SnapshotCollector
from stream.worker.publisher import Publisher
from tests.contract.test_worked_examples import NOON_MS
from tests.properties.engine import EVERYONE, LogRecord, Worker
from tests.properties.publishers import StoredState, with_dated_store
from tests.staleness import LIVE

MINUTE_MS, DAY_MS = 60_000, 86_400_000
SETTINGS = Settings(dimensions=("country",), dimension_values_max=1)
END_MS = NOON_MS + 2 * DAY_MS + 30 * MINUTE_MS


def seen(number: int, minute: int, country: str = "", **fields: Any) -> bytes:
    context = {"context": {"country": country}} if country else {}
    event = {"type": "page_view", "event_id": f"e{number}", "visitor_id": f"v{number}"}
    return json.dumps(
        event | {"event_time": NOON_MS + minute * MINUTE_MS} | context | fields
    ).encode()


#: In the order of arrival; the last two come after the first two days were published as final.
RECORDS = [
    seen(0, 0, "DE"),
    seen(1, 5, "FR"),
    seen(0, 0, "DE"),
    b"not json",
    b'{"type": "page_view",',
    seen(2, 365 * 1440),
    seen(3, 7, is_bot=True),
    seen(4, 10, "FR"),
    seen(5, 2 * 1440, "DE"),
    seen(6, 2 * 1440 + 30),
    seen(7, 30),
    seen(8, 1440 + 60),
]


@pytest.fixture(scope="module")
def page() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the value of each sample of a worker that has read all twelve records."""
    log = [LogRecord(n, END_MS, raw) for n, raw in enumerate(RECORDS)]
    worker = with_dated_store(Worker(0, {"events": log}, SETTINGS, EVERYONE, END_MS))
    [views] = [metric for metric in catalogue(SETTINGS) if metric.name == "page_views"]
    state: Any = StoredState([worker])
    publisher = Publisher(
        state,
        [replace(views, windows=("day",))],
        build_rules(SETTINGS),
        definition_version(SETTINGS),
    )
    snapshots: list[Snapshot] = []
    for count in (10, 2):
        worker.read("events", count)
        worker.close()
        worker.checkpoint()
        snapshots.append(asyncio.run(publisher.refresh(END_MS)))
        assert list(publisher.due_records(snapshots[-1]))
    snapshots.append(asyncio.run(publisher.refresh(END_MS)))
    collector = SnapshotCollector([views], lambda: snapshots[-1], LIVE, tuple)
    text = Exporter(collector).render("text/plain")[0].decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in DATA_QUALITY])
def test_the_example_gives_its_number(one: DataQuality, page: dict[Any, float]) -> None:
    series = f"engagement_{one.series}", frozenset(one.labels.items())
    assert page[series] == pytest.approx(one.example.value)


def test_every_record_is_accounted_for(page: dict[Any, float]) -> None:
    outcomes = {
        dict(labels)["outcome"]: value
        for (name, labels), value in page.items()
        if name == "engagement_records_total"
    }
    assert outcomes == {"applied": 7, "rejected": 3, "duplicate": 1, "late": 1, "skipped": 0}
    assert sum(outcomes.values()) == len(RECORDS)
