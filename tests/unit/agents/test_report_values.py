"""Values, changes, labels and windows are written for people."""

import pytest

from agents.report.labels import shortened, shortened_apart
from agents.report.partial import marked
from agents.report.values import money, shown_change, shown_parts, shown_value
from agents.report.window_names import shown_period
from schemas.outputs import MetricRecord, Window, WindowKind
from stream.counters.calendar import Calendar
from stream.counters.windows import KINDS, span_at

NOON_MS = 1_704_110_400_000  # 2024-01-01T12:00Z, a Monday


def record(
    kind: WindowKind = "day", value: float | None = 1, unit: str = "people", **other: object
) -> MetricRecord:
    window = Window("all", None, None)
    if kind in KINDS and kind != "all":
        calendar = Calendar("Europe/Berlin")
        window = span_at(kind, NOON_MS, calendar).window(calendar)
    fields: dict[str, object] = {
        "metric": "m", "numerator": 1, "denominator": None, "site": "default", "dimensions": {},
        "revision": 1, "is_final": True, "approximate": False, "watermark": None, "definition": "d",
    }  # fmt: skip
    return MetricRecord(value=value, unit=unit, window=window, **(fields | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "value", "denominator", "text"),
    [
        ("people", 12_345, None, "12,345"),
        ("ratio", 0.59116, 3, "59.12%"),
        ("ratio", None, 0, "–"),
        ("seconds", 1_039.5512, 3, "1,039.55 s"),
        ("pages", 2.85835, 3, "2.8584"),
        ("currency", 1_234.5, None, "1,234.50 EUR"),
    ],
)
def test_values_are_written_in_their_unit(
    unit: str, value: float | None, denominator: float | None, text: str
) -> None:
    assert shown_value(record(unit=unit, value=value, denominator=denominator), "EUR") == text


def test_a_ratio_shows_its_parts_and_an_estimate_does_not() -> None:
    assert shown_parts(record(numerator=2_600.5, denominator=20_000)) == "2,600.50 ÷ 20,000"
    assert shown_parts(record(numerator=30.2, denominator=1, approximate=True)) == ""
    assert shown_parts(record()) == ""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("all", ""),
        ("month", "2024-01"),
        ("week", "from 2024-01-01"),
        ("day", "Mon 2024-01-01"),
        ("trailing_7d", "to 2024-01-01"),
        ("hour", "2024-01-01 13:00"),
        ("minute", "2024-01-01 13:00"),
        ("trailing_1h", "to 2024-01-01 13:00"),
    ],
)
def test_windows_are_named_by_local_time(kind: WindowKind, text: str) -> None:
    assert shown_period(record(kind)) == text


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("EUR", "1,234.57 EUR"),
        ("JPY", "1,235 JPY"),
        ("jpy", "1,235 jpy"),
        ("KWD", "1,234.568 KWD"),
        ("CLF", "1,234.5678 CLF"),
        (None, "1,234.57"),
    ],
)
def test_money_has_the_digits_of_its_currency(currency: str | None, text: str) -> None:
    assert money(1_234.5678, currency) == text


@pytest.mark.parametrize(
    ("unit", "value", "before", "text"),
    [
        ("people", 3, 2, "+50.0%"),
        ("people", 2_000, 1, "+199,900.0%"),
        ("people", 2, 0, "+2"),
        ("people", 0, 0, ""),
        ("people", 2, 2, "0.0%"),
        ("points", -40, -40, "0 points"),
        ("people", 0, 4, "-100.0%"),
        ("ratio", 0.5, 0.25, "+25.0 points"),
        ("ratio", 0.5, 0, "+50.0 points"),
        ("points", 40, -40, "+80 points"),
        ("points", -20, -40, "+20 points"),
        ("points", -40, 40, "-80 points"),
        ("score", 4.25, 3.5, "+0.8 points"),
        ("currency", 20, -10, "+30 JPY"),
        ("seconds", 2.5, 0, "+2.5 s"),
    ],
)
def test_a_change_is_a_percentage_only_of_a_positive_number(
    unit: str, value: float, before: float, text: str
) -> None:
    assert shown_change(value, before, unit, "JPY") == text


def test_a_long_label_loses_its_middle() -> None:
    assert shortened("/short", 20) == "/short"
    assert shortened("/shop/clothes/trousers/blue", 15) == "/shop/c…rs/blue"
    assert len(shortened("x" * 500)) == 64
    assert shortened("a\r=1") == "a\\u000d=1"


def test_two_labels_never_look_alike() -> None:
    long = "a" * 60
    labels = [f"/{long}/{middle}/{long}" for middle in ("one", "two", "three")]
    labels += ["/" + "b" * 300 + end for end in ("", "b", "bb")]
    shown = shortened_apart(labels, 40)
    assert list(map(len, shown.values())) == [40] * len(labels)
    assert len(set(shown.values())) == len(labels)
    assert "/one/" in shown[labels[0]] and "/two/" in shown[labels[1]]
    assert shortened_apart(["/a", "/b", "/a"]) == {"/a": "/a", "/b": "/b"}


def test_partial_numbers_are_marked_and_stay_aligned() -> None:
    whole, part = record(), record(is_final=False)
    assert marked(["1", "2"], [whole, part]) == ["1 ", "2*"]
    assert marked(["1", "2"], [whole, whole]) == ["1", "2"]
