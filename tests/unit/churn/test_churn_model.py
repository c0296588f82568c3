"""The model is its numbers: stored and taken up again, it goes on as if nothing had been."""

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


def lived(seed: int, count: int) -> list[tuple[Features, bool]]:
    """Those who came lately come again, the others seldom do."""
    random = Random(seed)
    return [
        (FRESH, random.random() < 0.1) if random.random() < 0.5 else (GONE, random.random() < 0.9)
        for _ in range(count)
    ]


def test_it_learns_who_stays_away() -> None:
    model = ChurnModel()
    assert model.risk(FRESH) == model.risk(GONE) == 0.5
    model.learn(lived(1, 5_000))
    assert model.learned == 5_000
    assert model.risk(FRESH) == pytest.approx(0.1, abs=0.05)
    assert model.risk(GONE) == pytest.approx(0.9, abs=0.05)


def test_a_stored_model_goes_on_to_the_last_bit() -> None:
    one = ChurnModel()
    one.learn(lived(1, 300))
    stored = msgspec.msgpack.encode(one.state)
    other = ChurnModel(msgspec.msgpack.decode(stored, type=ModelState))
    for model in (one, other):
        model.learn(lived(2, 300))
    assert one.state == other.state
    assert one.risk(GONE) == other.risk(GONE)


def test_examples_are_drawn_the_same_in_whatever_order_people_were_met() -> None:
    examples = lived(3, 400)
    backwards = Counter(reversed(examples))
    assert drawn(Counter(examples), 1_000, 7) == drawn(backwards, 1_000, 7)
    assert Counter(drawn(backwards, 1_000, 7)) == Counter(examples)
    assert len(drawn(backwards, 50, 7)) == 50
    assert drawn(backwards, 1_000, 7) != drawn(backwards, 1_000, 8)
    assert drawn(Counter(), 10, 7) == []


def test_without_river_it_refuses_to_start_and_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "river", None)
    with pytest.raises(SettingsError) as refused:
        load_settings(None, {"ENGAGE_CHURN_RISK_ENABLED": "true"})
    assert "churn_risk.enabled" in str(refused.value)
    assert "install `engagement-stream[predict]`" in str(refused.value)
    # Who does not ask for it does not need it.
    load_settings(None, {})


def test_bands_that_overlap_and_topics_that_are_taken_are_refused() -> None:
    crossed = Settings(churn_risk=ChurnRiskSettings(low_below=0.8, high_from=0.7))
    assert any("the middle band would be empty" in rule for rule in broken_rules(crossed))
    taken = Settings(churn_risk=ChurnRiskSettings(topic="engagement-metrics"))
    assert any("churn_risk.topic" in rule for rule in broken_rules(taken))
