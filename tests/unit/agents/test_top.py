"""`engage top` shows a worker's answer, as lines without a terminal, and reports a missing answer."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from agents.cli.main import main
from agents.commands.top import Answer, as_line, as_table

ANSWER = {
    "now_ms": 1_000_500,
    "headlines": [
        {"title": "Live visitors", "unit": "people"}, {"title": "Bounce rate", "unit": "ratio"},
    ],
    "numbers": {
        "taken_ms": 1_000_000,
        "sites": [
            {"site": "shop", "now": [1234, 0.375], "before": [1000, None],
             "lists": {"page": [["/[bold]<b>\u001b[31m", 12]]}},
            {"site": "blog", "now": [5, None], "before": [None, None], "lists": {}},
        ],
    },
    "stages": [
        {"name": "Kafka", "state": "ok", "text": "all records read"},
        {"name": "Redis", "state": "bad", "text": "gone"},
    ],
}  # fmt: skip


def answer(**changes: object) -> Answer:
    return msgspec.convert({**ANSWER, **changes}, Answer)


def test_numbers_that_are_not_live_say_so_first() -> None:
    stale = [{"reason": "broker_away", "since_ms": 1_000, "text": "no answer from Kafka"}]
    shown = answer(stale=stale)
    assert "NOT LIVE since " in as_line(shown, None)
    assert "broker_away. no answer from Kafka" in as_line(shown, None)
    page = StringIO()
    Console(file=page, width=200).print(as_table(shown, None))
    assert page.getvalue().startswith("NOT LIVE since ")


def test_a_person_who_sends_much_is_shown_by_a_digest_in_lines_and_tables() -> None:
    heavy = {"partition": 2, "digest": "5e28b54d6a4f5170", "ratio": 0.34, "per_second": 1_200.4}
    shown = answer(numbers={"taken_ms": 1, "sites": [], "heaviest": [heavy]})
    text = "shard 2: person 5e28b54d6a4f5170 sends 34% of the events, 1,200 a second"
    assert text in as_line(shown, None)
    page = StringIO()
    Console(file=page, width=200).print(as_table(shown, None))
    assert text in page.getvalue()


@contextmanager
def worker(body: bytes) -> Iterator[str]:
    """Yield the address of a server that answers with `body`."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/snapshot" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test output free of access logs."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_line_shows_the_largest_site_and_the_trouble() -> None:
    line = as_line(answer(), None)
    assert "shop, numbers of 0.5 s ago · Live visitors 1,234 · Bounce rate 37.50%" in line
    assert line.endswith("Redis: gone") and "\n" not in line


def test_another_site_can_be_requested() -> None:
    assert "blog" in as_line(answer(), "blog") and "Bounce rate –" in as_line(answer(), "blog")
    assert "no site nope; there are shop, blog" in as_line(answer(), "nope")


def test_old_and_missing_numbers_are_marked() -> None:
    assert "OLD: numbers of 60.0 s ago" in as_line(answer(now_ms=1_060_000), None)
    assert "no numbers yet" in as_line(answer(numbers=None), None)


def test_a_table_shows_names_as_text() -> None:
    console = Console(file=StringIO(), width=100, force_terminal=False)
    console.print(as_table(answer(), None))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("Live visitors", "1,234", "1,000", "37.50%", "/[bold]<b>\\u001b[31m 12", "gone"):
        assert part in shown
    assert "\u001b" not in shown


def test_once_prints_one_line_without_a_terminal() -> None:
    with worker(json.dumps(ANSWER).encode()) as url:
        result = CliRunner().invoke(main, ["top", "--once", "--url", url])
    assert result.exit_code == 0
    assert result.output.count("\n") == 1 and "Live visitors 1,234" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--url", "http://127.0.0.1:1"], 1, "does not answer"),
        (["--url", "worker:6067"], 2, "is not an address like http://127.0.0.1:6067"),
    ],
)
def test_a_missing_answer_is_reported_with_advice(
    arguments: list[str], code: int, text: str
) -> None:
    result = CliRunner().invoke(main, ["top", "--once", *arguments])
    assert result.exit_code == code
    assert text in result.output


def test_an_answer_of_another_server_is_a_plain_message() -> None:
    with worker(b"<html>") as url:
        result = CliRunner().invoke(main, ["top", "--once", "--url", url])
    assert result.exit_code == 1
    assert "is not a page of a worker" in result.output
