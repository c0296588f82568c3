"""`engage report` reads every kind of file: compressed, damaged, partly wrong, or missing."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from agents.report.command import run_report
from agents.report.counting import BAD_LINES_SHOWN
from stream.settings.application import Settings
from tests.unit.agents.test_report_command import (
    DAY_MS,
    MONDAY,
    one,
    records,
    report,
    view,
    write,
)
from tests.unit.agents.test_report_command import elsewhere as elsewhere


def test_compressed_files_and_standard_input_are_one_log(tmp_path: Path) -> None:
    packed = tmp_path / "one.jsonl.gz"
    packed.write_bytes(gzip.compress(view("a") + b"\n") + gzip.compress(view("b")))
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    result = report(*arguments, str(packed), "-", stdin=view("c") + b"\r\n\r\n" + view("d"))
    assert (one(result).value, result.exit_code, result.stderr) == (
        4,
        0,
        "4 lines read, all counted\n",
    )


def test_the_first_bad_lines_are_shown_and_the_others_counted(
    tmp_path: Path,
) -> None:
    lines = [view("a"), b"{", b"", b'{"type":"\\u001b[2J"}', *[b"nonsense"] * 40, view("b")]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", "--format", "json", file)
    assert (result.exit_code, one(result).value) == (0, 2)
    messages = result.stderr.splitlines()
    assert len(messages) == BAD_LINES_SHOWN + 3
    assert messages[0].startswith(f"{file}:2: malformed: ")
    assert messages[1].startswith(f"{file}:4: unknown_type: ") and "\x1b" not in messages[1]
    assert messages[2].startswith(f"{file}:5: malformed: ")
    assert messages[-3:] == [
        "44 lines read",
        " 2 counted",
        "42 no event    41 malformed, 1 unknown_type",
    ]


def test_events_left_out_are_named(tmp_path: Path) -> None:
    first = view("a", MONDAY + 3 * DAY_MS)
    lines = [first, first, view("b", MONDAY), view("c", 4_000_000_000_000)]
    file = write(tmp_path / "e.jsonl", *lines)
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json", file)
    result = report(*arguments)
    assert (result.exit_code, one(result).value) == (0, 2)
    assert result.stderr.splitlines() == [
        f"{file}:4: future: event_time is after now, by more than time.max_future_skew_seconds",
        "4 lines read",
        "2 counted",
        "1 duplicate   events whose event_id was counted before",
        "1 future      events of a clock that is ahead",
    ]
    as_log = report("--as-log", *arguments)
    assert (as_log.exit_code, one(as_log).value) == (0, 1)
    assert as_log.stderr.splitlines() == [
        "4 lines read",
        "1 counted",
        "1 duplicate   events whose event_id was counted before",
        "1 late        events that came too long after newer ones",
        "1 future      events of a clock that is ahead",
        (
            "engage: late events are over 24 h older than one before them. Leave out --as-log, "
            "give the oldest file first, or raise time.correction_window_seconds"
        ),
    ]


def test_events_of_sites_beyond_the_limit_are_counted_as_other_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGAGE_LIMITS_SITES_MAX", "2")
    lines = [view(f"v{n}", site=f"s{n % 4}") for n in range(8)]
    file = write(tmp_path / "e.jsonl", *lines)
    result = report("--metric", "page_views", "--window", "all", "--format", "json", file)
    assert result.exit_code == 0
    assert {one.site: one.value for one in records(result)} == {"s0": 2, "s1": 2, "other": 4}
    assert result.stderr.splitlines() == [
        "8 lines read, all counted",
        (
            "engage: 4 events are of sites beyond limits.sites_max, and count together as the site "
            "other. Raise it, or list the sites in limits.sites_allowed"
        ),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"nonsense\n{}\n"])
def test_a_file_without_events_has_exit_code_two(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "e.jsonl"
    file.write_bytes(content)
    result = report(str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"engage: there is no event to count in {file}"


def test_a_missing_or_unreadable_file_stops_before_counting(
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


def test_a_damaged_compressed_file_is_counted_up_to_the_damage(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl.gz"
    whole = gzip.compress(b"\n".join(view(f"v{n}") for n in range(20_000)), compresslevel=1)
    file.write_bytes(whole[: len(whole) // 2])
    arguments = ("--metric", "page_views", "--window", "all", "--format", "json")
    result = report(*arguments, str(file))
    assert result.exit_code == 1
    messages, accounting = result.stderr.splitlines()
    assert f"engage: {file} is damaged or cut short after line " in messages
    counted = one(result).value
    assert counted is not None and f"line {counted:,} " in messages and counted > 5_000
    assert accounting == f"{counted:,.0f} lines read, all counted"


def test_a_suffix_says_nothing_about_the_content(tmp_path: Path) -> None:
    named = write(tmp_path / "plain.jsonl.gz", view("a"))
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(gzip.compress(view("a")))
    for file in (named, str(packed)):
        result = report("--metric", "page_views", "--window", "all", "--format", "json", file)
        assert (result.exit_code, one(result).value) == (0, 1)


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    longest = view("a" * 250, page_title="")
    pad = b" " * (
        65_536 - len(longest)
    )  # The maximum length of an event, with a line end of two characters.
    file.write_bytes(longest + pad + b"\r\n" + b"x" * 3_000_000 + b"\n" + view("b"))
    result = report("--metric", "page_views", "--window", "all", "--format", "json", str(file))
    assert one(result).value == 2
    assert f"{file}:2: too_large" in result.stderr
    assert result.stderr.splitlines()[-3:] == [
        "3 lines read",
        "2 counted",
        "1 no event    1 too_large",
    ]


def test_a_directory_instead_of_a_file_is_a_plain_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_report(Settings(), [str(tmp_path)], metrics=[], windows=[], format="json") == 2
    assert f"engage: {tmp_path} is a directory; name the files in it" in capfd.readouterr().err
