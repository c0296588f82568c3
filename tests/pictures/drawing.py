"""Drawing of a shipped dashboard with Grafana's own components, in Chromium, on a Prometheus's numbers."""

import functools
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser

from tests.browser.chromium import tab
from tests.grafana.schema_tools import command, needed
from tests.grafana.shipped import CHOSEN, dashboard
from tests.servers.kafka_jars import cache_root
from tests.servers.process import ServerFailed

PANELS = Path(__file__).with_name("panels")
WIDTH = 1600
#: Files that Grafana's components import besides code.
_LOADERS = [f"--loader:.{kind}=dataurl" for kind in ("svg", "woff2", "woff", "ttf", "png")]
_PAGE = """\
<!doctype html>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
"""


class View(NamedTuple):
    """Part of a dashboard: down to which line of the grid, and which time on which Prometheus."""

    name: str
    bottom: int
    prometheus: str
    start: int
    end: int
    step: int


def draw(browser: Browser, built: str, view: View, picture: Path) -> list[str]:
    """Make the picture; return the titles of panels without a number. Raises ServerFailed."""
    span = {
        "prometheus": view.prometheus, "from": view.start, "to": view.end, "step": view.step,
    }  # fmt: skip
    request = {
        "dashboard": dashboard(view.name), "span": span, "bottom": view.bottom, "width": WIDTH,
        "mode": "light", "chosen": {k: v for k, v in CHOSEN.items() if _has(view.name, k)},
    }  # fmt: skip
    with tab(browser, f"{built}/index.html") as watched:
        page = watched.page
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        page.wait_for_function("() => window.draw", timeout=60_000)
        empty = page.evaluate("(asked) => window.draw(asked)", request)
        page.wait_for_timeout(3_000)  # Icons arrive one by one, and sizes settle.
        # Grafana's fonts are in none of its packages: the machine's fonts replace them.
        errors = [text for text in watched.errors if not text.startswith("Failed to load")]
        if errors:
            raise ServerFailed(f"{view.name}: the page with its panels says: {errors[:3]}")
        page.locator("main").screenshot(path=picture)
    return list(empty)


def _has(name: str, variable: str) -> bool:
    return any(one["name"] == variable for one in dashboard(name)["templating"]["list"])


@contextmanager
def components() -> Iterator[str]:
    """Yield the address of the drawing page, built from the packages in the lock file."""
    built = _built()
    handler = functools.partial(_Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


def shrink(picture: Path) -> None:
    """Make a picture small: at most 256 colours."""
    command(_installed(), needed("node"), str(PANELS / "shrink.cjs"), str(picture))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def _built() -> Path:
    """Build the page and its scripts; this takes seconds."""
    installed = _installed()
    for source in PANELS.glob("*.js*"):
        if not source.name.startswith("package"):
            shutil.copy(source, installed)
    out = installed / "out"
    command(
        installed, "node_modules/.bin/esbuild", "page.jsx", "--bundle", "--format=esm",
        f"--outfile={out / 'page.js'}", "--define:global=window", "--jsx=automatic",
        '--define:process.env.NODE_ENV="production"', "--log-level=error", *_LOADERS,
    )  # fmt: skip
    (out / "index.html").write_text(_PAGE, "utf-8")
    # The components look for their icons here.
    icons = installed / "node_modules/@grafana/ui/dist/public/img"
    shutil.copytree(icons, out / "public/build/img", dirs_exist_ok=True)
    return out


@functools.cache
def _installed() -> Path:
    """Return the directory of the packages, keyed by the lock file."""
    lock = (PANELS / "package-lock.json").read_bytes()
    target = cache_root() / f"grafana-panels-{hashlib.sha256(lock).hexdigest()[:16]}"
    # Written last: an interrupted installation must never look complete.
    done = target / ".complete"
    if not done.exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(PANELS, target)
        print("fetching Grafana's components (once, about 450 MB)")
        flags = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
        command(target, needed("npm"), "ci", *flags)
        done.touch()
    return target
