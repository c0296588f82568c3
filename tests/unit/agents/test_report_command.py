"""`engage report` prints the numbers of the files, and the number of excluded events with the cause."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from agents.report.chosen import WINDOWS
from schemas.outputs import MetricRecord, encode_record
from stream.report.file_report import Report
from stream.settings.application import Settings

ROOT = Path(__file__).parents[3]
DAY_MS = 86_400_000
MONDAY = 1_704_067_200_000  # 2024-01-01, a Monday
#: The data are complete to the end of that day.
COMPLETE = ("--until", "2024-01-01")
_numbers = iter(range(1_000_000))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, apart from the engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


def event(kind: str, who: str, time_ms: int, **fields: Any) -> bytes:
    number = next(_numbers)
    return msgspec.json.encode(
        {"type": kind, "event_id": f"e{number}", "event_time": time_ms, "visitor_id": who} | fields
    )


def view(who: str, time_ms: int = MONDAY, **fields: Any) -> bytes:
    return event("page_view", who, time_ms, page_url="https://shop/", **fields)


def write(path: Path, *lines: bytes) -> str:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def report(*arguments: str, stdin: bytes | None = None, **environ: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments], input=stdin, env=environ)


def records(result: Result) -> list[MetricRecord]:
    return [msgspec.json.decode(line, type=MetricRecord) for line in result.stdout.splitlines()]


def one(result: Result) -> MetricRecord:
    (record,) = records(result)
    return record


# ---- output


def test_json_is_exactly_the_records_of_the_engine(tmp_path: Path) -> None:
    lines = [view("a"), view("b", MONDAY + 5_000, context={"country": "DE"}), view("a", MONDAY + 9)]
    file = write(tmp_path / "e.jsonl", *lines)
    engine = Report(Settings(), MONDAY + DAY_MS, lambda line: pytest.fail(line.reason))
    engine.read(file, lines)
    expected = b"".join(encode_record(r) + b"\n" for r in engine.records([], WINDOWS))
    result = report("--format", "json", file)
    assert (result.exit_code, result.stderr) == (0, "3 lines read, all counted\n")
    assert result.stdout_bytes == expected
    # By default no metric has 90 days.
    assert {r.window.kind for r in records(result)} == set(WINDOWS) - {"trailing_90d"}
    assert {"country": "DE"} in [r.dimensions for r in records(result)]
    # No window is over at the newest event, but the day is over when the data are complete.
    assert not any(r.is_final for r in records(result))
    complete = records(report("--format", "json", "--window", "day", *COMPLETE, file))
    assert complete and all(r.is_final for r in complete)


def test_a_table_shows_whole_sites_metric_by_metric(tmp_path: Path) -> None:
    lines = [view("a", context={"country": "DE"}), view("b"), view("b", MONDAY + 60_000)]
    result = report("--full", *COMPLETE, write(tmp_path / "e.jsonl", *lines))
    assert (result.exit_code, result.stderr) == (0, "3 lines read, all counted\n")
    text = " ".join(result.stdout.split())
    assert "bounce_rate Share of sessions that end on their first page." in text
    assert "all 50.00% 1 ÷ 2" in text
    assert "pages_per_session" in text and "all 1.5000 3 ÷ 2" in text
    assert "session_duration" in text and "30.00 s 60 ÷ 2" in text
    assert "day Mon 2024-01-01 2" in text
    assert "country" not in text and "DE" not in text
    assert "Nothing was counted for" in text and "mrr" in text.partition("Nothing was counted")[2]
    assert (
        "live_visitors" not in text
    )  # It has only windows of minutes, which are printed on request.
    assert "Times are in UTC." in text


def test_a_long_series_of_days_is_a_calendar(tmp_path: Path) -> None:
    lines = [view(f"v{day % 3}", MONDAY + (day + 2) * DAY_MS) for day in range(20)]
    lines += [view("late", MONDAY + 100 * DAY_MS)]
    result = report("--metric", "daily_active_users", write(tmp_path / "e.jsonl", *lines))
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["day", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] in rows
    assert ["2024-01-01", *"11111"] in rows  # It begins on a Wednesday.
    assert ["2024-01-08", *"1111111"] in rows
    assert ["…", "10", "weeks", *"0000000"] in rows  # Empty weeks do not fill the screen.
    sunday = report(
        "--metric", "daily_active_users", str(tmp_path / "e.jsonl"), ENGAGE_WEEK_START="sunday"
    )
    rows = [line.split() for line in sunday.stdout.splitlines()]
    assert ["day", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] in rows
    assert ["2023-12-31", *"1111"] in rows


def test_segments_are_shown_for_the_named_dimensions(tmp_path: Path) -> None:
    lines = [
        view("a", context={"country": "DE", "device": "phone"}),
        view("b", context={"country": "[red]\x1b[2J", "device": "phone"}),
    ]
    file = write(tmp_path / "e.jsonl", *lines)
    table = report("--metric", "page_views", "--window", "all", "--by", "country", *COMPLETE, file)
    rows = [line.split() for line in table.stdout.splitlines()]
    assert ["all", "2"] in rows and ["all", "country", "=", "DE", "1"] in rows
    assert "[red]\\u001b[2J" in table.stdout and "\x1b" not in table.stdout
    assert "phone" not in table.stdout
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    everything = records(report(*arguments, file))
    by_country = records(report(*arguments, "--by", "country", file))
    assert {tuple(r.dimensions) for r in everything} == {(), ("country",), ("device",)}
    assert by_country == [r for r in everything if "device" not in r.dimensions]


def test_csv_has_one_line_per_record_and_no_formulas_for_a_spreadsheet(tmp_path: Path) -> None:
    lines = [view("a", site="=1+1", context={"country": "@x"}), view("b", site="=1+1")]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--format", "csv", "--metric", "bounce_rate", "--window", "day", file)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(r["site"], r["dimension"], r["dimension_value"], r["value"]) for r in rows] == [
        ("'=1+1", "", "", "1.0"),
        ("'=1+1", "country", "'@x", "1.0"),
    ]
    assert (rows[0]["numerator"], rows[0]["denominator"]) == ("2", "2")
    assert rows[0]["start"] == "2024-01-01T00:00:00Z"


def test_several_sites_are_shown_separately(tmp_path: Path) -> None:
    lines = [view("a", site="shop"), view("b", site="blog"), view("c", site="blog")]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", *COMPLETE, file)
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["all", "blog", "2"] in rows and ["all", "shop", "1"] in rows


def test_a_metric_requested_by_name_is_shown_in_all_its_windows(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", view("a"), view("b", MONDAY + 59_000))
    result = report("--metric", "live_visitors", "--format", "json", file)
    assert records(result)[0].value == 2
    assert {r.window.kind for r in records(result)} == {"trailing_5m"}
    text = " ".join(report("--metric", "live_visitors", *COMPLETE, file).stdout.split())
    assert "trailing_5m to 2024-01-01 00:00 2 trailing_5m to 2024-01-01 00:01 2" in text
    zero = report("--metric", "mrr", file)  # Requested by name, it is shown although it is 0.
    assert "mrr" in zero.stdout and "0.00" in zero.stdout and "Nothing" not in zero.stdout


def test_days_follow_the_configured_zone(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", view("a", MONDAY))
    result = report("--metric", "page_views", file, ENGAGE_TIMEZONE="America/New_York")
    assert "Sun 2023-12-31" in result.stdout
    assert "Times are in America/New_York." in result.stdout


def test_money_carries_its_currency(tmp_path: Path) -> None:
    started = event("subscription_started", "a", MONDAY, subscription_id="s", mrr=1234.5)
    file = write(tmp_path / "e.jsonl", started)
    assert "1,234.50 EUR" in report("--metric", "mrr", file, ENGAGE_CURRENCY="EUR").stdout


@pytest.mark.parametrize(("metric", "values"), [("sessions", [1, 1]), ("revenue", [5, 7])])
def test_sites_and_ids_that_read_alike_when_joined_stay_apart(
    tmp_path: Path, metric: str, values: list[float]
) -> None:
    lines: list[bytes] = []
    for site, who, revenue in (("a", "b\x1fv", 5), ("a\x1fb", "v", 7)):
        lines.append(view(who, site=site))
        lines.append(event("order", who, MONDAY + 9, site=site, order_id="1", revenue=revenue))
    path = write(tmp_path / "f", *lines)
    found = records(report("--metric", metric, "--window", "all", "--format", "json", path))
    assert {record.site: record.value for record in found} == dict(
        zip(("a", "a\x1fb"), values, strict=True)
    )


# ---- bad requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--metric", "bounce"), "unknown metric 'bounce' (did you mean bounce_rate?)"),
        (("--metric", "zzz\x1b"), "unknown metric 'zzz\\u001b'; `engage metrics` lists them"),
        (("--window", "trailing_7"), "unknown window 'trailing_7' (did you mean trailing_7d?)"),
        (("--metric", "mrr", "--window", "hour"), "mrr has no such window; it has day, month"),
        (("--by", "contry"), "unknown dimension 'contry' (did you mean country?)"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_known_name(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = report(*arguments, write(tmp_path / "e.jsonl", view("a")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    lines = [view(f"v{n}", MONDAY + n * DAY_MS) for n in range(365)]
    file = write(tmp_path / "e.jsonl", *lines)
    command = [sys.executable, "-m", "agents", "report", "--format", "json", file]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


# ---- comparison


def test_a_comparison_shows_the_window_before(tmp_path: Path) -> None:
    week_ms = 7 * DAY_MS
    weeks = {"a": 0, "b": 1, "c": 1, "d": 2}
    lines = [view(who, MONDAY + number * week_ms) for who, number in weeks.items()]
    path = write(tmp_path / "f", *lines)
    found = records(report("--compare", "--metric", "page_views", "--window", "day", "--format",
                           "json", path))  # fmt: skip
    by_day = {str(record.window.start)[:10]: (record.value, record.previous) for record in found}
    assert by_day["2024-01-01"] == (1, 0)
    assert by_day["2024-01-02"] == (0, 1)
    assert by_day["2024-01-08"] == (2, 0)
    assert by_day["2024-01-09"] == (0, 2)
    shown = report("--compare", "--metric", "unique_visitors", "--window", "week", path).stdout
    assert "2 (+100.0%)" in shown
    assert "1 (-50.0%)" in shown


def test_without_a_comparison_no_record_mentions_the_window_before(tmp_path: Path) -> None:
    path = write(tmp_path / "f", view("a"))
    assert "previous" not in report("--format", "json", path).stdout


@pytest.mark.parametrize(("digits", "value"), [(None, 1 / 3), ("0", 0), ("2", 0.33)])
def test_values_are_rounded_only_in_the_output(
    tmp_path: Path, digits: str | None, value: float
) -> None:
    path = write(tmp_path / "f", *(view(who) for who in "abc"), view("a", MONDAY + DAY_MS))
    options = ["--metric", "retention_d1", "--window", "day", "--format", "json", path]
    options += ["--until", "2024-01-02"]
    given = [] if digits is None else ["--round", digits]
    [record, *_] = records(report(*given, *options))
    assert record.value == value
    assert (record.numerator, record.denominator) == (1, 3)
