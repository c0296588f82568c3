"""Experiments by brute force: search for the ends of intervals, and do each test step by step."""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

NORMAL = NormalDist()
VARIANTS = ("control", "new", "newer")
STATISTICS = (
    "variant_conversion", "variant_conversion_low", "variant_conversion_high", "variant_uplift",
    "variant_p_value",
)  # fmt: skip
Parts = tuple[float, float | None]


class Sample(NamedTuple):
    """People who saw a variant, and how many of them converted."""

    converted: int
    people: int


def statistic(metric: str, variant: Sample, control: Sample | None) -> Parts:
    """Return (numerator, denominator) of a metric; a metric without a value is 0 of 0."""
    if metric == "variant_conversion":
        return variant
    if not variant.people:
        return 0, 0
    if metric == "variant_conversion_low":
        return _end(variant, below=True), 1
    if metric == "variant_conversion_high":
        return _end(variant, below=False), 1
    if control is None or not control.people:
        return 0, 0
    if metric == "variant_uplift":
        return variant.converted / variant.people - control.converted / control.people, 1
    return _p_value(variant, control), 1


def _end(sample: Sample, *, below: bool) -> float:
    """Return the farthest true share within 1.96 standard deviations of the observed one."""
    share, z = sample.converted / sample.people, NORMAL.inv_cdf(0.975)

    def is_likely(true: float) -> bool:
        return abs(share - true) <= z * sqrt(true * (1 - true) / sample.people)

    return _farthest(is_likely, share, 0.0 if below else 1.0)


def _farthest(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return the boundary of the range in which `holds` is true, by bisection."""
    if holds(outside):
        return outside
    for _ in range(200):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside


def _p_value(one: Sample, other: Sample) -> float:
    """Return how often a difference is at least this large if both variants share one rate."""
    together = (one.converted + other.converted) / (one.people + other.people)
    if together in (0, 1):
        return 1.0
    deviation = sqrt(together * (1 - together) * (1 / one.people + 1 / other.people))
    z = (one.converted / one.people - other.converted / other.people) / deviation
    return 2 * NORMAL.cdf(-abs(z))
