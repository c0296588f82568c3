"""The churn model: river's logistic regression, trained one example at a time.

river is an extra (`predict`) and imported only when a model is built. msgpack keeps every bit of the
weights, so a restored model continues exactly where the stored one stopped.
"""

from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from random import Random
from typing import Any

import msgspec

from stream.churn.features import Features

MISSING = (
    "the churn model needs the package river, which is not installed; install "
    "`engagement-stream[predict]`, or set churn_risk.enabled = false"
)
_RATE = 0.02
#: (features, whether the person stayed away) → people
Examples = Counter[tuple[Features, bool]]


class ModelState(msgspec.Struct, array_like=True, frozen=True):
    """Learned state of the model: the number of examples, and its weights."""

    learned: int
    intercept: float
    weights: dict[str, float]


def is_installed() -> bool:
    """Return whether river is installed, without the second that importing it takes."""
    return find_spec("river") is not None


class ChurnModel:
    """Predicts whether a person stays away, and learns from known outcomes."""

    def __init__(self, state: ModelState | None = None) -> None:
        from river import linear_model, optim
        from river.utils import VectorDict

        self._model: Any = linear_model.LogisticRegression(optim.SGD(_RATE), intercept_lr=_RATE)
        self.learned = 0
        if state is not None:
            self.learned = self._model.optimizer.n_iterations = state.learned
            self._model.intercept = state.intercept
            # river has no public way to set weights; pyproject.toml pins its version.
            self._model._weights = VectorDict(dict(state.weights))

    @property
    def state(self) -> ModelState:
        """The state to store."""
        model = self._model
        weights = {name: float(weight) for name, weight in sorted(model.weights.items())}
        return ModelState(self.learned, float(model.intercept), weights)

    def risk(self, features: Features) -> float:
        """Return the probability, 0 to 1, that the person stays away."""
        return float(self._model.predict_proba_one(features.inputs())[True])

    def learn(self, examples: Iterable[tuple[Features, bool]]) -> None:
        """Learn from the examples, in the order given."""
        for features, away in examples:
            self._model.learn_one(features.inputs(), away)
            self.learned += 1


def drawn(examples: Examples, at_most: int, seed: int) -> list[tuple[Features, bool]]:
    """Sample up to `at_most` examples, in an order that only the examples and the seed decide.

    The order in which people were read plays no part: after a crash the model learns the same.
    """
    if not examples:
        return []
    known = sorted(examples)
    counts = [examples[one] for one in known]
    return Random(seed).sample(known, k=min(at_most, sum(counts)), counts=counts)
