"""Writes the value of a metric record for people: in its unit, with its change and its parts."""

import re

from msgspec import UNSET

from agents.report.currencies import digits_of
from schemas.outputs import MetricRecord
from stream.metrics.metric import Metric

#: Units of scores, whose 0 is a place on a scale: a percentage of one says nothing.
_SCORES = frozenset({"points", "score"})
NO_VALUE = "–"
#: Smaller shares have two digits after the point.
_SMALL = 0.01
#: Larger means have one digit, and larger rises are a factor.
_LARGE = 10
_MINUTE = 60
_NOT_ZERO = re.compile("[1-9]")
#: Unit, its seconds, seconds of its part, unit of the part.
_DURATIONS = (
    ("d", 86_400, 3_600, "h"), ("h", 3_600, 60, "m"), ("m", 60, 1, "s"),
)  # fmt: skip
_SHARE = re.compile(r"\b[01]\.\d+\b")


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
    if record.unit == "points":
        return f"{value:,.1f}"
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
    text = _difference(value - before, before, unit, currency, digits)
    # What rounds to 0 has no direction.
    return text if _NOT_ZERO.search(text) else text[1:]


def _difference(
    difference: float, before: float, unit: str, currency: str | None, digits: int
) -> str:
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


def brief_value(value: float | None, unit: str, currency: str | None, *, is_mean: bool) -> str:
    """Write a value in its unit in few characters. `is_mean`: it has a denominator."""
    if value is None:
        return NO_VALUE
    if unit == "ratio":
        return f"{value:,.1%}" if abs(value) >= _SMALL else f"{value:.2%}"
    if unit == "seconds":
        return duration(value)
    if unit == "currency":
        return money(value, currency)
    if unit in _SCORES or is_mean:
        return f"{value:,.2f}" if abs(value) < _LARGE else f"{value:,.1f}"
    return f"{value:,.0f}"


def brief_change(value: float, before: float, unit: str, currency: str | None) -> str:
    """Write how a value changed in few characters."""
    if before > 0 and value / before >= _LARGE and unit != "ratio" and unit not in _SCORES:
        return f"×{value / before:,.0f}"
    return shown_change(value, before, unit, currency).replace(" points", " pt")


def duration(seconds: float) -> str:
    """Write a duration in its two largest units."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    for unit, size, part, rest in _DURATIONS:
        if seconds >= size:
            whole, left = divmod(round(seconds / part), size // part)
            return f"{whole:,}{unit} {left:02}{rest}"
    return f"{seconds:.1f} s"


def brief_benchmark(metric: Metric) -> str:
    """Write the benchmark as people see the value: shares in percent."""
    if metric.benchmark is None:
        return ""
    text = metric.benchmark.text
    if metric.unit == "ratio":
        text = _SHARE.sub(lambda found: f"{float(found[0]):.0%}", text)
    return text
