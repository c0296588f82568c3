"""`engage report` over a range of days, and up to the time to which the data are complete."""

from pathlib import Path

import pytest

from tests.unit.agents.test_report_command import (
    DAY_MS,
    MONDAY,
    elsewhere,
    event,
    records,
    report,
    view,
    write,
)

__all__ = ["elsewhere"]
RANGE = ("--from", "2024-01-02", "--to", "2024-01-04")


@pytest.fixture
def week(tmp_path: Path) -> str:
    """Write a week: one person on each day, another on Tuesday and Thursday, with orders on two days."""
    lines = []
    for day in range(7):
        time_ms = MONDAY + day * DAY_MS
        lines.append(view("a", time_ms))
        if day in (1, 3):
            lines.append(view("b", time_ms, context={"country": "DE"}))
            lines.append(event("order", "b", time_ms + 9, order_id=f"o{day}", revenue=17.94))
    return write(tmp_path / "e.jsonl", *lines)


def values(*arguments: str) -> dict[tuple[str, str], float | int | None]:
    """Return the values of whole sites by (metric, kind of window)."""
    result = report("--format", "json", *arguments)
    assert result.exit_code == 0, result.stderr
    return {(r.metric, r.window.kind): r.value for r in records(result) if not r.dimensions}


def test_a_range_counts_its_days_and_each_person_once(week: str) -> None:
    found = values(*RANGE, week)
    assert {kind for _, kind in found} == {"range"}
    assert found["page_views", "range"] == 5
    assert found["unique_visitors", "range"] == 2
    assert (found["orders", "range"], found["buyers", "range"]) == (2, 1)
    assert found["revenue", "range"] == 35.88
    # It looks back: one of the two came on Monday for the first time.
    assert found["new_visitors", "range"] == 1
    assert found["conversion_rate", "range"] == 0.5
    window = records(report("--format", "json", *RANGE, week))[0].window
    assert (window.start, window.end) == ("2024-01-02T00:00:00Z", "2024-01-05T00:00:00Z")


def test_a_range_may_be_open(week: str) -> None:
    assert values("--from", "2024-01-05", week)["unique_visitors", "range"] == 1
    assert values("--to", "2024-01-02", week)["page_views", "range"] == 3


def test_windows_and_dimensions_combine_with_a_range(week: str) -> None:
    chosen = ("--metric", "page_views", "--format", "json", *RANGE, week)
    days = records(report("--window", "day", *chosen))
    assert {(r.window.start or "")[:10] for r in days} == {
        "2024-01-02", "2024-01-03", "2024-01-04",
    }  # fmt: skip
    by_country = records(report("--by", "country", *chosen))
    assert [r.value for r in by_country if r.dimensions == {"country": "DE"}] == [2]
    assert records(report("--window", "week", *chosen)) == []


def test_a_range_is_final_when_its_last_day_is_over(week: str) -> None:
    def finals(*arguments: str) -> set[bool]:
        shown = report("--metric", "page_views", "--format", "json", *arguments, week)
        return {record.is_final for record in records(shown)}

    assert finals(*RANGE) == {True}
    assert finals("--from", "2024-01-05") == {False}
    assert finals("--from", "2024-01-05", "--until", "2024-01-07") == {True}


def test_metrics_without_a_value_over_a_range_are_named(week: str) -> None:
    result = report(*RANGE, week)
    assert "without a value over a range of days: daily_active_users, " in result.stderr
    assert "unique_visitors" in result.stdout


def test_every_metric_that_adds_up_has_all_days(week: str) -> None:
    found = values("--metric", "marketing_spend", "--metric", "nps", "--window", "all", week)
    assert found == {("marketing_spend", "all"): 0, ("nps", "all"): None}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--from", "2024-01-04", "--to", "2024-01-02"),
            "from 2024-01-04 to 2024-01-02 ends before",
        ),
        (("--from", "yesterday"), "'yesterday' is no date such as 2024-02-29"),
        (("--to", "2024-02-30"), "'2024-02-30' is no date such as 2024-02-29"),
        (("--from", "1989-12-31"), "1989-12-31 is outside 1990 to 2199"),
        (("--until", "soon"), "'soon' is no date such as 2024-02-29 and no time such as"),
        (("--until", "1970-01-01"), "1970-01-01 is outside 1990 to 2199"),
        (("--from", "2025-01-01"), "there is no event from 2025-01-01 in the files"),
        (("--from", "2024-01-02", "--retention", "recurring"), "leave out --from and --to"),
    ],
)
def test_periods_that_cannot_be_are_refused(
    week: str, arguments: tuple[str, ...], words: str
) -> None:
    result = report(*arguments, week)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


def test_a_metric_with_a_window_of_its_own_is_refused_over_a_range(week: str) -> None:
    result = report("--metric", "daily_active_users", *RANGE, week)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "daily_active_users has no value over a range of days; add --window day" in result.stderr
    days = records(
        report(
            "--metric", "daily_active_users", "--window", "day", "--format", "json", *RANGE, week
        )
    )
    assert [r.value for r in days if not r.dimensions] == [2, 1, 2]
