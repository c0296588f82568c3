"""State of the live page: headlines with earlier values, tops, counts, and its addresses."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from schemas.codec import parse
from schemas.rejection import Reason, RejectedEvent
from stream.configure.load import SettingsError, load_settings
from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.metrics.catalogue import catalogue
from stream.publish.headlines import HEADLINES, previous_gauges
from stream.publish.merged_counts import MergedCounts
from stream.publish.snapshot import (
    Count,
    Gauge,
    HeavyPerson,
    Snapshot,
    decode_snapshot,
    encode_snapshot,
)
from stream.settings.application import Settings
from stream.web.exporter import Exporter, SnapshotCollector
from stream.web.live import HISTORY_MAX, ROWS_MAX, SITES_MAX, LiveNumbers
from stream.web.live_alerts import RESOLVED_SECONDS, AlertWatch
from stream.web.live_pipeline import Pipeline
from stream.web.live_routes import LivePages
from tests.staleness import LIVE

METRICS = catalogue(Settings())
UTC = Calendar()
DAY = 738_946  # 2024-03-01
NASTY = "<script>\ud800\u202e\u0000"


def snapshot(taken_ms: int, *gauges: Gauge, events: int = 0, site: str = "default") -> Snapshot:
    return Snapshot(
        taken_ms=taken_ms, newest_ms=taken_ms, watermark_ms=None, revision=1, gauges=list(gauges),
        counts=[Count("events", site, events), Count("page_views", site, events // 2)],
        outcomes={"applied": events, "late": events // 10}, reasons={}, unaccounted=0, shards=[],
    )  # fmt: skip


def live(value: float, site: str = "default") -> Gauge:
    return Gauge("live_visitors", "trailing_5m", site, "", "", value)


@pytest.fixture
def numbers() -> LiveNumbers:
    return LiveNumbers(METRICS, ("country",))


def test_every_headline_is_in_the_catalogue(numbers: LiveNumbers) -> None:
    assert [shown.title for shown in numbers.shown] == [headline.title for headline in HEADLINES]


def test_headlines_have_their_earlier_value_and_null_if_missing(
    numbers: LiveNumbers,
) -> None:
    assert numbers.state() is None
    now = snapshot(1000, live(7))
    numbers.note(Snapshot(**{**_fields(now), "previous": [live(3)]}))
    state = numbers.state()
    assert state is not None
    [site] = state["sites"]
    assert (site["site"], site["now"][:2], site["before"][:2]) == ("default", [7, None], [3, None])


def test_history_keeps_one_entry_per_snapshot_and_is_bounded(numbers: LiveNumbers) -> None:
    for number in range(HISTORY_MAX + 50):
        assert numbers.note(snapshot(number, live(number)))
        assert not numbers.note(snapshot(number, live(number)))
    history = numbers.history()
    assert len(history["taken_ms"]) == HISTORY_MAX
    assert history["sites"]["default"][0][-1] == HISTORY_MAX + 49


def test_counts_are_the_difference_of_two_snapshots(numbers: LiveNumbers) -> None:
    numbers.note(snapshot(1000, events=100))
    numbers.note(snapshot(3000, events=140))
    [tick] = numbers.history()["ticks"]
    assert tick["seconds"] == 2
    assert tick["counted"] == {"events": 40, "page_views": 20, "late": 4}
    # Counting restarted: no negative count is shown.
    numbers.note(snapshot(4000, events=5))
    assert numbers.history()["ticks"][-1]["counted"] == {}


def test_every_record_is_accounted_for(numbers: LiveNumbers) -> None:
    counts = [
        Count("bot_events", "a", 2), Count("bot_events", "b", 1), Count("unmatched_events", "a", 4),
    ]  # fmt: skip
    outcomes = {"applied": 100, "rejected": 7, "duplicate": 2, "late": 3, "skipped": 9}
    # Late events are not among the reasons if they leave no dead letter.
    reasons = {"malformed": 4, "future": 2, "currency": 1, "duplicate": 2}
    fields = {"counts": counts, "outcomes": outcomes, "reasons": reasons}
    numbers.note(Snapshot(**{**_fields(snapshot(1000)), **fields}))
    found = cast(dict[str, Any], numbers.state())["accounting"]
    assert (found["lines"], found["counted"]) == (112, 93)
    assert found["left_out"] == {
        "no event": 4, "duplicate": 2, "late": 3, "future": 2, "other currency": 1, "bot": 3,
        "unmatched": 4,
    }  # fmt: skip
    assert found["no_event"] == {"malformed": 4}


def test_tops_are_few_sorted_and_escaped(numbers: LiveNumbers) -> None:
    rows = [Gauge("daily_active_users", "day", "default", "country", f"c{n}", n) for n in range(30)]
    nasty = Gauge("daily_active_users", "day", "default", "country", NASTY, 99)
    numbers.note(snapshot(1, *rows, nasty))
    state = cast(dict[str, Any], numbers.state())
    found = state["sites"][0]["lists"]["country"]
    assert len(found) == ROWS_MAX
    assert found[0] == ("<script>\\ud800\\u202e\\u0000", 99)
    assert found[1] == ("c29", 29)
    json.dumps(state).encode()


def test_the_three_who_send_most_are_shown_by_their_digests(numbers: LiveNumbers) -> None:
    heavy = [HeavyPerson(shard, f"{shard:016x}", 0.5, 10.0 - shard) for shard in range(4)]
    numbers.note(replace(snapshot(1_000), heaviest=heavy))
    shown = cast(dict[str, Any], numbers.state())["heaviest"]
    assert [one["partition"] for one in shown] == [0, 1, 2]
    assert shown[0] == {"partition": 0, "digest": "0" * 16, "ratio": 0.5, "per_second": 10.0}


def test_sites_are_counted_and_only_the_largest_shown(numbers: LiveNumbers) -> None:
    one = snapshot(1)
    sites = [Count("events", f"s{number}", number) for number in range(100)]
    numbers.note(Snapshot(**{**_fields(one), "counts": sites}))
    state = cast(dict[str, Any], numbers.state())
    assert (state["sites_total"], len(state["sites"])) == (100, SITES_MAX)
    assert state["sites"][0]["site"] == "s99"


def test_the_previous_period_ends_where_the_window_begins() -> None:
    found = MergedCounts(lambda site: UTC, "version")
    site = ("default", "", "")
    start = UTC.day_start_ms(DAY)
    for day, people in ((DAY, 9), (DAY - 1, 5), (DAY - 2, 3)):
        counts = {(measures.ACTIVE_DAY, site): people, (measures.EVENTS, site): 1}
        found.replace((Grain.DAY, day), [counts])
    gauges = {
        gauge.metric: gauge
        for gauge in previous_gauges(found, METRICS, start + 1000, found.sites())
    }
    assert gauges["daily_active_users"].value == 5
    assert gauges["daily_active_users"].window == "day"


def test_a_snapshot_of_an_earlier_version_is_read() -> None:
    old = {name: value for name, value in _fields(snapshot(1)).items() if name != "previous"}
    assert decode_snapshot(encode_snapshot(Snapshot(**old))).previous == []


def test_a_lone_surrogate_is_rejected_and_would_not_break_the_metrics() -> None:
    event = (
        b'{"type":"page_view","event_id":"1","event_time":1700000000000,"visitor_id":"v",'
        b'"page_url":"/","context":{"country":"\\ud800"}}'
    )
    with pytest.raises(RejectedEvent) as error:
        parse(event)
    assert error.value.reason in (Reason.MALFORMED, Reason.WRONG_FIELD)
    now = int(time.time() * 1000)
    gauge = Gauge("daily_active_users", "day", "\udc80", "country", NASTY, 5)
    shown = snapshot(now, gauge, site="\udc80")
    collector = SnapshotCollector(METRICS, lambda: shown, LIVE, list)
    page, _ = Exporter(collector).render("")
    assert b'value="<script>?' in page and b'site="?"' in page


@dataclass
class _Stages:
    """Pipeline without stages."""

    def stages(self) -> list[Any]:
        return []


@pytest.fixture
async def client(numbers: LiveNumbers) -> AsyncIterator[tuple[LivePages, TestClient]]:
    shown = snapshot(5000, live(7))
    pages = LivePages(numbers, AlertWatch(""), cast(Pipeline, _Stages()), lambda: shown, 30, list)
    app = web.Application()
    pages.add_routes(app.router)
    async with TestClient(TestServer(app)) as client:
        yield pages, client
        pages.feed.close()


async def test_the_page_and_its_files_are_served_with_a_strict_policy(
    client: tuple[LivePages, TestClient],
) -> None:
    _, http = client
    for path in ("/", "/live", "/live/assets/live.js", "/live/assets/plotly.js", "/api/snapshot"):
        answer = await http.get(path)
        assert answer.status == 200, path
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';") and "unsafe" not in policy
    for path in ("/live/assets/..%2Flive.py", "/live/assets/nothing.js"):
        assert (await http.get(path)).status == 404


async def test_the_page_names_no_other_host_and_has_no_inline_script_or_style(
    client: tuple[LivePages, TestClient],
) -> None:
    text = await (await client[1].get("/live")).text()
    assert "//" not in text.replace("<!doctype", "")
    assert "<style" not in text and "style=" not in text and "onclick" not in text
    assert text.count("<script") == text.count('src="/live/assets/') == 2


async def test_events_begin_with_history_and_continue_with_each_update(
    client: tuple[LivePages, TestClient],
) -> None:
    pages, http = client
    pages.update()
    async with http.get("/live/events") as answer:
        names = []
        async for line in answer.content:
            if line.startswith(b"event: "):
                names.append(line[7:].strip().decode())
                if len(names) == 2:
                    pages.update()
            if len(names) == 3:
                break
    assert names == ["history", "state", "state"]


async def test_at_most_one_update_a_second_is_sent_for_any_number_of_snapshots(
    numbers: LiveNumbers,
) -> None:
    moments = iter(range(1, 10_000))
    taken = lambda: snapshot(next(moments), live(1))  # noqa: E731  another one at each look
    pages = LivePages(numbers, AlertWatch(""), cast(Pipeline, _Stages()), taken, 30, list)
    client = pages.feed.join(lambda: None)
    task = asyncio.create_task(pages.run())
    await asyncio.sleep(1.5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    pages.feed.send(b"last")
    messages = []
    while (message := await client.next()) != b"last":
        messages.append(message)
    assert len(messages) == 2


async def test_the_snapshot_as_json_explains_the_numbers(
    client: tuple[LivePages, TestClient],
) -> None:
    pages, http = client
    pages.update()
    body = await (await http.get("/api/snapshot")).json()
    assert body["numbers"]["sites"][0]["now"][0] == 7
    for headline in body["headlines"]:
        meaning = body["meanings"][headline["metric"]]
        assert meaning["definition"] and meaning["formula"] and meaning["benchmark"]


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "ftp://x", "http://user:secret@host/"])
def test_an_invalid_address_of_prometheus_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(None, {"ENGAGE_WEB_PROMETHEUS_URL": url})
    assert "web.prometheus_url" in str(error.value) and "secret" not in str(error.value)


def _fields(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}


class _Prometheus:
    """Prometheus that answers with the alerts of a test."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []

    async def answer(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"alerts": self.alerts}})


