"""Scores of past predictions: progressive validation with delayed labels.

Every risk was predicted before the model knew the outcome. Outcomes are counted by risk, so scores are
exact and need no memory per prediction.
"""

from collections import Counter
from collections.abc import Iterator
from math import log
from typing import NamedTuple

_LEAST = 1e-15


class Tenth(NamedTuple):
    """About a tenth of the predictions, in order of risk; equal risks stay together."""

    predictions: int
    predicted: float
    observed: float


class Scores(NamedTuple):
    """Scores of a set of predictions. An undefined score is None."""

    predictions: int
    #: Share of people who stayed away.
    base_rate: float
    roc_auc: float | None
    log_loss: float
    brier: float
    #: The same scores if every prediction were the base rate, which only hindsight knows.
    base_log_loss: float
    base_brier: float


class Outcomes:
    """Predictions with a known outcome, counted by risk."""

    def __init__(self) -> None:
        self._found: Counter[tuple[float, bool]] = Counter()

    def add(self, risk: float, away: bool) -> None:
        """Add one person with this risk who stayed away, or did not."""
        self._found[risk, away] += 1

    def scores(self) -> Scores | None:
        """Return all scores; None without predictions."""
        total = self._found.total()
        if not total:
            return None
        base = sum(n for (_, away), n in self._found.items() if away) / total
        return Scores(
            predictions=total,
            base_rate=base,
            roc_auc=self._roc_auc(),
            log_loss=sum(n * _surprise(p, away) for (p, away), n in self._found.items()) / total,
            brier=sum(n * (p - away) ** 2 for (p, away), n in self._found.items()) / total,
            base_log_loss=base * _surprise(base, True) + (1 - base) * _surprise(base, False),
            base_brier=base * (1 - base),
        )

    def tenths(self) -> Iterator[Tenth]:
        """Yield predicted and observed shares by tenth, from the lowest risks to the highest."""
        total, passed, number = self._found.total(), 0, 1
        people, risk, away = 0, 0.0, 0
        by_risk = sorted({p for p, _ in self._found})
        for p in by_risk:
            stayed_away, here = self._found[p, True], self._found[p, True] + self._found[p, False]
            people, risk, away = people + here, risk + p * here, away + stayed_away
            passed += here
            if passed * 10 >= total * number:
                yield Tenth(people, risk / people, away / people)
                people, risk, away = 0, 0.0, 0
                number = passed * 10 // total + 1

    def _roc_auc(self) -> float | None:
        """Return the probability that a person who stayed away had a higher risk than one who did not."""
        below, won = 0, 0.0
        for p in sorted({p for p, _ in self._found}):
            stayed, came = self._found[p, True], self._found[p, False]
            won += stayed * (below + came / 2)
            below += came
        pairs = below * (self._found.total() - below)
        return won / pairs if pairs else None


def _surprise(p: float, away: bool) -> float:
    return -log(max(p if away else 1 - p, _LEAST))
