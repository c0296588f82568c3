"""The model is its numbers: stored and loaded, it continues without a difference."""

import sys
from collections import Counter
from random import Random

import msgspec
import pytest

from stream.churn.features import Features
from stream.churn.model import ChurnModel, ModelState, drawn
from stream.configure.check_service import broken_rules
from stream.configure.load import SettingsError, load_settings
from stream.settings.application import Settings
from stream.settings.churn import ChurnRiskSettings
from tests.conftest import needs_river

needs_river()
FRESH = Features(recency=0, week=5, week_before=5, earlier=9, age=6, pays=False)
GONE = Features(recency=20, week=0, week_before=0, earlier=1, age=6, pays=False)


def examples_of(seed: int, count: int) -> list[tuple[Features, bool]]:
    """Return examples: recent visitors usually return, others rarely."""
    random = Random(seed)
    return [
        (FRESH, random.random() < 0.1) if random.random() < 0.5 else (GONE, random.random() < 0.9)
        for _ in range(count)
    ]


def test_it_learns_the_risk_of_each_feature() -> None:
    model = ChurnModel()
    assert model.risk(FRESH) == model.risk(GONE) == 0.5
    model.learn(examples_of(1, 5_000))
    assert model.learned == 5_000
    assert model.risk(FRESH) == pytest.approx(0.1, abs=0.05)
    assert model.risk(GONE) == pytest.approx(0.9, abs=0.05)


def test_a_stored_model_continues_to_the_last_bit() -> None:
    one = ChurnModel()
    one.learn(examples_of(1, 300))
    stored = msgspec.msgpack.encode(one.state)
    other = ChurnModel(msgspec.msgpack.decode(stored, type=ModelState))
    for model in (one, other):
        model.learn(examples_of(2, 300))
    assert one.state == other.state
    assert one.risk(GONE) == other.risk(GONE)


def test_the_same_examples_are_drawn_for_any_order_of_people() -> None:
    examples = examples_of(3, 400)
    backwards = Counter(reversed(examples))
    assert drawn(Counter(examples), 1_000, 7) == drawn(backwards, 1_000, 7)
    assert Counter(drawn(backwards, 1_000, 7)) == Counter(examples)
    assert len(drawn(backwards, 50, 7)) == 50
    assert drawn(backwards, 1_000, 7) != drawn(backwards, 1_000, 8)
    assert drawn(Counter(), 10, 7) == []


def test_without_river_it_refuses_to_start_and_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "river", None)
    with pytest.raises(SettingsError) as refused:
        load_settings(None, {"ENGAGE_CHURN_RISK_ENABLED": "true"})
    assert "churn_risk.enabled" in str(refused.value)
    assert "install `engagement-stream[predict]`" in str(refused.value)
    # The extra is needed only when enabled.
    load_settings(None, {})


def test_overlapping_bands_and_taken_topics_are_refused() -> None:
    crossed = Settings(churn_risk=ChurnRiskSettings(low_below=0.8, high_from=0.7))
    assert any("the middle band would be empty" in rule for rule in broken_rules(crossed))
    taken = Settings(churn_risk=ChurnRiskSettings(topic="engagement-metrics"))
    assert any("churn_risk.topic" in rule for rule in broken_rules(taken))
