"""Debian's Chromium, driven like a person's browser, with everything that it complains about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.servers.process import ServerMissing

#: Contrast of every element with its own text against its background, as WCAG 2 computes it.
CONTRASTS = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = parts(getComputedStyle(element).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const own = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && own(element))
    .map((element) => {
      const pair = [light(parts(getComputedStyle(element).color)), light(behind(element))];
      const [high, low] = [Math.max(...pair), Math.min(...pair)];
      return [element.textContent.trim().slice(0, 40), (high + 0.05) / (low + 0.05)];
    });
}"""


@dataclass
class Watched:
    """A tab, the errors of its console, and the hosts that it contacted."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def text(self, selector: str) -> str:
        """Return the text of the first matching element."""
        return self.page.locator(selector).first.inner_text()

    def wait_for_text(self, selector: str, text: str, seconds: float = 20) -> None:
        """Wait until an element shows a text."""
        self.page.wait_for_function(
            "([s, t]) => document.querySelector(s)?.innerText.includes(t)",
            arg=[selector, text],
            timeout=seconds * 1000,
        )

    def contrasts(self) -> dict[str, float]:
        """Return the contrast of each text."""
        return dict(self.page.evaluate(CONTRASTS))


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser without a window. Raises ServerMissing."""
    path = shutil.which("chromium")
    if path is None:
        raise ServerMissing("chromium is not installed; on Debian: apt-get install chromium")
    with sync_playwright() as driver:
        # Containers run as root, where Chromium's sandbox does not work.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, url: str) -> Iterator[Watched]:
    """Yield a tab with the page open."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    watched = Watched(page)
    page.on("console", watched.note)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("request", lambda request: watched.hosts.add(urlsplit(request.url).netloc))
    try:
        page.goto(url)
        yield watched
    finally:
        page.close()
