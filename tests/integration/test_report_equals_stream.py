"""`engage report --as-log` over a file and two workers on Kafka with a crash give the same records."""

import gzip
import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.simulation.traffic import Traffic
from schemas.outputs import MetricRecord, WindowKind, record_key
from stream.metrics.catalogue import catalogue
from stream.report.file_report import Report
from stream.report.periods import Complete
from stream.settings.application import Settings
from tests.conftest import IN_CI
from tests.faults.fleet import PARTITIONS, REPOSITORY, Fleet, Record
from tests.faults.topics import NewestRecords
from tests.faults.worker_process import TimedOut, wait_until
from tests.servers.kafka_server import KafkaServer

KINDS: tuple[WindowKind, ...] = ("hour", "day", "week", "month", "trailing_7d", "trailing_28d")
DAY_MS = 86_400_000
CASES = Path(os.environ.get("ENGAGE_CASES", REPOSITORY.parent / "shared" / "cases"))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def simulated() -> list[Record]:
    """Return weeks with a few sessions a day, and half an hour with duplicates, late and malformed events."""
    traffic, end_ms = Traffic(7, rate_per_second=1.0), now_ms() - 20 * DAY_MS
    sent = list(traffic.history(45, end_ms, events_max=3_000))
    sent += traffic.between(end_ms, end_ms + 30 * 60_000)
    assert {one.flaw for one in sent} == {"", "duplicate", "late", "malformed"}
    return [Record(s.role, zlib.crc32(s.key) % PARTITIONS, s.key, s.raw) for s in sent]


def reported(settings: Settings, lines: Iterable[bytes], partitions: int = 1) -> list[MetricRecord]:
    """Return the records of a report over a file with these lines.

    In the silence after them the watermark of the stream is the wall clock, so they are complete to now.
    """
    report = Report(settings, now_ms(), lambda bad: None, partitions=partitions)
    report.read("file", lines)
    until = Complete(datetime.fromtimestamp(now_ms() / 1000, UTC))
    return list(report.records((), KINDS, until))


def numbers(record: MetricRecord) -> tuple[Any, ...]:
    return record.value, record.numerator, record.denominator


def differences(
    settings: Settings, wanted_records: Iterable[MetricRecord], newest: Mapping[bytes, MetricRecord]
) -> list[str]:
    """Return one line for each number that a consumer of the metric topic has wrong, lacks or invents."""
    held = {key: r for key, r in newest.items() if r.window.kind in KINDS}
    expected = {record_key(record): record for record in wanted_records}
    wrong = []
    for key, record in expected.items():
        found = held.get(key)
        end = datetime.fromisoformat(str(record.window.end)).timestamp() * 1000
        if found is None:
            # An open window may be unpublished; the end of a file ends every window.
            wrong += [f"missing: {record}"] if end < now_ms() else []
        elif numbers(found) != numbers(record):
            wrong.append(f"{key!r}: reported {numbers(record)}, published {numbers(found)}")
        elif not found.is_final and end < now_ms() - 400_000:
            wrong.append(f"not final: {found}")
    # In the silence after the last event cohorts continue to mature; the end of a file is no
    # silence.
    maturing = {metric.name for metric in catalogue(settings) if metric.matures_days}
    # Windows after the last event are published only while they are current.
    wrong += [
        f"invented: {found}"
        for key, found in held.items()
        if key not in expected
        and found.is_final
        and (found.numerator or found.denominator)
        and found.metric not in maturing
    ]
    return wrong


def wait_equal(fleet: Fleet, wanted_records: list[MetricRecord]) -> NewestRecords:
    """Wait until the metric topic holds exactly the reported numbers; return its newest records."""
    wrong: list[str] = []
    newest = NewestRecords(fleet.settings)

    def is_equal() -> bool:
        newest.read_on()
        wrong[:] = differences(fleet.settings, wanted_records, newest.held)
        return not wrong

    try:
        wait_until("the metric topic holds the reported numbers", is_equal, 240)
    except TimedOut:
        pytest.fail(
            f"{len(wrong)} of {len(wanted_records)} numbers differ:\n" + "\n".join(wrong[:20])
        )
    return newest


