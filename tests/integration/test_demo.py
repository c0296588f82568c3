"""The demo's summary reads a metrics page, and its parts start and stop."""

import contextlib
import http.server
import io
import socket
import subprocess
import sys
import threading
from typing import IO

import pytest
from rich.console import Console

from agents.simulation import demo
from agents.simulation.demo import _demo_settings, _free_port, run_demo
from agents.simulation.demo_alerts import DemoPrometheus
from agents.simulation.demo_view import Summary, as_line, as_table, fetch
from agents.simulation.traffic import Trouble
from stream.configure.load import load_settings
from stream.configure.sources import to_environment
from stream.settings.application import Settings
from tests.alerting.promtool import tool
from tests.faults.worker_process import wait_until

PAGE = """\
# TYPE engagement_live_visitors gauge
engagement_live_visitors{site="default"} 42
# TYPE engagement_segment_live_visitors gauge
engagement_segment_live_visitors{site="default",dimension="device",value="mobile"} 30
# TYPE engagement_bounce_ratio gauge
engagement_bounce_ratio{site="default",window="day"} 0.5
engagement_bounce_ratio{site="default",window="trailing_1h"} 0.375
engagement_bounce_ratio{site="other",window="trailing_1h"} 0.9
# TYPE engagement_churn_ratio gauge
engagement_churn_ratio{site="default",window="month"} 0.0625
# TYPE engagement_click_through_ratio gauge
engagement_click_through_ratio{site="default",window="hour"} NaN
# TYPE engagement_events_total counter
engagement_events_total{site="default"} 1000
# TYPE engagement_page_views_total counter
engagement_page_views_total{site="default"} 700
"""


def test_the_summary_takes_the_whole_site_and_the_chosen_window() -> None:
    rows = Summary().read(PAGE, 0.0)
    assert rows["Live visitors"] == "42"
    assert rows["Bounce rate"] == "37.5%"
    assert rows["Churn rate"] == "6.25%"
    assert rows["Click-through rate"] == "…"
    assert rows["Daily active users"] == "…"
    assert Summary("other").read(PAGE, 0.0)["Bounce rate"] == "90.0%"


def test_the_rate_is_the_difference_of_two_readings_and_survives_a_reset() -> None:
    summary = Summary()
    assert summary.read(PAGE, 10.0)["events a second"] == "…"
    assert summary.read(PAGE.replace(" 1000", " 1500"), 20.0)["events a second"] == "50"
    assert summary.read(PAGE.replace(" 1000", " 10"), 30.0)["events a second"] == "…"


def test_summary_is_shown_as_table_and_as_one_line() -> None:
    rows = Summary().read(PAGE, 0.0)
    console = Console(file=io.StringIO(), width=80)
    console.print(as_table(rows, "live"))
    assert "37.5%" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "Bounce rate 37.5%" in as_line(rows) and "\n" not in as_line(rows)


@pytest.mark.parametrize(("status", "body", "expected"), [(200, b"ok", "ok"), (503, b"x", None)])
def test_a_page_is_fetched_only_with_status_200(
    status: int, body: bytes, expected: str | None
) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert fetch("127.0.0.1", server.server_port, "/metrics") == expected
        thread.join()


def test_a_stopped_worker_has_no_page() -> None:
    assert fetch("127.0.0.1", 1, "/metrics") is None


def test_a_port_in_use_is_reported_and_the_next_one_taken() -> None:
    console = Console(file=io.StringIO())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _free_port("127.0.0.1", port, console) > port
    assert f"port {port} is in use" in console.file.getvalue()  # type: ignore[attr-defined]


def test_demo_keeps_the_users_definitions_and_uses_the_embedded_servers() -> None:
    mine = load_settings(None, {"ENGAGE_TIMEZONE": "Asia/Tokyo", "ENGAGE_REDIS_PASSWORD": "x"})
    own = _demo_settings(mine, "127.0.0.1:5", "redis://127.0.0.1:6/0", 7000)
    assert (own.timezone, own.web.port) == ("Asia/Tokyo", 7000)
    assert not own.redis.password
    assert load_settings(None, to_environment(own)) == own
    assert own != Settings()


def test_demo_has_its_own_prometheus_with_the_shipped_rules() -> None:
    worker = "127.0.0.1:1"
    with DemoPrometheus(tool("prometheus"), Settings(), worker) as own:
        port = int(own.url.rsplit(":", 1)[1])

        def contains(path: str, text: str) -> bool:
            return text in (fetch("127.0.0.1", port, path) or "")

        wait_until("it has its rules", lambda: contains("/api/v1/rules", "EngagementBounceSpike"))
        wait_until("it scrapes", lambda: contains("/api/v1/targets", f"http://{worker}/metrics"))
    assert fetch("127.0.0.1", port, "/-/ready") is None


def test_demo_uses_the_users_prometheus_or_explains_how_to_install_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    configured = load_settings(None, {"ENGAGE_WEB_PROMETHEUS_URL": "http://127.0.0.1:9"})
    with contextlib.ExitStack() as stack:
        assert demo._with_alerts(configured, stack, console) == configured
        assert out.getvalue() == ""
        monkeypatch.setenv("PATH", "")
        assert demo._with_alerts(Settings(), stack, console) == Settings()
    assert "apt install prometheus" in out.getvalue()


SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[2].encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """Replace the worker by a process that serves a fixed page, or fails for another app."""
    started: list[subprocess.Popen[bytes]] = []

    def start(settings: Settings, log: IO[str]) -> "subprocess.Popen[bytes]":
        code = SERVER if settings.app == "good" else "raise SystemExit('broken on purpose')"
        command = [sys.executable, "-c", code, str(settings.web.port), PAGE]
        started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return started[0]

    monkeypatch.setattr(demo, "_start_worker", start)
    return started


def test_demo_runs_shows_numbers_and_stops_everything(
    worker: list["subprocess.Popen[bytes]"], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(None, {"ENGAGE_APP": "good"})
    assert run_demo(settings, trouble=Trouble("bounce", 60, 90), rate=20.0, seconds=1.0) == 0
    shown = capsys.readouterr().out
    assert "in 60 s the bounce spike begins, for 90 s" in shown
    assert "/metrics" in shown and "/readyz" in shown
    assert "Bounce rate 37.5%" in shown
    assert worker[0].returncode is not None


def test_demo_reports_why_the_worker_ended(
    worker: list["subprocess.Popen[bytes]"], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo(Settings(), trouble=None, rate=20.0, seconds=60.0) == 1
    assert "the worker ended with exit code 1" in capsys.readouterr().out
    assert worker[0].returncode == 1
