"""The overview of a report: one screen with a line for each metric that has data."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from agents.report.sections import SECTIONS
from agents.report.series import Days, numbers_of, series, steps_of
from agents.report.sparkline import sparkline
from agents.report.values import brief_change, brief_value, duration
from schemas.outputs import MetricRecord, Window
from stream.metrics.catalogue import THEMES
from tests.pictures.shop import shop as shop_of_everything
from tests.unit.agents.test_report_command import DAY_MS, MONDAY, ROOT, event, report, view, write
from tests.unit.agents.test_report_command import elsewhere as elsewhere


def lines(*arguments: str, width: int = 120, **environ: str) -> list[str]:
    result = report(*arguments, COLUMNS=str(width), **environ)
    assert result.exit_code == 0
    return result.stdout.splitlines()


def row(shown: list[str], metric: str) -> list[str]:
    (found,) = (line.split() for line in shown if line.split()[:1] == [metric])
    return found[1:]


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """Write 20 days of page views, more in the second half, with an order every other day."""
    found = []
    for day in range(20):
        time_ms = MONDAY + day * DAY_MS
        for who in range(1 + day // 10):
            found.append(view(f"v{who}", time_ms, context={"country": "DE"}))
        if day % 2:
            found.append(event("order", "v0", time_ms + 1, order_id=f"o{day}", revenue=10 + day))
    return write(tmp_path / "shop.jsonl", *found)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits_the_screen_at_any_width(shop: str, width: int) -> None:
    shown = lines(shop, width=width)
    assert max(map(len, shown)) <= width and len(shown) <= 60
    assert not any("\x1b" in line or line != line.rstrip() for line in shown)
    period = "2024-01-01 to 2024-01-20 (not over, newest event after 00:00), 20 days, UTC"
    assert " ".join(shown).startswith(f"40 lines read, all counted {period} ")
    for title in ("Audience", "Sessions", "Orders"):
        assert title in shown
    assert "Support" not in shown and any(
        line.startswith("Without data: ") and "Customers, Feedback, Support" in line
        for line in shown
    )


def test_a_line_tells_value_window_change_series_and_benchmark(shop: str) -> None:
    shown = lines(shop)
    # The newest 7 days that are over have 14 views, the 7 before have 9.
    assert row(shown, "page_views")[:3] == ["30", "all", "+55.6%"]
    assert row(shown, "page_views")[3] == "▅" * 10 + "█" * 9
    assert row(shown, "bounce_rate")[:2] == ["66.7%", "all"]
    assert row(shown, "bounce_rate")[-3:] == ["20%", "to", "55%"]
    assert row(shown, "daily_active_users")[:2] == ["2", "day"]
    assert row(shown, "weekly_active_users")[:3] == ["2", "7d", "0.0%"]
    assert any(line.startswith("window: all is the whole input; ") for line in shown)
    assert any(line.startswith("change: newest 7 days on the 7 before") for line in shown)


def test_the_accounting_comes_first(tmp_path: Path) -> None:
    first = view("a")
    shown = report(write(tmp_path / "e.jsonl", first, first, b"{")).stdout.splitlines()
    assert [line.split()[:2] for line in shown[:4]] == [
        ["3", "lines"], ["1", "counted"], ["1", "no"], ["1", "duplicate"],
    ]  # fmt: skip


def test_money_is_shown_in_its_currency(shop: str) -> None:
    shown = lines(shop, ENGAGE_CURRENCY="JPY")
    assert row(shown, "revenue")[:3] == ["200", "JPY", "all"]


def test_any_choice_gives_the_detail(shop: str) -> None:
    for options in (["--full"], ["--metric", "page_views"], ["--window", "day"], ["--by", "country"],
                    ["--compare"], ["--round", "2"]):  # fmt: skip
        assert "Times are in UTC." in lines(*options, shop)


def test_people_of_all_days_are_compared_only_in_windows_of_equal_length(shop: str) -> None:
    shown = lines(shop)
    # Two people in all; no window of 7 days counts visitors, and days of visitors do not add up.
    assert row(shown, "unique_visitors")[:2] == ["2", "all"]
    assert "%" not in "".join(row(shown, "unique_visitors")[2:])


def test_a_day_that_is_known_to_be_complete_is_compared(shop: str) -> None:
    shown = lines("--until", "2024-01-20", shop)
    assert shown[1] == "2024-01-01 to 2024-01-20, 20 days, UTC"
    assert row(shown, "page_views")[:3] == ["30", "all", "+40.0%"]


def test_one_day_has_no_change_and_no_note_about_it(tmp_path: Path) -> None:
    shown = lines(write(tmp_path / "e.jsonl", view("a"), view("b")))
    assert shown[1].startswith("2024-01-01 (not over, newest event after 00:00), UTC")
    assert row(shown, "page_views")[:2] == ["2", "all"]
    assert row(shown, "daily_active_users")[:2] == ["2*", "day"]
    assert any(line.startswith("* so far: ") for line in shown)
    assert not any(line.startswith("change:") for line in shown)


def test_sites_are_apart_and_more_than_three_are_named(tmp_path: Path) -> None:
    found = [view(f"v{n}", site=site) for site in "abcde" for n in range("edcba".index(site) + 1)]
    shown = lines(write(tmp_path / "e.jsonl", *found))
    assert [line[:2] for line in shown if ": 2024-01-01 (not over" in line] == ["a:", "b:", "c:"]
    assert "2 more sites: d, e" in shown


def test_a_file_of_everything_still_fits_and_keeps_what_says_most(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text("\n".join(shop_of_everything()))
    shown = lines(str(file), width=80)
    assert 50 < len(shown) <= 60
    titles = {line.split()[0]: line for line in shown if line[:1].isupper()}
    assert titles["Audience"].startswith("Audience  and ")
    for name in ("daily_active_users", "monthly_active_users", "stickiness", "churn_rate", "nps"):
        assert row(shown, name)


def test_an_encoding_without_bars_shows_no_series(shop: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents", "report", shop],
        env=os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True, check=True,
    )  # fmt: skip
    shown = done.stdout.decode("latin-1")
    assert "page_views" in shown and "?" not in shown and max(map(len, shown.splitlines())) <= 80


def test_every_theme_belongs_to_a_section() -> None:
    themes = [theme for titles in SECTIONS.values() for theme in titles]
    assert sorted(themes) == sorted(theme.title for theme in THEMES)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, None, 3], "▃ █"),
        ([5, 5, 5], "▅▅▅"),
        ([0, 0], "▁▁"),
        ([90, 100], "▅█"),
        ([-5, 5], "▅█"),
        ([None, None], "  "),
        ([], ""),
    ],
)
def test_a_sparkline_shows_each_value(values: list[float | None], text: str) -> None:
    assert sparkline(values) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"), (59.94, "59.9 s"), (60, "1m 00s"), (1039.6, "17m 20s"),
        (3_659, "1h 01m"), (86_400 * 3 + 7_300, "3d 02h"),
    ],
)  # fmt: skip
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "is_mean", "text"),
    [
        (0.5912, "ratio", True, "59.1%"),
        (0.0012, "ratio", True, "0.12%"),
        (5.864, "pages", True, "5.86"),
        (21_142, "views", False, "21,142"),
        (40, "points", True, "40.0"),
        (None, "ratio", True, "–"),
    ],
)
def test_brief_values(value: float | None, unit: str, is_mean: bool, text: str) -> None:
    assert brief_value(value, unit, None, is_mean=is_mean) == text


def test_a_manifold_rise_is_a_factor() -> None:
    assert brief_change(2_000, 100, "people", None) == "×20"
    assert brief_change(0.5, 0.01, "ratio", None) == "+49.0 pt"


def test_steps_are_whole() -> None:
    days = Days(date(2024, 1, 3), date(2024, 3, 31))  # from a Wednesday to a Sunday
    assert [span.first.day for span in steps_of("week", days, 0)][:2] == [8, 15]
    assert steps_of("week", days, 6)[-1].last == date(2024, 3, 30)
    assert [span.first.month for span in steps_of("month", days, 0)] == [2, 3]


def record(kind: str, first: str | None, end: str | None, value: float, of: float) -> MetricRecord:
    return MetricRecord(
        metric="m", value=value / of, unit="ratio", numerator=value, denominator=of, site="s",
        dimensions={}, window=Window(kind, first, end), revision=1, is_final=True,  # type: ignore[arg-type]
        approximate=False, watermark=None, definition="d",
    )  # fmt: skip


def test_a_series_by_week_adds_up_days_only_if_they_add_up() -> None:
    days = [record("day", f"2024-01-{d:02}T00:00:00Z", f"2024-01-{d + 1:02}T00:00:00Z", d, 10)
            for d in range(1, 15)]  # fmt: skip
    weeks = steps_of("week", Days(date(2024, 1, 1), date(2024, 1, 14)), 0)
    adding = numbers_of([record("all", None, None, 105, 140), *days])
    assert series(adding, "week", weeks) == [pytest.approx(0.4), pytest.approx(1.1)]
    people = numbers_of([record("all", None, None, 20, 140), *days])
    assert series(people, "week", weeks) == [pytest.approx(0.4), pytest.approx(1.1)]
    uneven = numbers_of([record("day", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 1, 100),
                         *days[1:]])  # fmt: skip
    assert series(uneven, "week", weeks)[0] == pytest.approx((0.01 + 2.7) / 7)
