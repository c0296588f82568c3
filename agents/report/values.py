"""Writes the value of a metric record for people: in its unit, with its change and its parts."""

from msgspec import UNSET

from agents.report.currencies import digits_of
from schemas.outputs import MetricRecord

#: Units of scores, whose 0 is a place on a scale: a percentage of one says nothing.
_SCORES = frozenset({"points", "score"})
NO_VALUE = "–"


def shown_value(record: MetricRecord, currency: str | None) -> str:
    """Write a value in its unit, with its change since the window before if that is known."""
    return _plain_value(record, currency) + _change(record, currency)


def _plain_value(record: MetricRecord, currency: str | None) -> str:
    """Write a value in its unit; a dash if the denominator is 0."""
    value = record.value
    if value is None:
        return NO_VALUE
    if record.unit == "ratio":
        return f"{value:.2%}"
    if record.unit == "seconds":
        return f"{value:,.2f} s"
    if record.unit == "currency":
        return money(value, currency)
    return f"{value:,.4f}" if record.denominator is not None else f"{value:,.0f}"


def money(amount: float, currency: str | None) -> str:
    """Write an amount with the digits of its currency."""
    return f"{amount:,.{digits_of(currency)}f} {currency or ''}".rstrip()


def _change(record: MetricRecord, currency: str | None) -> str:
    before = record.previous
    if record.value is None or before is None or before is UNSET:
        return ""
    text = shown_change(record.value, before, record.unit, currency, digits=2)
    return f" ({text})" if text else ""


def shown_change(
    value: float, before: float, unit: str, currency: str | None = None, *, digits: int = 1
) -> str:
    """Write how a value changed; empty if both are 0.

    Ratios and scores change by points. Other numbers change by a percentage, and by their difference if
    they were 0 or less. `digits` are those of a difference.
    """
    if not value and not before:
        return ""
    difference = value - before
    if unit == "ratio":
        return f"{difference * 100:+,.{digits}f} points"
    if unit in _SCORES:
        return f"{_short(difference, digits)} points"
    if before > 0:
        return f"{difference / before:+,.1%}"
    if unit == "currency":
        return f"{difference:+,.{digits_of(currency)}f} {currency or ''}".rstrip()
    return f"{_short(difference, digits)}{' s' if unit == 'seconds' else ''}"


def _short(difference: float, digits: int) -> str:
    """Write a signed number without needless zeros."""
    text = f"{difference:+,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_parts(record: MetricRecord) -> str:
    """Write numerator ÷ denominator; empty for a count and for an estimate."""
    if record.denominator is None or record.approximate:
        return ""
    parts = (f"{part:,.2f}".removesuffix(".00") for part in (record.numerator, record.denominator))
    return " ÷ ".join(parts)
