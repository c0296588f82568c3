"""`engage report` prints what the files hold and says what was left out of it, and why."""

import csv
import gzip
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

from agents.cli import main
from agents.report import BAD_LINES_SHOWN, WINDOWS, run_report
from schemas.outputs import MetricRecord, encode_record
from stream.report import Report
from stream.settings import Settings

ROOT = Path(__file__).parents[2]
DAY_MS = 86_400_000
MONDAY = 1_704_067_200_000  # 2024-01-01, a Monday
_numbers = iter(range(1_000_000))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engage.toml of the person who runs the tests."""
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


# ---- what comes out


def test_json_is_exactly_the_records_of_the_engine(tmp_path: Path) -> None:
    lines = [view("a"), view("b", MONDAY + 5_000, context={"country": "DE"}), view("a", MONDAY + 9)]
    file = write(tmp_path / "e.jsonl", *lines)
    engine = Report(Settings(), MONDAY + DAY_MS, lambda line: pytest.fail(line.reason))
    engine.read(file, lines)
    expected = b"".join(encode_record(r) + b"\n" for r in engine.records([], WINDOWS))
    result = report("--format", "json", file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == expected
    # By default no metric has 90 days.
    assert {r.window.kind for r in records(result)} == set(WINDOWS) - {"trailing_90d"}
    assert {"country": "DE"} in [r.dimensions for r in records(result)]
    assert all(r.is_final for r in records(result))


def test_a_table_shows_whole_sites_metric_by_metric(tmp_path: Path) -> None:
    lines = [view("a", context={"country": "DE"}), view("b"), view("b", MONDAY + 60_000)]
    result = report(write(tmp_path / "e.jsonl", *lines))
    assert (result.exit_code, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    assert "bounce_rate Share of visits that end where they began." in text
    assert "all 50.00% 1 ÷ 2" in text
    assert "pages_per_session" in text and "all 1.5000 3 ÷ 2" in text
    assert "session_duration" in text and "30.00 s 60 ÷ 2" in text
    assert "day Mon 2024-01-01 2" in text
    assert "country" not in text and "DE" not in text
    assert "Nothing was counted for" in text and "mrr" in text.partition("Nothing was counted")[2]
    assert "live_visitors" not in text  # It has only minutes, which come on request.
    assert "Times are in UTC." in text


def test_a_long_series_of_days_is_a_calendar(tmp_path: Path) -> None:
    lines = [view(f"v{day % 3}", MONDAY + (day + 2) * DAY_MS) for day in range(20)]
    lines += [view("late", MONDAY + 100 * DAY_MS)]
    result = report("--metric", "daily_active_users", write(tmp_path / "e.jsonl", *lines))
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["day", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] in rows
    assert ["2024-01-01", *"11111"] in rows  # It begins on a Wednesday.
    assert ["2024-01-08", *"1111111"] in rows
    assert ["…", "10", "weeks", *"0000000"] in rows  # What is empty does not fill the screen.
    sunday = report(
        "--metric", "daily_active_users", str(tmp_path / "e.jsonl"), ENGAGE_WEEK_START="sunday"
    )
    rows = [line.split() for line in sunday.stdout.splitlines()]
    assert ["day", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] in rows
    assert ["2023-12-31", *"1111"] in rows


def test_segments_come_by_the_dimensions_that_are_named(tmp_path: Path) -> None:
    lines = [
        view("a", context={"country": "DE", "device": "phone"}),
        view("b", context={"country": "[red]\x1b[2J", "device": "phone"}),
    ]
    file = write(tmp_path / "e.jsonl", *lines)
    table = report("--metric", "page_views", "--window", "all", "--by", "country", file)
    rows = [line.split() for line in table.stdout.splitlines()]
    assert ["all", "2"] in rows and ["all", "country", "=", "DE", "1"] in rows
    assert "[red]\\u001b[2J" in table.stdout and "\x1b" not in table.stdout
    assert "phone" not in table.stdout
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    everything = records(report(*arguments, file))
    by_country = records(report(*arguments, "--by", "country", file))
    assert {tuple(r.dimensions) for r in everything} == {(), ("country",), ("device",)}
    assert by_country == [r for r in everything if "device" not in r.dimensions]


def test_csv_has_a_line_a_record_and_nothing_a_spreadsheet_would_run(tmp_path: Path) -> None:
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


def test_sites_are_told_apart_when_there_are_several(tmp_path: Path) -> None:
    lines = [view("a", site="shop"), view("b", site="blog"), view("c", site="blog")]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", file)
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["all", "blog", "2"] in rows and ["all", "shop", "1"] in rows


def test_a_metric_asked_for_by_name_comes_in_the_windows_that_it_has(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", view("a"), view("b", MONDAY + 59_000))
    result = report("--metric", "live_visitors", "--format", "json", file)
    assert records(result)[0].value == 2
    assert {r.window.kind for r in records(result)} == {"trailing_5m"}
    text = " ".join(report("--metric", "live_visitors", file).stdout.split())
    assert "trailing_5m to 2024-01-01 00:00 2 trailing_5m to 2024-01-01 00:01 2" in text
    zero = report("--metric", "mrr", file)  # Asked for by name, it is shown though it is 0.
    assert "mrr" in zero.stdout and "0.00" in zero.stdout and "Nothing" not in zero.stdout


def test_days_are_those_of_the_configured_zone(tmp_path: Path) -> None:
    file = write(tmp_path / "e.jsonl", view("a", MONDAY))
    result = report("--metric", "page_views", file, ENGAGE_TIMEZONE="America/New_York")
    assert "Sun 2023-12-31" in result.stdout
    assert "Times are in America/New_York." in result.stdout


def test_money_carries_its_currency(tmp_path: Path) -> None:
    started = event("subscription_started", "a", MONDAY, subscription_id="s", mrr=1234.5)
    file = write(tmp_path / "e.jsonl", started)
    assert "1,234.50 EUR" in report("--metric", "mrr", file, ENGAGE_CURRENCY="EUR").stdout


# ---- files


def test_files_compressed_and_standard_input_are_one_log(tmp_path: Path) -> None:
    packed = tmp_path / "one.jsonl.gz"
    packed.write_bytes(gzip.compress(view("a") + b"\n") + gzip.compress(view("b")))
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    result = report(*arguments, str(packed), "-", stdin=view("c") + b"\r\n\r\n" + view("d"))
    assert (one(result).value, result.exit_code, result.stderr) == (4, 0, "")


def test_bad_lines_are_named_first_in_full_then_counted_and_the_rest_is_printed(
    tmp_path: Path,
) -> None:
    lines = [view("a"), b"{", b"", b'{"type":"\\u001b[2J"}', *[b"nonsense"] * 40, view("b")]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", "--format", "json", file)
    assert (result.exit_code, one(result).value) == (0, 2)
    said = result.stderr.splitlines()
    assert len(said) == BAD_LINES_SHOWN + 1
    assert said[0].startswith(f"{file}:2: malformed: ")
    assert said[1].startswith(f"{file}:4: unknown_type: ") and "\x1b" not in said[1]
    assert said[2].startswith(f"{file}:5: malformed: ")
    assert said[-1] == (
        "engage: lines left out because they are no events: 42 (41 malformed, 1 unknown_type)"
    )


def test_events_that_do_not_count_are_told_with_what_to_do(tmp_path: Path) -> None:
    first = view("a", MONDAY + 3 * DAY_MS)
    lines = [first, first, view("b", MONDAY), view("c", 4_000_000_000_000)]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", "--format", "json", file)
    assert (result.exit_code, one(result).value) == (0, 1)
    assert result.stderr.splitlines() == [
        "engage: events left out as duplicates, by event_id: 1",
        (
            "engage: events left out as late, over 24 h older than one before them: 1. "
            "Give the oldest file first, or raise time.correction_window_seconds"
        ),
        "engage: events left out because they are dated in the future: 1",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"nonsense\n{}\n"])
def test_nothing_to_count_is_exit_code_two(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "e.jsonl"
    file.write_bytes(content)
    result = report(str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"engage: there is no event to count in {file}"


def test_a_missing_or_unreadable_file_stops_before_anything_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file, missing = write(tmp_path / "e.jsonl", view("a")), str(tmp_path / "none.jsonl")
    result = report(file, missing)
    assert (result.exit_code, result.stdout) == (2, "") and "none.jsonl" in result.stderr
    options: dict[str, Any] = {"metrics": [], "windows": [], "format": "json"}
    assert run_report(Settings(), [file, missing], **options) == 2
    assert f"engage: {missing} does not exist; nothing was counted" in capfd.readouterr().err
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run_report(Settings(), [file], **options) == 2
    assert f"engage: {file} cannot be read; nothing was counted" in capfd.readouterr().err


def test_what_stands_before_the_damage_of_a_compressed_file_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl.gz"
    whole = gzip.compress(b"\n".join(view(f"v{n}") for n in range(20_000)), compresslevel=1)
    file.write_bytes(whole[: len(whole) // 2])
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    result = report(*arguments, str(file))
    assert result.exit_code == 0
    (said,) = result.stderr.splitlines()
    assert f"engage: {file} is damaged or cut short after line " in said
    counted = one(result).value
    assert counted is not None and f"line {counted:,} " in said and counted > 5_000


def test_a_file_that_is_compressed_in_name_or_in_truth_only_is_explained(tmp_path: Path) -> None:
    named = write(tmp_path / "plain.jsonl.gz", view("a"))
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(gzip.compress(view("a")))
    for file, words in ((named, "is no gzip file"), (str(packed), "name it .gz, or use zcat")):
        result = report(file)
        assert result.exit_code == 2
        assert f"engage: {file} " in result.stderr and words in result.stderr


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    longest = view("a" * 250, page_title="")
    pad = b" " * (65_536 - len(longest))  # As long as an event may be, and a line end of two.
    file.write_bytes(longest + pad + b"\r\n" + b"x" * 3_000_000 + b"\n" + view("b"))
    result = report("--metric", "page_views", "--window", "all", "--format", "json", str(file))
    assert one(result).value == 2
    assert f"{file}:2: too_large" in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_a_directory_in_the_place_of_a_file_is_a_plain_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_report(Settings(), [str(tmp_path)], metrics=[], windows=[], format="json") == 2
    assert "cannot be read after line 0: Is a directory" in capfd.readouterr().err


# ---- what cannot be asked


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
def test_unknown_names_are_refused_with_the_nearest_known(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = report(*arguments, write(tmp_path / "e.jsonl", view("a")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
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


def test_a_comparison_gives_the_window_before(tmp_path: Path) -> None:
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
