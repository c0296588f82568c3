"""`engage query` prints a worker's answers, and its refusals with what is possible."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from tests.queries.service import Service
from tests.queries.test_refusals import NOW_MS, SETTINGS, view


class Command:
    """`engage query` against a service."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def run(self, *arguments: str, url: str | None = None) -> Result:
        """Run it in a thread, while the service answers."""
        given = ["query", *arguments, "--url", url or self._url]
        return await asyncio.to_thread(CliRunner().invoke, main, given)


@pytest.fixture
async def command(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Command]:
    monkeypatch.chdir(tmp_path)
    async with Service(redis_url, tmp_path, SETTINGS) as service:
        (tmp_path / "engage.toml").unlink()
        await service.count([view(number, days_ago=10 - number) for number in range(11)], NOW_MS)
        client = await service.client()
        yield Command(str(client.make_url("/")).rstrip("/"))


async def test_table_names_period_dimension_value_and_what_is_open(command: Command) -> None:
    result = await command.run(
        "page_views", "--from", "2026-10-26", "--to", "2026-11-04", "--step", "week",
        "--by", "country",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["from", "2026-10-26", "country", "=", "DE", "7*"] in lines
    assert ["from", "2026-11-02", "country", "=", "DE", "3*"] in lines
    assert "Site shop. Times are in Europe/Berlin." in result.stdout


async def test_table_of_a_range_and_of_a_ratio(command: Command) -> None:
    result = await command.run("page_views", "bounce_rate", "--from", "2026-11-01", "--step", "all")
    assert "2026-11-01 to 2026-11-04" in result.stdout
    assert "–" in result.stdout, "without a session, a ratio has no value"


async def test_json_is_a_record_a_line_and_csv_a_row(command: Command) -> None:
    result = await command.run("page_views", "--from", "2026-11-01", "--format", "json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["value"] for record in records] == [1, 1, 1, 1]
    assert records[-1]["is_final"] is False
    result = await command.run("page_views", "--from", "2026-11-01", "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["start"][:10] for row in rows] == [r["window"]["start"][:10] for r in records]


async def test_what_is_left_out_is_named_on_standard_error(command: Command) -> None:
    result = await command.run("page_views", "--from", "2026-11-01", "--to", "2026-11-30")
    assert result.exit_code == 0
    assert "nothing is known after" in result.stderr


async def test_a_refusal_says_what_is_possible(command: Command) -> None:
    result = await command.run("unique_visitors", "--step", "all")
    assert result.exit_code == 2
    assert "does not add up over days" in result.stderr
    assert "Possible: step: day, week, month" in result.stderr
    result = await command.run("bounce_rat")
    assert result.exit_code == 2
    assert "did you mean bounce_rate?" in result.stderr
    assert "more" in result.stderr, "a long list is cut"


async def test_no_worker_is_exit_code_one(command: Command) -> None:
    result = await command.run("page_views", url="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "is a worker there?" in result.stderr
    result = await command.run("page_views", url="127.0.0.1")
    assert result.exit_code == 2
