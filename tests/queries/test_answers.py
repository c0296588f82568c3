"""Answers of /api/query equal the numbers of a report over the same events."""

import json
import random
from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from agents.simulation.traffic import Traffic
from schemas.outputs import MetricRecord, WindowKind
from stream.metrics.ranges import over_days
from stream.report.file_report import Report
from stream.store.stored_counts import StoredCounts
from tests.queries.service import Service
from tests.upgrade.worker import PARTITIONS

DAY_MS = 86_400_000
END_MS = 1_790_000_000_000 // DAY_MS * DAY_MS + 50_000_000
FIRST, LAST = date(2026, 8, 7), date(2026, 9, 21)
SETTINGS = 'app = "queries"\ntimezone = "Europe/Berlin"\n'
Client = TestClient[Any, Any]


class Counted:
    """A service that has counted six weeks, and the lines of the events."""

    def __init__(self, service: Service, client: Client, lines: list[bytes]) -> None:
        self.service, self.client, self.lines = service, client, lines

    async def records(self, **parameters: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/query", params=_pairs(parameters))
        body = await answer.json()
        assert answer.status == 200, body
        return list(body["records"])

    async def refusal(self, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get("/api/query", params=_pairs(parameters))
        body: dict[str, Any] = await answer.json()
        assert answer.status == 422, body
        return body

    def reported(self, kinds: Iterable[WindowKind]) -> list[MetricRecord]:
        report = Report(self.service.worker.settings, END_MS, lambda bad: None)
        report.read("file", self.lines)
        return list(report.records((), tuple(kinds)))


def _pairs(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    given = {"from" if name == "begin" else name: value for name, value in parameters.items()}
    return [
        (name, str(one))
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]


@pytest.fixture
async def counted(redis_url: str, tmp_path: Path) -> AsyncIterator[Counted]:
    traffic = Traffic(11, rate_per_second=1.0)
    sent = [record.raw for record in traffic.history(45, END_MS, events_max=3_000)]
    sent.sort(key=lambda raw: json.loads(raw)["event_time"])
    async with Service(redis_url, tmp_path, SETTINGS) as service:
        for start in range(0, len(sent), 500):
            part = sent[start : start + 500]
            await service.count(part, json.loads(part[-1])["event_time"])
        # In silence, the sessions close.
        await service.count([], END_MS + 2 * DAY_MS)
        client = await service.client()
        yield Counted(service, client, sent)


def _key(record: Any) -> tuple[Any, ...]:
    found = record if isinstance(record, dict) else _plain(record)
    return (
        found["metric"],
        found["window"]["kind"],
        found["window"]["start"],
        tuple(sorted(found["dimensions"].items())),
    )


def _plain(record: MetricRecord) -> dict[str, Any]:
    return {
        "metric": record.metric,
        "window": {"kind": record.window.kind, "start": record.window.start},
        "dimensions": record.dimensions,
        "value": record.value,
        "numerator": record.numerator,
        "denominator": record.denominator,
    }


def _numbers(record: Any) -> tuple[Any, ...]:
    found = record if isinstance(record, dict) else _plain(record)
    return found["value"], found["numerator"], found["denominator"]


def _is_full(record: MetricRecord) -> bool:
    return bool(record.numerator or record.denominator)


@pytest.mark.parametrize("kind", ["day", "week", "month"])
async def test_every_metric_equals_the_report(counted: Counted, kind: WindowKind) -> None:
    """Also by every dimension; metrics that mature later are known further than a file reaches."""
    metrics = [
        m for m in counted.service.worker.metrics if kind in m.windows and not m.matures_days
    ]
    wanted = {_key(r): _numbers(r) for r in counted.reported([kind]) if _is_full(r)}
    names = {metric.name for metric in metrics}
    # What is known of windows after the last event is asked of later days.
    wanted = {k: n for k, n in wanted.items() if k[0] in names and k[2][:10] <= str(LAST)}
    found: dict[Any, Any] = {}
    for metric in metrics:
        for by in _dimensions(counted, metric):
            records = await counted.records(
                metric=metric.name, begin=FIRST, to=LAST, step=kind, by=by, window=kind
            )
            found |= {_key(r): _numbers(r) for r in records if r["numerator"] or r["denominator"]}
    assert len(wanted) > 500
    # A share of the whole site is 0 in a window without the segment, where the topic has no record.
    found = {key: n for key, n in found.items() if key in wanted or n[1]}
    assert found == wanted


def _dimensions(counted: Counted, metric: Any) -> Iterable[list[str]]:
    if metric.plain:
        yield []
        yield from ([name] for name in counted.service.worker.settings.dimensions)
    yield from (name.split("\x1f") for name in metric.by)


async def test_rolling_windows_equal_the_report(counted: Counted) -> None:
    """By the day, a metric without a number of the day has that of its window which ends there."""
    wanted = {
        _key(r): _numbers(r)
        for r in counted.reported(["trailing_28d"])
        if r.metric == "monthly_active_users" and _is_full(r)
    }
    for given in ({}, {"by": "country"}):
        found = await counted.records(
            metric="monthly_active_users", begin=FIRST, to=LAST, step="day", **given
        )
        assert {r["window"]["kind"] for r in found} == {"trailing_28d"}
        for record in found:
            assert wanted[_key(record)] == _numbers(record)
    assert len(wanted) > 300


async def test_a_range_is_the_sum_of_its_days(counted: Counted) -> None:
    """Over all days it is what a report says of everything, for metrics that add up."""
    every = {_key(r)[::3]: _numbers(r) for r in counted.reported(["all"]) if _is_full(r)}
    metrics = [m for m in counted.service.worker.metrics if over_days(m) and "all" in m.windows]
    assert len(metrics) > 10
    compared = 0
    for metric in metrics:
        for by in _dimensions(counted, metric):
            records = await counted.records(
                metric=metric.name, begin=FIRST - timedelta(7), to=LAST, step="all", by=by
            )
            for record in records:
                if record["numerator"] or record["denominator"]:
                    assert record["window"]["kind"] == "range"
                    assert _numbers(record) == pytest.approx(every[_key(record)[::3]])
                    compared += 1
    assert compared > 200


async def test_weeks_and_ranges_add_up_days(counted: Counted) -> None:
    """Any run of days of an additive metric has the sums of its days' parts."""
    rng = random.Random(5)
    for name in ("bounce_rate", "page_views", "session_duration", "new_visitors", "revenue"):
        days = await counted.records(metric=name, begin=FIRST, to=LAST, step="day", by="country")
        first = FIRST + timedelta(rng.randrange(20))
        last = first + timedelta(rng.randrange(2, 20))
        parts: dict[str, list[float]] = {}
        for record in days:
            if str(first) <= record["window"]["start"][:10] <= str(last):
                sums = parts.setdefault(record["dimensions"]["country"], [0, 0])
                sums[0] += record["numerator"]
                sums[1] += record["denominator"] or 0
        found = await counted.records(metric=name, begin=first, to=last, step="all", by="country")
        assert {r["dimensions"]["country"] for r in found} == set(parts)
        for r in found:
            sums = [r["numerator"], r["denominator"] or 0]
            assert sums == pytest.approx(parts[r["dimensions"]["country"]])


async def test_another_worker_answers_the_same(counted: Counted) -> None:
    worker = counted.service.worker
    other = counted.service.new_page(StoredCounts(worker.client, worker.store, PARTITIONS))
    client = await counted.service.client(other)
    asked = "/api/query?metric=bounce_rate,daily_active_users&step=day&by=country&from=2026-08-08"
    first, second = [await (await one.get(asked)).text() for one in (counted.client, client)]
    assert first == second
    assert len(first) > 10_000


async def test_csv_has_the_same_rows(counted: Counted) -> None:
    asked = {"metric": "bounce_rate", "by": "country", "from": "2026-09-01"}
    records = await counted.records(metric="bounce_rate", by="country", begin="2026-09-01")
    for given, headers in (({"format": "csv"}, {}), ({}, {"Accept": "text/csv"})):
        answer = await counted.client.get("/api/query", params=asked | given, headers=headers)
        assert answer.content_type == "text/csv"
        rows = (await answer.text()).splitlines()
        assert rows[0].startswith("metric,site,dimension,dimension_value,window,start,end")
        assert len(rows) == len(records) + 1
        assert rows[1].split(",")[3] == records[0]["dimensions"]["country"]


async def test_where_takes_one_value_and_limit_the_largest(counted: Counted) -> None:
    every = await counted.records(metric="bounce_rate", by="country", step="all", begin=FIRST)
    one = await counted.records(metric="bounce_rate", where="country=DE", step="all", begin=FIRST)
    assert one == [r for r in every if r["dimensions"] == {"country": "DE"}]
    largest = await counted.records(
        metric="bounce_rate", by="country", step="all", begin=FIRST, limit=2
    )
    by_size = sorted(every, key=lambda r: -r["denominator"])[:2]
    assert sorted(map(str, largest)) == sorted(map(str, by_size))


async def test_open_windows_are_not_final(counted: Counted) -> None:
    records = await counted.records(metric="page_views", step="day", begin=LAST)
    assert [r["is_final"] for r in records] == [True, True, False]
    assert [r["value"] > 0 for r in records] == [True, False, False]
