"""The page of a report over two months of an invented shop, as `engage report --html` writes it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import tab
from tests.pictures import ROOT
from tests.pictures.shop import shop

TOML = """
currency = "EUR"
dimensions = ["country", "device", "campaign"]

[funnels.purchase]
steps = [{ type = "page_view" }, { type = "add_to_cart" }, { type = "order" }]
"""
SIZE = {"width": 1280, "height": 1280}


def draw_report(browser: Browser, out: Path, directory: Path) -> Iterator[Path]:
    """Write the page into the directory, and yield its pictures."""
    events, page = directory / "shop.jsonl", directory / "report.html"
    events.write_text("\n".join(shop()))
    (directory / "engage.toml").write_text(TOML)
    others = {key: value for key, value in os.environ.items() if not key.startswith("ENGAGE_")}
    subprocess.run(
        [sys.executable, "-P", "-m", "agents", "report", "--html", str(page), str(events)],
        env=others | {"PYTHONPATH": str(ROOT)}, cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    with tab(browser, page.as_uri()) as watched:
        watched.page.set_viewport_size(SIZE)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            watched.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            watched.page.wait_for_timeout(1_000)
            picture = out / f"report-{scheme}.png"
            watched.page.screenshot(path=picture)
            yield picture
