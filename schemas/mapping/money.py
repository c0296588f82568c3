"""Amounts of foreign records: smallest units, Kafka Connect's decimals, a subscription's monthly price."""

import base64
import binascii
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from schemas.mapping.values import RefusedValue, as_integer, as_number, as_text, is_absent, shown

#: Digits of the smallest unit, where they are not 2, as payment providers count them: ISK and UGX have
#: 2 there, though they have no smaller unit.
_NO_SMALLER: Final = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS: Final = dict.fromkeys(_NO_SMALLER.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
#: Intervals in a month, as a fraction: a year has 12 months, 52 weeks and 365 days.
_MONTHS: Final = {"day": (365, 12), "week": (52, 12), "month": (1, 1), "year": (1, 12)}
_BYTES_MAX: Final = 64
_SCALE_MAX: Final = 38

Lookup = Callable[[object], object]


def minor_units(amount: object, currency: object) -> float:
    """Return an amount in units of its currency out of its smallest units. Raises RefusedValue."""
    if is_absent(currency):
        raise RefusedValue("its currency is absent, so its smallest unit is unknown")
    number = as_number(amount)
    if isinstance(number, float) and not number.is_integer() and abs(number) > 1e15:
        raise RefusedValue(f"{shown(amount)} is no amount in smallest units")
    return _units(number, as_text(currency))


def _units(number: int | float, currency: str) -> float:
    digits = _DIGITS.get(currency.upper(), 2)
    try:
        return float(Decimal(repr(number)) / 10**digits)
    except (OverflowError, ArithmeticError):
        raise RefusedValue(f"{shown(number)} is no amount") from None


def connect_decimal(scale: int) -> Callable[[object], float]:
    """Return the converter of Kafka Connect's decimals: base64 of a big-endian integer."""

    def convert(value: object) -> float:
        digits = scale
        if isinstance(value, dict):  # Debezium's VariableScaleDecimal
            digits, value = as_integer(value.get("scale")), value.get("value")
        if not isinstance(value, str):
            text = (
                f"{shown(value)} is no decimal in base64; leave out `as` if it is a number already"
            )
            raise RefusedValue(text)
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            text = f'{shown(value)} is no decimal in base64; use as = "number" for texts'
            raise RefusedValue(text) from None
        if not raw or len(raw) > _BYTES_MAX or not 0 <= digits <= _SCALE_MAX:
            raise RefusedValue(f"{shown(value)} is no decimal of a usual size")
        return float(Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-digits))

    return convert


class Monthly:
    """Price per month of the items of a subscription: amount × quantity ÷ interval, summed."""

    def __init__(
        self, amount: Lookup, quantity: Lookup, interval: Lookup, count: Lookup, currency: Lookup
    ) -> None:
        self._amount, self._quantity, self._currency = amount, quantity, currency
        self._interval, self._count = interval, count

    def __call__(self, value: object) -> float:
        """Return the price. Raises RefusedValue."""
        items = value if isinstance(value, list) else [value]
        if not items:
            raise RefusedValue("there is no item")
        return round(float(sum(map(self._price, items))), 6)

    def _price(self, item: object) -> Decimal:
        amount, interval = self._amount(item), self._interval(item)
        if is_absent(amount):
            raise RefusedValue("an item without a price (metered or tiered)")
        quantity, count = self._quantity(item), self._count(item)
        months = _MONTHS.get(as_text(interval)) if not is_absent(interval) else None
        if months is None:
            raise RefusedValue(f"{shown(interval)} is no interval of {', '.join(_MONTHS)}")
        every = 1 if is_absent(count) else as_integer(count)
        if every < 1:
            raise RefusedValue(f"an interval of {shown(count)}")
        units = _units(as_number(amount), as_text(self._currency(item) or ""))
        times = 1 if is_absent(quantity) else as_number(quantity)
        return Decimal(repr(units)) * Decimal(repr(times)) * months[0] / months[1] / every


def total(of: Lookup) -> Callable[[object], int | float]:
    """Return the converter of a list into the sum of a field of its objects; absent ones add nothing."""

    def convert(value: object) -> int | float:
        if not isinstance(value, list):
            raise RefusedValue(f"{shown(value)} is no list")
        return sum(_numbers(map(of, value)))

    return convert


def _numbers(values: Iterable[object]) -> list[int | float]:
    return [as_number(value) for value in values if not is_absent(value)]
