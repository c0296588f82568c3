"""Statistics of shares: published values, another formula, and samples without a value."""

import subprocess
import sys
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stream.metrics.proportions import interval, p_value

NORMAL = NormalDist()


@pytest.mark.parametrize(
    ("successes", "size", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 857–872, table I: the score method.
    [
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718),
    ],
)  # fmt: skip
def test_intervals_match_the_published_ones(
    successes: int, size: int, low: float, high: float
) -> None:
    assert interval(successes, size, 0.95) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "z"),
    [
        # Heart attacks with placebo and with aspirin: X² = 25.01 in Agresti, An Introduction to
        # Categorical Data Analysis, section 2.4; z is its root.
        ((189, 11_034), (104, 11_037), sqrt(25.01)),
        # Non-smokers and smokers for a tax on cigarettes, Time of 18 April 1994: Z = 8.99 in the
        # course STAT 415 of Penn State, lesson 9.4.
        ((351, 605), (41, 195), 8.99),
    ],
)
def test_p_values_match_the_published_ones(
    one: tuple[int, int], other: tuple[int, int], z: float
) -> None:
    p = p_value(*one, *other)
    assert p is not None
    assert -NORMAL.inv_cdf(p / 2) == pytest.approx(z, abs=0.005)
    assert p_value(*other, *one) == pytest.approx(p)


samples = st.integers(1, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(samples, st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_ends_where_the_score_test_rejects(
    sample: tuple[int, int], confidence: float
) -> None:
    k, n = sample
    ends = interval(k, n, confidence)
    assert ends is not None
    assert 0 <= ends[0] <= k / n <= ends[1] <= 1
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    for end in ends:
        if 0 < end < 1:
            assert abs(k / n - end) == pytest.approx(z * sqrt(end * (1 - end) / n), rel=1e-6)


@given(samples, samples)
def test_the_test_equals_the_chi_square_test_of_the_table(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    found = p_value(*one, *other)
    total, size = one[0] + other[0], one[1] + other[1]
    if total in (0, size):
        assert found == 1
        return
    table = [[one[0], one[1] - one[0]], [other[0], other[1] - other[0]]]
    assert found == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-6)


@pytest.mark.parametrize("sample", [(0, 0), (3, 2), (-1, 5)])
def test_an_impossible_sample_has_no_statistics(sample: tuple[int, int]) -> None:
    assert interval(*sample, 0.95) is None
    assert p_value(*sample, 1, 2) is None
    assert p_value(1, 2, *sample) is None


def test_the_library_is_imported_only_when_needed() -> None:
    code = (
        "import sys;"
        "import stream.configure.compile, stream.configure.load;"
        "import stream.publish.merged_counts, stream.publish.snapshot;"
        "from stream.metrics.catalogue import catalogue;"
        "from stream.metrics.proportions import is_installed;"
        "from stream.settings.application import Settings; catalogue(Settings());"
        "assert is_installed();"
        "sys.exit(any(name in sys.modules for name in ('statsmodels', 'scipy', 'numpy', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
