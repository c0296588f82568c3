"""`engage report` on metrics with dimensions of their own: goals, funnels, pages."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main

MONDAY = 1_704_067_200_000
TOML = """
[funnels.shop]
steps = [{ type = "page_view" }, { type = "order" }]
[measures.gifts]
type = "order"
where = { "context.gift" = "yes" }
[metrics.gift_share]
numerator = "gifts"
denominator = "people"
"""


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write events of four people who view a page; two of them order, one of these a gift."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engage.toml").write_text(TOML, encoding="utf-8")
    looked = [{"type": "page_view", "page_url": "/", "user_id": f"p{n}"} for n in range(4)]
    ordered = [{"type": "order", "order_id": f"o{n}", "user_id": f"p{n}"} for n in range(2)]
    ordered[0]["context"] = {"gift": "yes"}  # type: ignore[assignment]
    lines = [
        msgspec.json.encode(event | {"event_id": f"e{number}", "event_time": MONDAY + number})
        for number, event in enumerate([*looked, *ordered])
    ]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    return str(file)


def report(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", "--until", "2024-01-01", *arguments])


def rows(result: Result) -> list[list[str]]:
    """Return the words of every line of a table."""
    assert result.exit_code == 0, result.stderr
    return [line.split() for line in result.stdout.splitlines() if line.startswith(" ")]


def test_a_funnel_is_shown_step_by_step(events: str) -> None:
    shown = rows(report(events, "--metric", "funnel_conversion", "--window", "all"))
    assert shown == [
        ["all", "funnel,step", "=", "shop,1", "100.00%", "4", "÷", "4"],
        ["all", "funnel,step", "=", "shop,2", "50.00%", "2", "÷", "4"],
    ]


def test_goals_are_shown_on_request(events: str) -> None:
    options = ("--metric", "conversion_rate", "--window", "day")
    assert rows(report(events, *options)) == [["day", "Mon", "2024-01-01", "50.00%", "2", "÷", "4"]]
    by_goal = rows(report(events, *options, "--by", "goal"))
    assert by_goal[1][3:6] == ["goal", "=", "order"]


def test_an_unknown_dimension_is_refused(events: str) -> None:
    result = report(events, "--by", "gaol")
    assert result.exit_code == 2
    assert "unknown dimension 'gaol' (did you mean goal?)" in result.stderr


def test_own_metrics_are_reported_and_their_definition_has_a_version(events: str) -> None:
    result = report(events, "--metric", "gift_share", "--format", "json")
    [record] = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert (record["numerator"], record["denominator"], record["value"]) == (1, 4, 0.25)
    Path("engage.toml").write_text(TOML.replace("yes", "*"), encoding="utf-8")
    again = report(events, "--metric", "gift_share", "--format", "json")
    changed = msgspec.json.decode(again.stdout.splitlines()[0])
    assert changed["definition"] != record["definition"]
