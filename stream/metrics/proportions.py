"""What can be said of shares that are samples: the interval of one, and whether two of them differ.

The library is imported at the first question: it takes seconds, and most users compare no variants.
"""

import importlib
import importlib.util
from functools import lru_cache
from typing import Any

LIBRARY = "statsmodels"
INSTALL = 'pip install "engagement-stream[experiments]"'
_MODULE = "statsmodels.stats.proportion"
#: Counts of many variants and goals; most are the same a second later.
_REMEMBERED = 8_192


def is_installed() -> bool:
    """Whether the library is there, without importing it."""
    return importlib.util.find_spec(LIBRARY) is not None


def load() -> Any:
    """The library. Raises ImportError where it is not installed."""
    return importlib.import_module(_MODULE)


@lru_cache(_REMEMBERED)
def interval(successes: float, size: float, confidence: float) -> tuple[float, float] | None:
    """Wilson's score interval of a share; None where it is none: of nobody, or of more than all."""
    if not 0 <= successes <= size or not size:
        return None
    low, high = load().proportion_confint(successes, size, alpha=1 - confidence, method="wilson")
    # Its ends are 0 and 1 but for the rounding where nobody or everybody succeeds.
    return (float(low) if successes else 0.0, float(high) if successes < size else 1.0)


@lru_cache(_REMEMBERED)
def p_value(
    successes: float, size: float, other_successes: float, other_size: float
) -> float | None:
    """Of the two-sided two-proportion z-test with the pooled share; None where one of them is none.

    1 where nobody succeeds in both, or everybody: they do not differ, and nothing varies.
    """
    if not (0 <= successes <= size and 0 <= other_successes <= other_size):
        return None
    if not size or not other_size:
        return None
    if successes + other_successes in (0, size + other_size):
        return 1.0
    _, p = load().proportions_ztest([successes, other_successes], [size, other_size])
    return float(p)
