"""The page of a report is complete, self-contained, and never takes a label for markup."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agents.report.page.elements import Markup, data, element, joined, table
from tests.unit.agents.test_report_command import DAY_MS, MONDAY, event, report, view, write
from tests.unit.agents.test_report_command import elsewhere as elsewhere

HOSTILE = "</script><script>alert(1)</script>\"'<b onclick=x>&amp;\u202e"
TOML = """
currency = "JPY"
dimensions = ["country"]
[funnels."<i>buy</i>"]
steps = [{ type = "page_view" }, { type = "order" }]
"""


class Page(HTMLParser):
    """Collects the elements of a page with their attributes, and the texts of headings and cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, text: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.texts.append(text)


@pytest.fixture
def page(tmp_path: Path) -> str:
    (tmp_path / "engage.toml").write_text(TOML)
    lines = [view(f"v{n % 9}", MONDAY + n * DAY_MS // 4, context={"country": HOSTILE}, site=HOSTILE)
             for n in range(100)]  # fmt: skip
    lines[1:1] = [event("order", "v0", MONDAY + 9, order_id="1", revenue=5, site=HOSTILE), b"{"]
    lines.append(view("x", MONDAY + 25 * DAY_MS))
    result = report("--html", "page.html", write(tmp_path / "e.jsonl", *lines))
    assert result.exit_code == 0
    assert "page_views" in result.stdout
    return (tmp_path / "page.html").read_text("utf-8")


def test_no_label_becomes_markup(page: str) -> None:
    parsed = Page(page)
    assert not any(
        name.startswith("on") for _, attributes in parsed.elements for name in attributes
    )
    assert [tag for tag, _ in parsed.elements].count("script") == 3  # data, the library, our own
    assert not any(tag in ("b", "i", "img", "iframe") for tag, _ in parsed.elements)
    assert any("<script>alert(1)</script>" in text for text in parsed.texts)
    assert "Funnel <i>buy</i>" in parsed.texts and "2 order" in parsed.texts
    assert "\u202e" not in page


def test_nothing_is_fetched(page: str) -> None:
    parsed = Page(page)
    for _, attributes in parsed.elements:
        for name in ("src", "href", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    (policy,) = (
        attributes["content"]
        for tag, attributes in parsed.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy and policy.startswith("default-src 'none';")


def test_it_has_headlines_charts_segments_retention_funnels_and_the_accounting(page: str) -> None:
    parsed = Page(page)
    headings = [tag for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[:5] == ["h1", "h2", "h2", "h3", "h4"]
    for text in ("Audience", "Sessions", "Orders", "Funnels", "Retention", "Segments", "page_views",
                 "no event", "lines read", "by country", "5 JPY"):  # fmt: skip
        assert text in parsed.texts, text
    charts = json.loads(re.findall(r'id="charts">(.*?)</script>', page)[0])
    drawn = {
        attributes["id"] for _, attributes in parsed.elements if attributes.get("class") == "chart"
    }
    assert drawn == {chart["id"] for chart in charts} and len(drawn) > 10
    (views,) = (chart for chart in charts if chart["id"] == "site-0-page_views")
    assert views["x"][0] == "2024-01-01" and views["y"][:2] == [4, 4]
    # Each chart has its numbers as a table.
    assert [tag for tag, _ in parsed.elements].count("details") == len(charts)


@pytest.mark.parametrize("path", ["no/such/page.html", "."])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_counted(
    tmp_path: Path, path: str
) -> None:
    result = report("--html", path, write(tmp_path / "e.jsonl", view("a")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "html" in result.stderr.lower()


def test_a_directory_without_permission_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    command = [sys.executable, "-m", "agents", "report", "--html", str(closed / "p.html")]
    if os.geteuid() == 0:  # Root may write everywhere, unless it gives up this capability.
        command = ["setpriv", "--bounding-set=-dac_override", *command]
    events = write(tmp_path / "e.jsonl", view("a"))
    done = subprocess.run([*command, events], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "") and "p.html" in done.stderr


def test_elements_escape_every_text_and_attribute() -> None:
    assert element("p", "<b>", title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b&gt;</p>'
    assert joined(["<", Markup("<hr>")]) == "&lt;<hr>"
    assert "<td>&lt;&amp;</td>" in table("t", ["a", "b"], [["x", "<&"]])
    assert data("d", "</script><!--\u2028") == (
        '<script type="application/json" id="d">"\\u003c/script\\u003e\\u003c!--\\u2028"</script>'
    )
