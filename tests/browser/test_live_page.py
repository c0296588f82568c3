"""The live page in a real browser: it updates, shows a lost connection, explains itself, contacts only its worker."""

import json
import os
import re
import signal
import time

import pytest
from playwright.sync_api import expect

from stream.people.keys import person_key
from stream.worker.watch.heaviest import person_digest
from tests.browser.chromium import Watched
from tests.browser.conftest import MARKUP
from tests.browser.prometheus import Prometheus
from tests.faults.fleet import Fleet, Record
from tests.faults.worker_process import WorkerProcess
from tests.servers.redis_server import RedisServer

LIVE = "#number-live_visitors .value"
TITLES = (
    "Live visitors", "Daily active users", "Weekly active users", "Monthly active users",
    "Click-through rate", "Bounce rate", "Churn rate",
)  # fmt: skip


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def test_numbers_change_without_an_error_or_another_host(
    live: Watched, worker: WorkerProcess
) -> None:
    assert tuple(live.page.locator(".number .title").all_inner_texts()) == TITLES
    before = _number(live.text(LIVE))
    live.page.wait_for_function(
        "([s, n]) => +document.querySelector(s).innerText.replaceAll(',', '') > n + 10",
        arg=[LIVE, before],
        timeout=15_000,
    )
    live.wait_for_text("#ticker", "page views")
    assert "s ago" in live.text("#age")
    assert live.errors == []
    assert live.hosts == {f"127.0.0.1:{worker.port}"}


def test_every_record_is_accounted_for(live: Watched) -> None:
    rows = [row.split("\t") for row in live.page.locator("#accounting tr").all_inner_texts()]
    numbers = {name: _number(number) for name, number, *_ in rows}
    read, counted = numbers.pop("read"), numbers.pop("counted")
    assert read == counted + sum(numbers.values()) and counted > 0


def test_every_chart_is_drawn_and_described_in_words(live: Watched) -> None:
    line = live.page.locator("#number-live_visitors .js-line")
    expect(line).to_have_count(1)
    drawn = line.get_attribute("d") or ""
    expect(line).not_to_have_attribute("d", drawn)  # It continues with the numbers.
    box, card = line.bounding_box(), live.page.locator("#number-live_visitors").bounding_box()
    assert box and card
    # Less than the whole: the history is older than the first visitor.
    assert box["width"] > 0.5 * card["width"] and box["height"] > 10
    assert card["x"] <= box["x"] and card["y"] < box["y"]
    assert box["y"] + box["height"] < card["y"] + card["height"]
    for sentence in live.page.locator(".number .unseen").all_inner_texts():
        assert "between" in sentence or sentence == "No history yet."
    assert "between" in live.text("#number-live_visitors .unseen")
    assert live.page.locator(".number .chart:not([aria-hidden])").count() == 0


def test_markup_in_names_is_shown_as_text(live: Watched) -> None:
    expect(live.page.locator("[data-list=page] th").first).to_have_text(f"/{MARKUP}")
    expect(live.page.locator("[data-list=campaign] th").first).to_have_text(MARKUP)
    country = live.text("[data-list=country] th")
    # Control characters are spelled out.
    assert country.startswith("<script>") and "\\u202e\\u0000é" in country
    assert live.page.title() == "Engagement, live"
    assert live.page.locator("main img, main script").count() == 0


def test_a_lone_surrogate_is_rejected_and_harms_neither_page_nor_metrics(
    live: Watched, worker: WorkerProcess
) -> None:
    live.wait_for_text("#ticker", "rejected")
    assert worker.value("engagement_records_total", outcome="rejected") > 0
    assert worker.value("engagement_daily_active_users") > 0
    assert live.errors == []


def test_the_keyboard_opens_the_definition_of_a_number(live: Watched) -> None:
    for _ in range(30):
        live.page.keyboard.press("Tab")
        if live.page.evaluate("document.activeElement.id") == "number-bounce_rate":
            break
    live.page.keyboard.press("Enter")
    expect(live.page.get_by_role("dialog", name="Bounce rate")).to_be_visible()
    parts = live.text("#meaning-parts")
    for part in ("Definition", "Formula", "÷", "Benchmark", "0.20 to 0.55", "bounce.mode"):
        assert part in parts
    live.page.keyboard.press("Escape")
    expect(live.page.get_by_role("dialog")).not_to_be_visible()
    assert live.page.evaluate("document.activeElement.id") == "number-bounce_rate"


