"""Times of foreign records: numbers by their unit, texts by their form, never by a guess."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from schemas.mapping.values import RefusedValue, as_number, as_text, shown

_FRACTION = re.compile(r"(\.\d{6})\d+")
_UTC: Final = " UTC"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CLF = re.compile(r"\[?(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]?")
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
#: Epoch times below these are seconds, milliseconds, microseconds; the rest are nanoseconds.
_SIZES: Final = (
    (100_000_000_000, 1),
    (100_000_000_000_000, 1000),
    (100_000_000_000_000_000, 1_000_000),
)
_NANOSECONDS: Final = 1_000_000_000


def epoch(per_second: int) -> Callable[[object], int]:
    """Return the converter of epoch times with `per_second` units into milliseconds, rounded down."""

    def convert(value: object) -> int:
        return _milliseconds(as_number(value), per_second)

    return convert


def epoch_by_size(value: object) -> int:
    """Return the milliseconds of an epoch time whose size tells its unit. Raises RefusedValue."""
    number = as_number(value)
    size = abs(number)
    per_second = next((unit for below, unit in _SIZES if size < below), _NANOSECONDS)
    return _milliseconds(number, per_second)


def _milliseconds(number: int | float, per_second: int) -> int:
    if isinstance(number, int):
        return number * 1000 // per_second
    if abs(number) > 1e20:
        raise RefusedValue(f"{shown(number)} is no time")
    # Seconds in binary fractions: 1000.1 s are 1000100 ms, not 1000099.
    return int(round(number * 1000 / per_second, 3) // 1)


def rfc3339(value: object) -> str:
    """Return a time that names its zone. Raises RefusedValue."""
    return _iso(_parsed(value, None))


def local(zone: str) -> Callable[[object], str]:
    """Return the converter of times that do not name their zone; one that names it is kept."""
    named = zone_of(zone)

    def convert(value: object) -> str:
        return _iso(_parsed(value, named))

    return convert


def by_form(zone: str) -> Callable[[object], str | int]:
    """Return the converter of times that are epoch seconds or a date and time."""
    named = zone_of(zone)

    def convert(value: object) -> str | int:
        if type(value) is not str or _NUMBER.fullmatch(value.strip()):
            return _milliseconds(as_number(value), 1)
        return _iso(_parsed(value, named))

    return convert


def clf_time(value: object) -> str:
    """Return a time of an access log, such as 10/Oct/2000:13:55:36 -0700. Raises RefusedValue."""
    found = _CLF.fullmatch(as_text(value).strip())
    if found is None or found[2] not in _MONTHS:
        raise RefusedValue(f"{shown(value)} is no time like 10/Oct/2000:13:55:36 -0700")
    day, month, year, hour, minute, second = found.group(1, 2, 3, 4, 5, 6)
    offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
    try:
        zone = timezone(-offset if found[7] == "-" else offset)
        numbers = (int(hour), int(minute), int(second))
        return _iso(datetime(int(year), _MONTHS.index(month) + 1, int(day), *numbers, tzinfo=zone))
    except ValueError as error:
        raise RefusedValue(f"{shown(value)} is no time: {error}") from None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name. Raises KeyError or ValueError."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _parsed(value: object, zone: tzinfo | None) -> datetime:
    text = as_text(value).strip()
    if text.endswith(_UTC):
        text = f"{text.removesuffix(_UTC)}+00:00"
    try:
        # Python reads up to six digits of a fraction; some send nine.
        time = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        raise RefusedValue(f"{shown(value)} is no time") from None
    if not isinstance(value, str) or len(text) < len("2000-01-01T00:00"):
        raise RefusedValue(f"{shown(value)} is no date with a time")
    if time.tzinfo is None:
        if zone is None:
            raise RefusedValue(f'{shown(value)} names no zone; use as = "datetime", zone = "UTC"')
        time = time.replace(tzinfo=zone)
    return time


def _iso(time: datetime) -> str:
    try:
        offset = time.utcoffset()
    except (ValueError, OverflowError):
        raise RefusedValue(f"{time.year} is no year of a time") from None
    text = time.replace(tzinfo=None).isoformat(timespec="auto")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
        if len(fraction := text.rpartition(".")[2]) < 3 and "." in text:
            text += "0" * (3 - len(fraction))
    if not offset:
        return f"{text}Z"
    seconds = round(offset.total_seconds())
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    return f"{text}{sign}{minutes // 60:02}:{minutes % 60:02}"
