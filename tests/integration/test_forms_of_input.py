"""The same real events give the same numbers in every form, compression and order."""

import csv
import gzip
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cramjam
import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.outputs import MetricRecord, WindowKind, record_key
from stream.report.bounded import BadLine
from stream.report.file_report import Report
from stream.settings.application import Settings

CASES = Path(os.environ.get("ENGAGE_CASES") or Path(__file__).parents[3] / "shared" / "cases")
NOW_MS = 1_767_225_600_000  # 2026: after all events.
KINDS: tuple[WindowKind, ...] = ("all", "month", "week", "day", "trailing_7d")

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)


def flat(line: bytes) -> dict[str, Any]:
    """Return an event as a row: the fields of its context have columns of their own."""
    event = json.loads(line)
    context = event.pop("context", {})
    return event | {f"context.{name}": value for name, value in context.items()}


def as_csv(lines: list[bytes]) -> bytes:
    rows = [flat(line) for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))
    path = Path("table.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, delimiter=";", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path.read_bytes()


def as_parquet(lines: list[bytes]) -> bytes:
    rows = [flat(line) for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    at = table.schema.get_field_index("event_time")
    moments = table.column(at).cast(pa.timestamp("ns", "UTC"))
    sink = pa.BufferOutputStream()
    parquet.write_table(table.set_column(at, "event_time", moments), sink, row_group_size=5_000)
    return sink.getvalue().to_pybytes()


def shuffled(lines: list[bytes]) -> bytes:
    return b"\n".join(random.Random(5).sample(lines, len(lines)))


FORMS: dict[str, Callable[[list[bytes]], bytes]] = {
    "array": lambda lines: b"[\n" + b",\n".join(lines) + b"\n]\n",
    "csv": as_csv,
    "parquet": as_parquet,
    "packed parquet": lambda lines: gzip.compress(as_parquet(lines), 1),
    "packed lines with a mark": lambda lines: bytes(
        cramjam.zstd.compress(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    ),
    "reversed": lambda lines: b"\n".join(reversed(lines)),
    "shuffled": shuffled,
    "twice": lambda lines: b"\n".join([*lines, *reversed(lines)]),
}


def numbers(report: Report) -> list[MetricRecord]:
    return sorted(report.records((), KINDS), key=record_key)


def read(name: str) -> list[MetricRecord]:
    bad: list[BadLine] = []
    report = Report(Settings(), NOW_MS, bad.append, is_bounded=True, kinds=KINDS)
    report.read_all([name], lambda text: None)
    assert (bad, report.damage) == ([], [])
    return numbers(report)


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    with gzip.open(CASES / "retentioneering" / "events.jsonl.gz") as source:
        return source.read().splitlines()


@pytest.fixture(scope="module")
def wanted(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> list[MetricRecord]:
    """Return the numbers of the lines as a log, as the stream counts them."""
    report = Report(Settings(), NOW_MS, lambda bad: pytest.fail(str(bad)))
    report.read("lines", lines)
    return numbers(report)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_order_gives_the_same_numbers(
    form: str, lines: list[bytes], wanted: list[MetricRecord], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events").write_bytes(FORMS[form](lines))
    found = read("events")
    assert len(found) == len(wanted)
    different = [(a, b) for a, b in zip(found, wanted, strict=True) if a != b]
    assert different[:3] == []
