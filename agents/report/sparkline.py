"""Draws a series of numbers in a line of text."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None]) -> str:
    """Return one character for each value, a space for None.

    The lowest bar is 0 if the values reach near it. Otherwise it lies as far below them as they are apart,
    so that neither a small change nor its smallness is hidden. Equal values are in the middle.
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, high = min(known), max(known)
    floor = low - (high - low)
    if low >= 0:
        floor = max(floor, 0)
    if high == low:
        bar = BARS[len(BARS) // 2] if high else BARS[0]
        return "".join(" " if value is None else bar for value in values)
    steps = (len(BARS) - 1) / (high - floor)
    return "".join(
        " " if value is None else BARS[round((value - floor) * steps)] for value in values
    )
