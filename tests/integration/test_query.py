"""Workers on Kafka and Redis answer queries for any period as a report over the same events does."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from schemas.outputs import MetricRecord
from stream.metrics.catalogue import catalogue
from stream.metrics.ranges import over_days
from tests.faults.fleet import Fleet, Record
from tests.faults.worker_process import wait_until
from tests.integration.test_report_equals_stream import now_ms, reported, simulated
from tests.queries.infinity import panels, table
from tests.servers.kafka_server import KafkaServer

DAY_MS = 86_400_000
SECONDS = 30


class Counted:
    """Two workers that have counted weeks of events while they were asked without a pause."""

    def __init__(self, fleet: Fleet, records: list[Record]) -> None:
        self.fleet = fleet
        lines = (record.value or b"" for record in records)
        self.reported = list(reported(fleet.settings, lines))
        days = [str(r.window.start)[:10] for r in self.reported if r.metric == "page_views"]
        self.first, self.last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
        self.answers_under_load = 0

    def get(self, path: str, worker: int = 0) -> str:
        address = f"http://127.0.0.1:{self.fleet.workers[worker].port}{path}"
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def records(self, worker: int = 0, **parameters: Any) -> list[dict[str, Any]]:
        given = {"from": self.first, "to": self.last, **parameters}
        return list(json.loads(self.get(f"/api/query?{urlencode(given)}", worker))["records"])


@pytest.fixture(scope="module")
def counted(
    kafka: KafkaServer, redis_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counted]:
    records = simulated()
    directory = tmp_path_factory.mktemp("query")
    kept = {"TIME_HOUR_RETENTION_DAYS": "70"}
    with Fleet(kafka.bootstrap, redis_server.url, directory, settings=kept) as fleet:
        fleet.create_topics().start()
        found = Counted(fleet, records)
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.is_set():
                try:
                    found.get("/api/query?metric=bounce_rate,mrr&by=country&step=day")
                    found.answers_under_load += 1
                except OSError:  # Nothing is counted yet.
                    is_over.wait(0.05)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            part = len(records) // 20
            for start in range(0, len(records), part):
                fleet.produce(records[start : start + part])
                fleet.flush()
                answers = found.answers_under_load
                wait_until("a query is answered", lambda: found.answers_under_load > answers)  # noqa: B023
            fleet.wait_counted()
        finally:
            is_over.set()
            asking.join()
        yield found


def numbers(record: Any) -> tuple[Any, ...]:
    if isinstance(record, MetricRecord):
        return record.value, record.numerator, record.denominator
    return record["value"], record["numerator"], record["denominator"]


def test_queries_during_the_counting_disturb_nothing(counted: Counted) -> None:
    assert counted.answers_under_load >= 20
    for worker in counted.fleet.workers:
        page = worker.page() or {}
        assert page["engagement_unaccounted_records", frozenset()] == 0


@pytest.mark.parametrize("kind", ["hour", "day", "week", "month"])
def test_answers_equal_the_report(counted: Counted, kind: str) -> None:
    """Of whole sites and by country, for every metric that has the window and does not mature later."""
    metrics = {
        metric.name
        for metric in catalogue(counted.fleet.settings)
        if kind in metric.windows and metric.plain and not metric.matures_days
    }
    compared = 0
    for by in ("", "country"):
        wanted = {
            (r.metric, r.window.start, r.dimensions.get("country")): numbers(r)
            for r in counted.reported
            if r.window.kind == kind and r.dimensions.keys() == {by} - {""} and r.metric in metrics
            if r.numerator and str(r.window.start)[:10] <= str(counted.last)
            if str(r.window.end) > f"{counted.first}T00:00:00Z"
        }
        found = {}
        for name in metrics:
            if kind == "hour" and by:
                continue  # Too many rows for one answer.
            for record in counted.records(metric=name, step=kind, by=by, window=kind):
                place = record["window"]["start"], record["dimensions"].get("country")
                found[name, *place] = numbers(record)
        found = {key: numbers for key, numbers in found.items() if numbers[1]}
        if found:
            assert found == wanted
            compared += len(found)
    assert compared > 50


def test_ranges_are_the_sums_of_their_days(counted: Counted) -> None:
    additive = [m for m in catalogue(counted.fleet.settings) if over_days(m) and m.plain]
    for metric in additive:
        if "day" not in metric.windows or metric.level or metric.matures_days:
            continue
        (record,) = counted.records(metric=metric.name, step="all")
        days = [
            r
            for r in counted.reported
            if r.metric == metric.name and r.window.kind == "day" and not r.dimensions
            if str(counted.first) <= str(r.window.start)[:10] <= str(counted.last)
        ]
        if not metric.approximate and "Level" not in repr(metric):
            assert record["numerator"] == pytest.approx(sum(r.numerator or 0 for r in days))
            if metric.denominator is not None and "Has(" not in repr(metric.denominator):
                assert record["denominator"] == pytest.approx(sum(r.denominator or 0 for r in days))


def test_both_workers_give_the_same_answer(counted: Counted) -> None:
    for parameters in (
        {"metric": "bounce_rate", "by": "country"},
        {"metric": "monthly_active_users"},
        {"metric": "page_views_per_page", "by": "page", "step": "all", "limit": 5},
        {"metric": "mrr", "step": "month"},
    ):
        first, second = (counted.records(worker, **parameters) for worker in (0, 1))
        assert first
        for record in (*first, *second):
            # The publisher's revision and watermark move on from one second to the next.
            del record["revision"], record["watermark"]
        assert first == second


def test_the_command_prints_what_a_worker_answers(counted: Counted) -> None:
    port = counted.fleet.workers[1].port
    shown = counted.fleet.command(
        "query", "bounce_rate", "--from", str(counted.first), "--to", str(counted.last),
        "--step", "week", "--by", "country", "--url", f"http://127.0.0.1:{port}",
    )  # fmt: skip
    records = counted.records(metric="bounce_rate", step="week", by="country")
    assert shown.count("country = ") == len(records) > 10
    assert f"{records[0]['value']:.2%}" in shown


@pytest.mark.parametrize("title", ["Bounce rate by day", "Daily active users by country"])
def test_panels_of_history_in_grafana(counted: Counted, title: str) -> None:
    async def get(address: str) -> str:
        return await asyncio.to_thread(counted.get, address)

    metric = {"Bounce rate by day": "bounce_rate"}.get(title, "daily_active_users")
    end_ms = now_ms() - 19 * DAY_MS
    rows = asyncio.run(table(panels()[title], get, end_ms - 40 * DAY_MS, end_ms, site=""))
    wanted = {
        (datetime.fromisoformat(str(r.window.start)), r.dimensions.get("country")): r.value
        for r in counted.reported
        if r.metric == metric and r.window.kind == "day" and r.dimensions.keys() <= {"country"}
    }
    assert len(rows) >= 20
    for row in rows:
        if row["value"]:
            assert row["value"] == wanted[row["time"], row.get("country")]
