"""Make all pictures: `engage demo` for the live page and the pipeline, an afternoon for the rest."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import chromium, tab
from tests.grafana.traffic import NOW_MS
from tests.pictures import PICTURES
from tests.pictures.drawing import View, components, draw, shrink
from tests.pictures.paper import draw_report
from tests.pictures.past import HOURS, STEP_MS, afternoon
from tests.pictures.present import Present, demo

#: Dashboard → last line of the grid in the picture.
BOTTOMS = {"engagement": 41, "engagement-campaigns": 36, "engagement-pipeline": 38}
NOW = NOW_MS // 1000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--minutes", type=float, default=6, help="how long the demo runs")
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument(
        "--only", choices=["past", "present", "report"], help="a part of the pictures"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.only in (None, "report"):
        with chromium() as browser, tempfile.TemporaryDirectory() as directory:
            for picture in draw_report(browser, options.out, Path(directory)):
                _print(picture)
    if options.only == "report":
        return 0
    with components() as built:
        for picture in _pictures(built, options):
            shrink(picture)
            _print(picture)
    return 0


def _print(picture: Path) -> None:
    print(f"{picture}: {picture.stat().st_size // 1000} kB", flush=True)


def _pictures(built: str, options: argparse.Namespace) -> Iterator[Path]:
    if options.only != "past":
        with demo() as present:
            # Rates need minutes, and so do the lines of the page.
            time.sleep(options.minutes * 60)
            with chromium() as browser:
                yield from _of_present(browser, built, present, options)
    if options.only != "present":
        with afternoon() as prometheus, chromium() as browser:
            for name in ("engagement", "engagement-campaigns"):
                view = _view(name, prometheus.url, NOW - HOURS * 3600, NOW, STEP_MS // 1000)
                yield _dashboard(browser, built, view, options.out)


def _of_present(
    browser: Browser, built: str, present: Present, options: argparse.Namespace
) -> Iterator[Path]:
    yield from _live(browser, present, options.out)
    now = int(time.time())
    begin = now - int(options.minutes * 60)
    view = _view("engagement-pipeline", present.prometheus.url, begin, now, 15)
    yield _dashboard(browser, built, view, options.out)


def _view(name: str, prometheus: str, start: int, end: int, step: int) -> View:
    # Aligned with the stored samples: queries between them find nothing.
    return View(name, BOTTOMS[name], prometheus, start - start % step, end - end % step, step)


def _dashboard(browser: Browser, built: str, view: View, out: Path) -> Path:
    picture = out / f"{view.name}.png"
    empty = draw(browser, built, view, picture)
    if empty:
        print(f"{view.name}: no number in: {', '.join(empty)}", flush=True)
    return picture


def _live(browser: Browser, present: Present, out: Path) -> Iterator[Path]:
    with tab(browser, f"{present.page}/live") as watched:
        watched.wait_for_text("#badge", "live", 60)
        for scheme in ("light", "dark"):
            watched.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            watched.page.wait_for_timeout(3_000)
            watched.wait_for_text("#badge", "live", 60)
            picture = out / f"live-{scheme}.png"
            watched.page.screenshot(path=picture)
            yield picture


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
