"""The page of a report in a real browser: without network, without an error, light, dark and printed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.chromium import Watched, tab
from tests.browser.conftest import MARKUP, SCRIPT

ROOT = Path(__file__).parents[2]
MONDAY_MS, DAY_MS = 1_704_067_200_000, 86_400_000
TOML = """
currency = "EUR"
dimensions = ["country"]
[funnels.buy]
steps = [{ type = "page_view" }, { type = "order" }]
"""


def events() -> Iterator[dict[str, object]]:
    """Yield 40 days of two sites whose labels look like markup."""
    for day in range(40):
        for who in range(1 + day % 7):
            about = {"event_time": MONDAY_MS + day * DAY_MS + who, "visitor_id": f"v{who + day // 9}",
                     "site": MARKUP if who % 3 else "shop",
                     "context": {"country": SCRIPT + str(who)}}  # fmt: skip
            page = f"/{MARKUP}{'/long' * 40}/{who}"
            yield about | {"type": "page_view", "event_id": f"p{day}-{who}", "page_url": page}
            if who == day % 3:
                yield about | {"type": "order", "event_id": f"o{day}", "order_id": f"o{day}",
                               "revenue": 10.5}  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    (directory / "engage.toml").write_text(TOML)
    (directory / "events.jsonl").write_text("\n".join(map(json.dumps, events())))
    others = {key: value for key, value in os.environ.items() if not key.startswith("ENGAGE_")}
    subprocess.run(
        [sys.executable, "-P", "-m", "agents", "report", "--html", "page.html", "events.jsonl"],
        env=others | {"PYTHONPATH": str(ROOT)}, cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    return directory / "page.html"


@pytest.fixture(scope="module")
def opened(browser: Browser, file: Path) -> Iterator[Watched]:
    with tab(browser, file.as_uri()) as watched:
        watched.page.wait_for_function(
            "() => document.querySelectorAll('.chart').length === "
            "document.querySelectorAll('.chart.js-plotly-plot').length"
        )
        yield watched


def test_it_asks_for_nothing_and_has_no_error(opened: Watched, file: Path) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    opened.page.on("request", note)
    opened.page.reload()
    opened.page.wait_for_selector(".chart .js-line")
    opened.page.remove_listener("request", note)
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}
    assert opened.errors == []


def test_labels_are_shown_as_text(opened: Watched) -> None:
    assert opened.page.title() == "Engagement report"
    assert opened.page.locator("main img, main script").count() == 0
    expect(opened.page.locator("h2", has_text=MARKUP)).to_have_count(1)
    countries = opened.page.locator("table", has_text="by country").first.locator("tbody th")
    assert countries.first.inner_text().startswith("<script>document.title")
    pages = opened.page.locator("caption", has_text="by page").first.locator("xpath=..")
    shown = pages.locator("tbody th").all_inner_texts()
    assert len(shown) == len(set(shown)) > 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_is_readable(opened: Watched, width: int, scheme: str) -> None:
    opened.page.set_viewport_size({"width": width, "height": 1000})
    opened.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = opened.contrasts()
    assert len(contrasts) > 50
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    for chart in opened.page.locator(".chart").all():
        box, card = (
            chart.locator(".main-svg").first.bounding_box(),
            chart.locator("..").bounding_box(),
        )
        assert box and card
        assert card["x"] <= box["x"] and box["x"] + box["width"] <= card["x"] + card["width"]


def test_it_prints_in_black_on_white(opened: Watched) -> None:
    opened.page.emulate_media(media="print", color_scheme="dark")
    try:
        styles = "(e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color])"
        assert opened.page.evaluate(f"{styles}(document.body)") == [
            "rgb(255, 255, 255)",
            "rgb(0, 0, 0)",
        ]
    finally:
        opened.page.emulate_media(media="screen", color_scheme="light")


def test_every_chart_has_its_numbers_as_a_table(opened: Watched) -> None:
    charts = opened.page.locator(".chart").count()
    assert charts == opened.page.locator("details table").count() > 20
    details = opened.page.locator("article", has_text="page_views").locator("details").first
    details.locator("summary").click()
    expect(details.locator("tbody th").first).to_have_text(
        "2024-01-02"
    )  # the first day of the larger site
    headings = [
        int(level[1]) for level in opened.page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map(e => e.tagName)"
        )
    ]  # fmt: skip
    assert all(after <= before + 1 for before, after in pairwise(headings))
