"""Queries without an exact answer are refused, and the refusal says what is possible."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from stream.web import query_routes
from tests.queries.service import Service

DAY_MS = 86_400_000
#: Noon of Wednesday 2026-11-04 in UTC.
NOW_MS = 1_793_793_600_000
SETTINGS = 'app = "refusals"\ntimezone = "Europe/Berlin"\n'
Client = TestClient[Any, Any]


def view(number: int, site: str = "shop", days_ago: float = 0.0) -> dict[str, Any]:
    return {
        "type": "page_view", "event_id": f"e{number}", "visitor_id": f"v{number % 7}",
        "event_time": NOW_MS - int(days_ago * DAY_MS), "site": site, "context": {"country": "DE"},
        "page_url": f"https://example.org/{number % 3}",
    }  # fmt: skip


@pytest.fixture
async def service(redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with Service(redis_url, tmp_path, SETTINGS) as service:
        events = [view(number, days_ago=40 - number) for number in range(40)]
        await service.count([*events, view(41, "blog")], NOW_MS)
        yield service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    client = await service.client()
    yield client


@pytest.mark.parametrize(("query", "text", "possible"), [
    ("metric=bounce_rat", "did you mean bounce_rate?", "metric"),
    ("", "`metric` is missing", "metric"),
    ("metrics=page_views", "did you mean metric?", "parameter"),
    ("metric=page_views&country=DE", "write where=country=VALUE", "parameters"),
    ("metric=page_views&step=days", "did you mean day?", "step"),
    ("metric=page_views&step=day&step=week", "step is given more than once", None),
    ("metric=page_views&site=shopp", "did you mean shop?", "site"),
    ("metric=page_views&by=contry", "did you mean country?", "dimension"),
    ("metric=page_views&where=country", "where=country has no value", None),
    ("metric=page_views&where=country=DE&where=country=FR", "two values of country", None),
    ("metric=page_views&window=weekly", "unknown window", "window"),
    ("metric=page_views&limit=0", "limit=0 is not a number of values", None),
    ("metric=page_views&format=xml", "unknown format", "format"),
    ("metric=page_views&from=yesterday", "from=yesterday is not a time", "from"),
    ("metric=page_views&from=2026-13-01", "from=2026-13-01 is not a time", "from"),
    ("metric=page_views&from=2026-11-01T00:00:00", "is not a time", "from"),
    ("metric=page_views&to=0001-01-01", "is not a time", "to"),
    ("metric=page_views&from=2026-11-03&to=2026-11-01", "the range is empty", None),
    ("metric=page_views&from=2027-01-01&to=2027-02-01", "nothing is known of that time yet", "to"),
    ("metric=page_views&from=2024-01-01", "time.day_retention_days", "from"),
    ("metric=page_views&from=2026-09-20&step=hour", "time.hour_retention_days", "from"),
    ("metric=page_views&step=all&from=2026-11-01T12:00:00Z", "from is within one", "from"),
    ("metric=unique_visitors&step=all", "does not add up over days", "step"),
    ("metric=daily_active_users&step=week", "the length of its own window", "step"),
    ("metric=unique_visitors&step=hour", "is not counted by the hour", "step"),
    ("metric=page_views&window=trailing_7d", "has no window trailing_7d", "window"),
    ("metric=monthly_active_users&window=trailing_28d&step=hour", "has no window", "window"),
    ("metric=page_views_per_page", "no number for the whole site", "by"),
    ("metric=page_views_per_page&by=country", "is not available by country", "by"),
    ("metric=page_views&by=country,device", "is not available by country, device", "by"),
    ("metric=page_views&by=plan", "unknown dimension 'plan'", "dimension"),
])  # fmt: skip
async def test_refused_with_what_is_possible(
    client: Client, query: str, text: str, possible: str | None
) -> None:
    answer = await client.get(f"/api/query?{query}")
    body = await answer.json()
    assert answer.status == 422, body
    assert text in body["error"]
    assert (possible in body["possible"]) if possible else True
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_people_over_a_range_that_a_window_covers(client: Client) -> None:
    """Distinct people of exactly a month or 28 days are counted; of other ranges they are not."""
    month = "/api/query?metric=unique_visitors&step=all&from=2026-10-01&to=2026-10-31"
    people = await (await client.get(month)).json()
    assert [record["value"] for record in people["records"]] == [7]
    assert people["records"][0]["window"] == {
        "kind": "range", "start": "2026-10-01T00:00:00+02:00", "end": "2026-11-01T00:00:00+01:00",
        "timezone": "Europe/Berlin",
    }  # fmt: skip
    days = "/api/query?metric=monthly_active_users&step=all&from=2026-10-04&to=2026-10-31"
    assert (await (await client.get(days)).json())["records"][0]["value"] == 7
    body = await (await client.get(days.replace("10-04", "10-05"))).json()
    assert body["possible"]["window"] == ["trailing_28d"]
    assert body["possible"]["step"] == ["day"]


async def test_too_many_rows_are_refused_with_the_bound(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.publish.query.ROWS_MAX", 2)
    body = await (await client.get("/api/query?metric=page_views&by=country&step=day")).json()
    assert body["possible"]["rows_max"] == 2
    monkeypatch.setattr("stream.store.stored_counts.COUNTS_MAX", 2)
    body = await (await client.get("/api/query?metric=unique_visitors&by=country&step=day")).json()
    assert body["possible"]["counts_max"] == 2


async def test_defaults_are_the_largest_site_and_the_last_thirty_days(client: Client) -> None:
    body = await (await client.get("/api/query?metric=page_views")).json()
    assert body["site"] == "shop"
    assert body["timezone"] == "Europe/Berlin"
    assert (body["from"], body["to"]) == ("2026-10-06T00:00:00+02:00", "2026-11-05T00:00:00+01:00")
    assert len(body["records"]) == 30


async def test_instants_are_widened_to_whole_windows(client: Client) -> None:
    """An instant may be epoch ms, and its plus sign a space, as an address has it."""
    for begin in ("2026-10-31T22:30:00Z", "2026-10-31T23:30:00 01:00", "1793485800000"):
        answer = await client.get(
            "/api/query", params={"metric": "page_views", "from": begin, "to": "2026-11-01"}
        )
        body = await answer.json()
        assert [r["window"]["start"][:10] for r in body["records"]] == ["2026-10-31", "2026-11-01"]


async def test_what_is_left_out_is_said(client: Client) -> None:
    later = "/api/query?metric=page_views,retention_d7&from=2026-10-20&to=2026-11-20"
    body = await (await client.get(later)).json()
    assert any("nothing is known after" in note for note in body["notes"])
    assert any("retention_d7 is known 7 days after" in note for note in body["notes"])
    views = [r for r in body["records"] if r["metric"] == "page_views"]
    assert len(views) == (date(2026, 11, 4) - date(2026, 10, 20)).days + 1


async def test_too_many_queries_at_a_time_come_back_later(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_routes, "WAITING_MAX", -2)
    answer = await client.get("/api/query?metric=page_views")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    monkeypatch.undo()
    service.snapshot = None
    answer = await client.get("/api/query?metric=page_views")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
