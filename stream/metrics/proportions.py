"""Statistics of shares: the confidence interval of one, and the p-value of the difference of two.

The library is imported at the first call: it takes seconds, and most users compare no variants.
"""

import importlib
import importlib.util
from functools import lru_cache
from typing import Any

LIBRARY = "statsmodels"
INSTALL = 'pip install "engagement-stream[experiments]"'
_MODULE = "statsmodels.stats.proportion"
#: Results to remember: most counts of variants are the same a second later.
_REMEMBERED = 8_192


def is_installed() -> bool:
    """Whether the library is installed; does not import it."""
    return importlib.util.find_spec(LIBRARY) is not None


def load() -> Any:
    """Import the library. Raises ImportError if it is not installed."""
    return importlib.import_module(_MODULE)


@lru_cache(_REMEMBERED)
def interval(successes: float, size: float, confidence: float) -> tuple[float, float] | None:
    """Compute Wilson's score interval; None if the sample is empty or has more successes than people."""
    if not 0 <= successes <= size or not size:
        return None
    low, high = load().proportion_confint(successes, size, alpha=1 - confidence, method="wilson")
    # Without rounding the ends are 0 with no success, and 1 with successes only.
    return (float(low) if successes else 0.0, float(high) if successes < size else 1.0)


@lru_cache(_REMEMBERED)
def p_value(
    successes: float, size: float, other_successes: float, other_size: float
) -> float | None:
    """Compute the p-value of the two-sided, pooled two-proportion z-test; None if a sample is unusable.

    It is 1 if no one, or everyone, succeeds in both samples.
    """
    if not (0 <= successes <= size and 0 <= other_successes <= other_size):
        return None
    if not size or not other_size:
        return None
    if successes + other_successes in (0, size + other_size):
        return 1.0
    _, p = load().proportions_ztest([successes, other_successes], [size, other_size])
    return float(p)