def test_the_metric_topic_holds_the_numbers_of_a_report(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    records = simulated()
    # Seven weeks are read within seconds: their hours must be kept until they are published.
    with Fleet(
        kafka.bootstrap, redis_url, tmp_path, settings={"TIME_HOUR_RETENTION_DAYS": "60"}
    ) as fleet:
        fleet.create_topics().start()
        for part in halves(fleet, records):
            fleet.produce(part)
        fleet.wait_counted()
        wanted_records = reported(fleet.settings, (record.value or b"" for record in records))
        assert {r.window.kind for r in wanted_records} == set(KINDS)
        wait_equal(fleet, wanted_records)


def halves(fleet: Fleet, records: list[Record]) -> Iterator[list[Record]]:
    """Yield all records in two parts; a worker dies in the middle of the first part."""
    half = len(records) // 2
    yield records[:half]
    fleet.flush()
    wait_until("the workers have counted something", lambda: fleet.lag() < half)
    fleet.workers[0].kill9()
    yield records[half:]
    fleet.workers[0].start()


def case(name: str) -> Path:
    """Return the folder of real events with known answers, which lie outside the project."""
    folder = CASES / name
    if not folder.is_dir():
        text = f"the case is not at {folder}; ENGAGE_CASES names the directory of the cases"
        pytest.fail(text) if IN_CI else pytest.skip(text)
    return folder


@pytest.mark.parametrize(("name", "events"), [
    ("retentioneering", 31_106), ("cdnow-lifetimes", 6_919),
])  # fmt: skip
def test_real_shops_give_the_same_numbers_as_their_reports(
    kafka: KafkaServer, redis_url: str, tmp_path: Path, name: str, events: int
) -> None:
    file = case(name) / "events.jsonl.gz"
    with gzip.open(file) as source:
        lines = source.readlines()
    # A year and a half is read within seconds: all of it must be kept until it is published.
    kept = {"TIME_HOUR_RETENTION_DAYS": "700", "TIME_DAY_RETENTION_DAYS": "700"}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=kept) as fleet:
        fleet.create_topics().start()
        fleet.command("replay", str(file))
        fleet.note_sent()
        assert sum(fleet.sent.values()) == len(lines) == events
        fleet.wait_counted()
        # Two hundred thousand records are computed and sent.
        wait_equal(fleet, reported(fleet.settings, lines))


def test_real_page_views_give_the_known_numbers(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    reconstructr = case("reconstructr")
    file = reconstructr / "events.jsonl.gz"
    expected = json.loads((reconstructr / "expected.json").read_text())
    with gzip.open(file) as source:
        lines = source.readlines()
    with Fleet(
        kafka.bootstrap, redis_url, tmp_path, settings={"PAGES_VALUES_MAX": "5000"}
    ) as fleet:
        fleet.create_topics().start()
        fleet.command("replay", str(file))
        fleet.note_sent()
        assert sum(fleet.sent.values()) == len(lines) == 63_524
        wait_until("the workers have counted something", lambda: fleet.lag() < len(lines))
        fleet.workers[1].kill9()
        assert fleet.lag() > 0
        fleet.workers[1].start()
        fleet.wait_counted()
        newest = wait_equal(fleet, reported(fleet.settings, lines))

        def is_published() -> bool:
            newest.read_on()
            return of_everything(newest.held.values()) == KNOWN

        try:
            # Windows over all time never end; they are published in turn.
            wait_until("the totals are published", is_published, 240)
        except TimedOut:
            assert of_everything(newest.held.values()) == KNOWN
        held = newest.held.values()
    active = {r.window.start: r.value for r in held if r.metric == "daily_active_users" and r.value}
    assert active == {
        f"{day}T00:00:00Z": n for day, n in expected["recomputed_here"]["dau"].items()
    }


#: Known answers about the page views.
KNOWN = {
    "sessions": 22_224,
    "bounced": 13_138,
    "visitors": 10_000,
    "pages_per_session": 2.8584,
    "session_duration": 272.38,
}


def of_everything(records: Iterable[MetricRecord]) -> dict[str, float | None]:
    """Return the same numbers from published records."""
    whole = {record.metric: record for record in records if record.window.kind == "all"}
    if not whole:
        return {}
    return {
        "sessions": whole["sessions"].value,
        "bounced": whole["bounce_rate"].numerator,
        "visitors": whole["unique_visitors"].value,
        "pages_per_session": round(whole["pages_per_session"].value or 0, 4),
        "session_duration": round(whole["session_duration"].value or 0, 2),
    }