def test_another_site_can_be_chosen(live: Watched) -> None:
    whole = _number(live.text(LIVE))
    live.page.get_by_label("Site").select_option("blog")
    assert 0 < _number(live.text(LIVE)) < whole / 2
    live.page.get_by_label("Site").select_option("default")
    assert _number(live.text(LIVE)) >= whole


def test_the_terminal_shows_the_same_numbers(
    live: Watched, fleet: Fleet, worker: WorkerProcess
) -> None:
    before = _number(live.text(LIVE))
    line = fleet.command("top", "--once", "--url", f"http://127.0.0.1:{worker.port}")
    found = re.search(r"default, numbers of .* s ago · Live visitors ([0-9,]+) ·", line)
    assert found, line
    live.page.wait_for_timeout(2000)
    assert before <= _number(found[1]) <= _number(live.text(LIVE))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(live: Watched, scheme: str) -> None:
    live.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    contrasts = live.contrasts()
    assert len(contrasts) > 30
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
    background = live.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")


def test_animation_stops_with_reduced_motion(live: Watched) -> None:
    duration = "getComputedStyle(document.getElementById('badge')).transitionDuration"
    assert live.page.evaluate(duration) != "0s"
    live.page.emulate_media(reduced_motion="reduce")
    assert live.page.evaluate(duration) == "0s"


def test_pipeline_and_alerts_are_shown_and_an_unreachable_prometheus_is_reported(
    live: Watched, prometheus: Prometheus
) -> None:
    live.wait_for_text("#pipeline li:nth-child(4)", "scraped")
    for number, name in enumerate(("Kafka", "Worker", "Redis", "Prometheus"), 1):
        expect(live.page.locator(f"#pipeline li:nth-child({number})")).to_contain_text(name)
    live.wait_for_text("#alerts", "EngagementAlwaysFiring")
    assert "firing <b>Bounce</b> is what it never is." in live.text("#alerts")
    assert "SomebodyElses" not in live.text("#alerts")
    prometheus.stop()
    live.wait_for_text("#alerts-note", "Prometheus does not answer")
    assert live.page.locator("#alerts li").count() == 0
    assert live.text("#badge") == "live"
    prometheus.start()
    live.wait_for_text("#alerts", "EngagementAlwaysFiring")
    assert live.errors == []


def test_the_page_says_since_when_and_why_its_numbers_are_not_live(
    live: Watched, redis_server: RedisServer
) -> None:
    assert not live.page.locator("#stale").is_visible()
    assert redis_server.pid is not None
    os.kill(redis_server.pid, signal.SIGSTOP)
    try:
        live.wait_for_text("#stale", "redis away", 30)
        live.wait_for_text("#badge", "stale", 10)
    finally:
        os.kill(redis_server.pid, signal.SIGCONT)
    assert re.search(r"Not live since \d\d:\d\d:\d\d: redis away", live.text("#stale"))
    live.wait_for_text("#badge", "live", 30)
    expect(live.page.locator("#stale")).to_be_hidden()
    assert live.errors == []


def test_the_badge_shows_a_hanging_or_stopped_worker_and_recovers(
    live: Watched, worker: WorkerProcess
) -> None:
    worker.pause()
    try:
        live.wait_for_text("#badge", "connection lost", 10)
    finally:
        worker.resume()
    live.wait_for_text("#badge", "live", 30)
    assert live.errors == []
    worker.stop()
    live.wait_for_text("#badge", "connection lost", 10)
    assert live.page.locator("body.is-old").count() == 1
    worker.start()
    live.wait_for_text("#badge", "live", 60)


def test_a_person_who_sends_most_of_a_shard_is_shown_by_a_digest(
    live: Watched, fleet: Fleet
) -> None:
    now_ms = time.time_ns() // 1_000_000
    kiosk = {"type": "page_view", "page_url": "/", "visitor_id": "kiosk", "event_time": now_ms}
    fleet.produce(
        Record("page_views", 1, b"kiosk", json.dumps(kiosk | {"event_id": f"k{n}"}).encode())
        for n in range(3_000)
    )
    digest = person_digest(person_key("default", "kiosk"))
    live.wait_for_text("#heaviest", digest, 30)
    assert re.search(r"Shard 1: one person sends [\d.]+%", live.text("#heaviest"))
    assert "kiosk" not in live.text("body")
