"""Lifecycle, retention and stickiness of PostHog's own tests, printed by `engage report`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.report.command import run_report
from schemas.outputs import WindowKind
from stream.report.periods import parse_complete
from stream.settings.application import Settings
from stream.settings.audience import RetentionSettings
from stream.settings.connections import Table
from stream.settings.definitions import Selection
from tests.integration.test_cases_report import CASES, expected

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
Printed = list[dict[str, Any]]


def printed(
    capsys: pytest.CaptureFixture[str], case: str, settings: dict[str, Any], **options: Any
) -> Printed:
    """Return the records that the command prints for a case."""
    chosen = Settings(dimensions=(), **settings)
    file = str(CASES / "posthog" / case / "events.jsonl")
    options = {"metrics": [], "windows": []} | options
    assert run_report(chosen, [file], format="json", **options) == 0
    captured = capsys.readouterr()
    lines = len(Path(file).read_bytes().splitlines())
    assert captured.err == f"{lines} lines read, all counted\n"
    return [json.loads(line) for line in captured.out.splitlines()]


def checks_of(case: str, query: str) -> dict[tuple[Any, ...], Any]:
    """Return the expected answers of a query: path into PostHog's answer → value."""
    checks = expected(f"posthog/{case}")["checks"]
    return {tuple(c["path"][1:]): c["equals"] for c in checks if c["path"][0] == query}


#: PostHog calls people returning if they were active in the period before.
LIFECYCLE = {
    "new": ("new_visitors", 1),
    "returning": ("retained_users", 1),
    "resurrecting": ("resurrected_users", 1),
    "dormant": ("dormant_users", -1),
}


@pytest.mark.parametrize(
    ("case", "query", "kind", "starts"),
    [
        ("lifecycle-lifecycle_trend", "q0", "day", [f"2020-01-{day}" for day in range(12, 20)]),
        ("lifecycle-timezones", "q0", "day", [f"2020-01-{day}" for day in range(12, 20)]),
        ("lifecycle-timezones", "q1", "day", [f"2020-01-{day}" for day in range(12, 20)]),
        (
            "lifecycle-lifecycle_trend_weeks", "q0", "week",
            ["2020-02-03", "2020-02-10", "2020-02-17", "2020-02-24", "2020-03-02", "2020-03-09"],
        ),
        (
            "lifecycle-lifecycle_trend_months", "q0", "month",
            [f"2020-0{month}-01" for month in range(2, 10)],
        ),
    ],
)  # fmt: skip
def test_lifecycle_matches_posthog(
    capsys: pytest.CaptureFixture[str],
    case: str,
    query: str,
    kind: WindowKind,
    starts: Sequence[str],
) -> None:
    checks = checks_of(case, query)
    queries = expected(f"posthog/{case}")["queries"]
    zone = {one["id"]: one["timezone"] for one in queries}[query]
    # PostHog's weeks of that time begin on Sunday, but those of its lifecycle on Monday.
    assert checks.pop((0, "days"), list(starts)) == list(starts)
    metrics = [metric for metric, _ in LIFECYCLE.values()]
    found = printed(
        capsys,
        case,
        {"timezone": zone},
        metrics=metrics,
        windows=[kind],
        until=parse_complete(starts[-1]),
    )
    table = {(r["metric"], r["window"]["start"][:10]): r["value"] for r in found}
    for status, (metric, sign) in LIFECYCLE.items():
        numbers = [sign * table.get((metric, start), 0) for start in starts]
        assert numbers == checks.pop((f"status={status}", "data")), status
    assert not checks


def events_of(**where: str) -> Selection:
    return Selection(type="custom", where=dict(where))


@pytest.mark.parametrize(
    ("case", "settings", "cohort", "kind", "first"),
    [
        ("retention-day_interval", {}, "recurring", "day", "2020-06-10"),
        ("retention-week_interval", {"week_start": "sunday"}, "recurring", "week", "2020-06-07"),
        (
            "retention-first_time_retention",
            {
                "retention": RetentionSettings(
                    start=events_of(name="$user_signed_up"), returning=Selection(type="page_view")
                )
            },
            "first_time", "day", "2020-06-09",
        ),
    ],
)  # fmt: skip
def test_retention_triangles_match_posthog(
    capsys: pytest.CaptureFixture[str],
    case: str,
    settings: dict[str, Table | str],
    cohort: str,
    kind: WindowKind,
    first: str,
) -> None:
    checks = checks_of(case, "q0")
    expected_counts = checks["*", "values", "*", "count"]
    found = printed(capsys, case, settings, retention=cohort, windows=[kind])
    cells = {
        (r["window"]["start"][:10], int(r["dimensions"]["period"])): r["numerator"] for r in found
    }
    cohorts = sorted({start for start, _ in cells if start >= first})
    assert cohorts[0] == first
    dates = checks.get(("*", "date"), [])
    assert [date[:10] for date in dates] == cohorts[: len(dates)]
    # After the last event PostHog continues with zeros to the end of the requested period.
    rows = [
        [
            cells.get((cohorts[n], period), 0) if n < len(cohorts) else 0
            for period in range(len(row))
        ]
        for n, row in enumerate(expected_counts)
    ]
    assert rows == expected_counts
    assert {r["metric"] for r in found} == {f"retention_{cohort}"}
    for record in found:
        people = record["denominator"]
        assert record["value"] == (record["numerator"] / people if people else None)


def test_people_by_number_of_active_days_match_posthog(capsys: pytest.CaptureFixture[str]) -> None:
    checks = checks_of("stickiness-stickiness", "q0")
    found = printed(capsys, "stickiness-stickiness", {}, metrics=["active_days"], windows=["month"])
    bars = {int(r["dimensions"]["active_days"]): r["value"] for r in found}
    assert sum(bars.values()) == checks.pop(("result", 0, "count"))
    for (_, _, what, place), expected_counts in checks.items():
        if what == "data":
            assert bars.get(place + 1, 0) == expected_counts
        else:
            assert expected_counts == f"{place + 1} day{'s' if place else ''}"


def test_triangles_are_printed_as_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(CASES / "posthog" / "retention-week_interval" / "events.jsonl")
    settings = Settings(week_start="sunday")
    until = parse_complete("2020-07-25")
    options: dict[str, Any] = {
        "metrics": [], "windows": ["week"], "format": "table", "until": until
    }  # fmt: skip
    assert run_report(settings, [file], retention="recurring", **options) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["default,", "by", "week", "people", *"123456"]
    assert lines[1] == [
        "from",
        "2020-06-07",
        "2",
        "100.0%",
        "50.0%",
        "100.0%",
        "100.0%",
        "0.0%",
        "50.0%",
    ]
    assert ["from", "2020-07-12"] not in [line[:2] for line in lines]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"windows": ["hour"]}, "--retention has no window 'hour'; it has day, week, month"),
        ({"metrics": ["mrr"]}, "--retention is of the whole site; leave out --metric"),
    ],
)
def test_impossible_options_of_a_triangle_are_refused(
    options: dict[str, list[str]], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, Any] = {"metrics": [], "windows": []} | options
    file = str(CASES / "posthog" / "retention-day_interval" / "events.jsonl")
    assert run_report(Settings(), [file], format="json", retention="recurring", **given) == 2
    assert words in capsys.readouterr().err
