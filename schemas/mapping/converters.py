"""Closed table of converters: what `as` may name, with the options of each."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from schemas.mapping import money, times
from schemas.mapping.values import (
    RefusedValue,
    as_boolean,
    as_integer,
    as_number,
    as_text,
    is_absent,
    shown,
)

_REQUEST = re.compile(r"[A-Z]+ (\S+)(?: HTTP/[\d.]+)?")
_IGLU = re.compile(r"iglu:[^/]+/([^/]+)/[^/]+/[^/]+")
#: What trackers send where there is no referrer.
_DIRECT: Final = ("$direct", "(direct)", "(none)", "(not set)", "-")

#: A converter; one with a currency takes it as its second argument. None: absent.
Convert = Callable[..., Any]


class Option(Struct, frozen=True):
    """Option of a converter: `path` is a path, or a list of them, in the objects of a list."""

    kind: str
    is_needed: bool = True


class Converter(Struct, frozen=True):
    """A converter: its meaning for people, its options, and how it is made of their values."""

    meaning: str
    make: Callable[..., Convert]
    options: Mapping[str, Option] = {}


def _plain(convert: Convert) -> Callable[[], Convert]:
    return lambda: convert


def _percent(value: object) -> float:
    return as_number(value) * 100


def _lower(value: object) -> str:
    return as_text(value).lower()


def _upper(value: object) -> str:
    return as_text(value).upper()


def _url_path(value: object) -> str:
    text = as_text(value)
    try:
        return urlsplit(text).path or "/"
    except ValueError as error:
        raise RefusedValue(f"{shown(value)} is no URL: {error}") from None


def _last_part(value: object) -> str:
    return as_text(value).rstrip("/").rpartition("/")[2]


def _request_path(value: object) -> str:
    found = _REQUEST.fullmatch(as_text(value).strip())
    if found is None:
        raise RefusedValue(f"{shown(value)} is no request like GET /page HTTP/1.1")
    return found[1]


def _schema_name(value: object) -> str:
    found = _IGLU.fullmatch(as_text(value))
    if found is None:
        raise RefusedValue(f"{shown(value)} is no schema like iglu:vendor/name/jsonschema/1-0-0")
    return found[1]


def _not_direct(value: object) -> str | None:
    text = as_text(value)
    return None if text in _DIRECT else text


def _count(value: object) -> int:
    if not isinstance(value, list):
        raise RefusedValue(f"{shown(value)} is no list")
    return len(value)


def _monthly(
    amount: money.Lookup,
    interval: money.Lookup,
    currency: money.Lookup,
    quantity: money.Lookup | None = None,
    interval_count: money.Lookup | None = None,
) -> Convert:
    return money.Monthly(
        amount, quantity or _nothing, interval, interval_count or _nothing, currency
    )


def _nothing(_: object) -> None:
    return None


_ZONE: Final = {"zone": Option("zone")}
_PATH, _OPTIONAL = Option("path"), Option("path", is_needed=False)
CONVERTERS: Final[Mapping[str, Converter]] = {
    "text": Converter("a text, or the text of a number", _plain(as_text)),
    "number": Converter("a number, or a text that is one", _plain(as_number)),
    "integer": Converter("a whole number, or a text that is one", _plain(as_integer)),
    "boolean": Converter("true or false, also as a text, 1 or 0", _plain(as_boolean)),
    "percent": Converter("a share of 1, times 100", _plain(_percent)),
    "lower": Converter("a text in lower case", _plain(_lower)),
    "upper": Converter("a text in upper case", _plain(_upper)),
    "url_path": Converter("the path of a URL", _plain(_url_path)),
    "last_part": Converter("what follows the last / of a text", _plain(_last_part)),
    "request_path": Converter("the path of GET /page HTTP/1.1", _plain(_request_path)),
    "schema_name": Converter("the name in iglu:vendor/name/format/version", _plain(_schema_name)),
    "not_direct": Converter("a text; absent if it is $direct, (none) or the like", _plain(_not_direct)),
    "seconds": Converter("epoch seconds", _plain(times.epoch(1))),
    "milliseconds": Converter("epoch milliseconds, also as a text", _plain(times.epoch(1000))),
    "microseconds": Converter("epoch microseconds", _plain(times.epoch(1_000_000))),
    "nanoseconds": Converter("epoch nanoseconds", _plain(times.epoch(1_000_000_000))),
    "epoch": Converter("an epoch time whose size tells its unit", _plain(times.epoch_by_size)),
    "rfc3339": Converter("a time with a zone, with up to nine digits of a second", _plain(times.rfc3339)),
    "datetime": Converter("a date and time in `zone`, unless it names its own", times.local, _ZONE),
    "time": Converter("epoch seconds, or a date and time in `zone`", times.by_form, _ZONE),
    "clf_time": Converter("a time like 10/Oct/2000:13:55:36 -0700", _plain(times.clf_time)),
    "minor_units": Converter(
        "an amount in the smallest unit of the currency at `currency`: cents, whole yen",
        _plain(money.minor_units),
        {"currency": Option("record_path")},
    ),
    "decimal": Converter(
        "Kafka Connect's decimal, base64 of an integer with `scale` digits after the point",
        money.connect_decimal,
        {"scale": Option("scale")},
    ),
    "monthly": Converter(
        "price per month of a list of items: `amount` × `quantity` ÷ (`interval_count` × `interval`)",
        _monthly,
        {
            "amount": _PATH, "interval": _PATH, "currency": _PATH,
            "quantity": _OPTIONAL, "interval_count": _OPTIONAL,
        },
    ),
    "count": Converter("the length of a list", _plain(_count)),
    "sum": Converter("the sum of the field `of` over a list of objects", money.total, {"of": _PATH}),
}  # fmt: skip


def mapped(values: Mapping[str, Any], otherwise: object) -> Convert:
    """Return the look-up of a value by its text; without `otherwise`, others are refused."""

    def convert(value: object) -> object:
        found = values.get(as_text(value), otherwise)
        if found is None:
            known = ", ".join(values)
            raise RefusedValue(f"{shown(value)} is not in its map of {known}; add it, or set else")
        return None if is_absent(found) else found

    return convert
