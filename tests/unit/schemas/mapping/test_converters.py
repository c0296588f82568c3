"""The closed table of converters, value by value."""

from typing import Any

import pytest

from schemas.mapping.code import converter
from schemas.mapping.converters import CONVERTERS, mapped
from schemas.mapping.document import Conversion
from schemas.mapping.paths import parse_path
from schemas.mapping.values import RefusedValue


def convert(name: str, value: Any, *more: Any, **options: Any) -> Any:
    read = {
        option: (parse_path(one),) if CONVERTERS[name].options[option].kind == "path" else one
        for option, one in options.items()
    }
    return converter(Conversion(name, read))(value, *more)


GOOD: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("text", 17, "17", {}), ("text", 1.0, "1", {}), ("text", 1.5, "1.5", {}),
    ("text", True, "true", {}), ("text", "a", "a", {}),
    ("number", " 27.50 ", 27.5, {}), ("number", "-1e3", -1000.0, {}), ("number", 3, 3, {}),
    ("integer", "3", 3, {}), ("integer", 3.0, 3, {}),
    ("boolean", "TRUE", True, {}), ("boolean", 0, False, {}), ("boolean", False, False, {}),
    ("percent", 0.5, 50.0, {}), ("lower", "ÄB", "äb", {}), ("upper", "de", "DE", {}),
    ("url_path", "https://a.example/b/c?d=1", "/b/c", {}), ("url_path", "https://a.example", "/", {}),
    ("last_part", "https://a.example/b/c", "c", {}), ("last_part", "c", "c", {}),
    ("request_path", "GET /a?b=1 HTTP/1.1", "/a?b=1", {}),
    ("schema_name", "iglu:a.b/viewed/jsonschema/1-0-0", "viewed", {}),
    ("not_direct", "$direct", None, {}), ("not_direct", "https://a.example", "https://a.example", {}),
    ("seconds", 1_741_942_800, 1_741_942_800_000, {}), ("seconds", 1000.1, 1_000_100, {}),
    ("seconds", "1741942800.5", 1_741_942_800_500, {}),
    ("milliseconds", "1741942800250", 1_741_942_800_250, {}),
    ("microseconds", "1741942800250999", 1_741_942_800_250, {}),
    ("nanoseconds", 1_741_942_800_250_999_999, 1_741_942_800_250, {}),
    ("epoch", 1_741_942_800, 1_741_942_800_000, {}),
    ("epoch", 1_741_942_800_250, 1_741_942_800_250, {}),
    ("epoch", 1_741_942_800_250_999, 1_741_942_800_250, {}),
    ("epoch", 1_741_942_800_250_999_999, 1_741_942_800_250, {}),
    ("rfc3339", "2025-03-14T09:00:00.465719851Z", "2025-03-14T09:00:00.465719Z", {}),
    ("rfc3339", "2025-03-14T09:00:00+01:00", "2025-03-14T09:00:00+01:00", {}),
    ("datetime", "2025-03-14 09:00:00.250", "2025-03-14T09:00:00.250Z", {"zone": "UTC"}),
    ("datetime", "2025-03-14 09:00:00", "2025-03-14T09:00:00+01:00", {"zone": "Europe/Berlin"}),
    ("datetime", "2025-07-14 09:00:00", "2025-07-14T09:00:00+02:00", {"zone": "Europe/Berlin"}),
    ("datetime", "2025-03-14 09:00:00 UTC", "2025-03-14T09:00:00Z", {"zone": "Europe/Berlin"}),
    ("datetime", "2025-03-14T09:00:00-05:00", "2025-03-14T09:00:00-05:00", {"zone": "UTC"}),
    ("time", "1317470400", 1_317_470_400_000, {"zone": "UTC"}),
    ("time", "2011-04-05 00:11:42", "2011-04-05T00:11:42Z", {"zone": "UTC"}),
    ("clf_time", "10/Oct/2000:13:55:36 -0700", "2000-10-10T13:55:36-07:00", {}),
    ("decimal", "B9A=", 20.0, {"scale": 2}), ("decimal", "/w==", -0.01, {"scale": 2}),
    ("decimal", {"scale": 1, "value": "B9A="}, 200.0, {"scale": 2}),
    ("count", [1, 2], 2, {}), ("sum", [{"q": 1}, {"q": "2"}, {}], 3, {"of": "q"}),
]  # fmt: skip
BAD: list[tuple[str, Any, dict[str, Any]]] = [
    ("text", {}, {}), ("text", [], {}), ("number", "27,50", {}), ("number", True, {}),
    ("number", "1e999", {}), ("number", "nan", {}), ("number", "", {}), ("integer", 1.5, {}),
    ("boolean", "yes", {}), ("boolean", 2, {}), ("percent", "x", {}), ("url_path", "http://[", {}),
    ("request_path", "hello", {}), ("schema_name", "a/b", {}), ("seconds", "soon", {}),
    ("seconds", 1e300, {}), ("rfc3339", "2025-03-14T09:00:00", {}), ("rfc3339", "2025-03-14", {}),
    ("rfc3339", 5, {}), ("datetime", "2025-02-30 09:00:00", {"zone": "UTC"}),
    ("time", "today", {"zone": "UTC"}), ("clf_time", "10/Okt/2000:13:55:36 -0700", {}),
    ("clf_time", "99/Oct/2000:13:55:36 -0700", {}), ("decimal", "30.00", {"scale": 2}),
    ("decimal", 30.0, {"scale": 2}), ("decimal", "A" * 400, {"scale": 2}), ("count", {}, {}),
    ("sum", "x", {"of": "q"}), ("sum", [{"q": "x"}], {"of": "q"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "wanted", "options"), GOOD)
def test_a_value_is_converted(name: str, value: Any, wanted: Any, options: dict[str, Any]) -> None:
    found = convert(name, value, **options)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(("name", "value", "options"), BAD)
def test_a_value_that_cannot_be_converted_is_refused(
    name: str, value: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(RefusedValue):
        convert(name, value, **options)


@pytest.mark.parametrize(
    ("currency", "amount", "wanted"),
    [("usd", 1500, 15.0), ("JPY", 1500, 1500.0), ("KWD", 1500, 1.5), ("isk", "1500", 15.0)],
)
def test_smallest_units_follow_the_currency(currency: str, amount: Any, wanted: float) -> None:
    assert convert("minor_units", amount, currency) == wanted


def test_an_amount_without_its_currency_is_refused() -> None:
    with pytest.raises(RefusedValue, match="its currency is absent"):
        convert("minor_units", 1500, None)


MONTHLY = {
    "amount": "price", "quantity": "n", "interval": "per", "interval_count": "every",
    "currency": "currency",
}  # fmt: skip


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ({"price": 1500, "per": "month", "currency": "usd"}, 15.0),
        ({"price": 12_000, "per": "year", "n": 5, "currency": "usd"}, 50.0),
        ({"price": 1200, "per": "week", "currency": "usd"}, 52.0),
        ({"price": 1200, "per": "day", "currency": "usd"}, 365.0),
        ({"price": 3000, "per": "month", "every": 3, "currency": "usd"}, 10.0),
        ({"price": "1500.5", "per": "month", "currency": "usd"}, 15.005),
        ({"price": 1500, "per": "month", "currency": "jpy"}, 1500.0),
    ],
)
def test_a_price_is_one_of_a_month(item: dict[str, Any], wanted: float) -> None:
    assert convert("monthly", [item], **MONTHLY) == pytest.approx(wanted)
    assert convert("monthly", [item, item], **MONTHLY) == pytest.approx(2 * wanted)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"per": "month", "currency": "usd"}, "an item without a price"),
        ({"price": 1, "per": "moon", "currency": "usd"}, "'moon' is no interval"),
        ({"price": 1, "currency": "usd"}, "null is no interval"),
        ({"price": 1, "per": "month", "every": 0, "currency": "usd"}, "an interval of 0"),
        ({"price": {}, "per": "month", "currency": "usd"}, "is no number"),
    ],
)
def test_a_price_that_cannot_be_told_is_refused(item: dict[str, Any], why: str) -> None:
    with pytest.raises(RefusedValue, match=why):
        convert("monthly", [item], **MONTHLY)
    with pytest.raises(RefusedValue, match="there is no item"):
        convert("monthly", [], **MONTHLY)


def test_a_map_looks_up_the_text_of_a_value() -> None:
    table = {"true": "outgoing", "5": "x", "none": ""}
    assert mapped(table, None)(True) == "outgoing"
    assert mapped(table, None)(5) == "x"
    assert mapped(table, "else")("y") == "else"
    assert mapped(table, None)("none") is None
    with pytest.raises(RefusedValue, match="not in its map of true, 5, none; add it, or set else"):
        mapped(table, None)("y")
