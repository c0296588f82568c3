"""The model that learns, example by example, who stays away: river's logistic regression, as plain numbers.

river is an extra (`predict`) and only imported when a model is made. Weights are stored as floats, which
msgpack keeps to the last bit, so a model that was stored goes on exactly as if it had not been.
"""

from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from random import Random
from typing import Any

import msgspec

from stream.churn.features import Features

MISSING = (
    "the package river is not installed, which learns the risk; install "
    "`engagement-stream[predict]`, or set churn_risk.enabled = false"
)
_RATE = 0.02
#: (what was known of a person, whether they stayed away) → people
Examples = Counter[tuple[Features, bool]]


class ModelState(msgspec.Struct, array_like=True, frozen=True):
    """Everything that a model has learned."""

    learned: int
    intercept: float
    weights: dict[str, float]


def is_installed() -> bool:
    """Whether river is there; without importing it, which takes a second."""
    return find_spec("river") is not None


class ChurnModel:
    """Predicts that a person stays away, and learns from those who did and who did not."""

    def __init__(self, state: ModelState | None = None) -> None:
        from river import linear_model, optim
        from river.utils import VectorDict

        self._model: Any = linear_model.LogisticRegression(optim.SGD(_RATE), intercept_lr=_RATE)
        self.learned = 0
        if state is not None:
            self.learned = self._model.optimizer.n_iterations = state.learned
            self._model.intercept = state.intercept
            # river has no public way to set them; the names of its versions are held in pyproject.
            self._model._weights = VectorDict(dict(state.weights))

    @property
    def state(self) -> ModelState:
        """What has been learned so far."""
        model = self._model
        weights = {name: float(weight) for name, weight in sorted(model.weights.items())}
        return ModelState(self.learned, float(model.intercept), weights)

    def risk(self, features: Features) -> float:
        """The probability, from 0 to 1, that the person stays away."""
        return float(self._model.predict_proba_one(features.inputs())[True])

    def learn(self, examples: Iterable[tuple[Features, bool]]) -> None:
        """Learn from each in turn."""
        for features, away in examples:
            self._model.learn_one(features.inputs(), away)
            self.learned += 1


def drawn(examples: Examples, at_most: int, seed: int) -> list[tuple[Features, bool]]:
    """Some or all of the examples in an order that depends on them and the seed alone.

    Not on how people came to be looked at: a model learns the same whatever has crashed meanwhile.
    """
    if not examples:
        return []
    known = sorted(examples)
    counts = [examples[one] for one in known]
    return Random(seed).sample(known, k=min(at_most, sum(counts)), counts=counts)