def _alert(state: str, **labels: str) -> dict[str, Any]:
    named = {"alertname": "EngagementBounceSpike", "signal": "bounce"} | labels
    return {"labels": named, "state": state, "annotations": {}, "activeAt": "now"}


async def test_a_fired_alert_is_shown_as_resolved_for_a_while() -> None:
    now, prometheus = [0.0], _Prometheus()
    app = web.Application()
    app.router.add_get("/api/v1/alerts", prometheus.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        watch = AlertWatch(str(server.make_url("/")), lambda: now[0])

        async def states(*alerts: dict[str, Any]) -> list[tuple[str, str]]:
            prometheus.alerts = list(alerts)
            await watch.look(session)
            assert watch.problem == ""
            return [(alert["site"], alert["state"]) for alert in watch.alerts]

        assert await states(_alert("pending", site="a")) == [("a", "pending")]
        assert await states() == [], "what was pending only was never an alert"
        both = _alert("firing", site="a"), _alert("firing", site="b")
        assert await states(*both) == [("a", "firing"), ("b", "firing")]
        assert await states(both[1]) == [("b", "firing"), ("a", "resolved")]
        assert await states(*both) == [("a", "firing"), ("b", "firing")], "it is back"
        assert await states(both[1]) == [("b", "firing"), ("a", "resolved")]
        again = _alert("pending", site="a")
        assert await states(both[1], again) == [("b", "firing"), ("a", "pending")]
        now[0] = RESOLVED_SECONDS - 1
        assert await states(both[1]) == [("b", "firing"), ("a", "resolved")]
        now[0] = RESOLVED_SECONDS
        assert await states(both[1]) == [("b", "firing")]
