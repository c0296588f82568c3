"""Amounts are published with the digits that they have, alone, in sums and as means."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.counters.calendar import Calendar
from stream.counters.measures import MICROS, Grain
from stream.counters.windows import Span
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Per, Sum, Term, Total
from stream.publish.merged_counts import MergedCounts
from stream.publish.reader import Value

SITE = ("shop", "", "")
DAY = Span("day", 739_000, 739_000)
#: Amounts in cents.
CENTS = st.integers(min_value=-(10**9), max_value=10**9)


def value_of(numerator: Term, denominator: Term | None, **counts: int) -> Value:
    """Return the value of a metric over one day that holds these counts."""
    merged = MergedCounts(lambda site: Calendar(), "")
    merged.replace((Grain.DAY, 739_000), [{(name, SITE): count for name, count in counts.items()}])
    metric = Metric(
        name="amount", help="", unit="currency", formula="", numerator=numerator,
        denominator=denominator, windows=("day",), gauge="amount", example=Example("", 1, None, 1),
    )  # fmt: skip
    return merged.evaluate(metric, SITE, DAY)


@given(CENTS)
def test_an_amount_has_its_own_digits(cents: int) -> None:
    found = value_of(Per(Total("paid"), MICROS), None, paid=cents * 10_000)
    assert found.value == found.numerator == cents / 100


@given(CENTS, CENTS)
def test_a_sum_of_amounts_has_its_own_digits(paid: int, returned: int) -> None:
    term = Per(Sum(Total("paid"), Total("returned"), sign=-1), MICROS)
    found = value_of(term, None, paid=paid * 10_000, returned=returned * 10_000)
    assert found.value == (paid - returned) / 100


@given(CENTS, st.integers(min_value=1, max_value=1_000_000))
def test_a_mean_of_amounts_is_rounded_once(cents: int, orders: int) -> None:
    term = Per(Total("paid"), MICROS)
    found = value_of(term, Total("orders"), paid=cents * 10_000, orders=orders)
    assert found.value == float(Fraction(cents, 100 * orders))


@pytest.mark.parametrize("cents", [7, 110, 1_794])
def test_a_ratio_of_two_amounts_is_rounded_once(cents: int) -> None:
    paid, base = Per(Total("paid"), MICROS), Per(Total("base"), MICROS)
    found = value_of(paid, base, paid=cents * 10_000, base=100 * 10_000)
    assert found == (cents / 100, cents / 100, 1)
