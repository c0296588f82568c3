"""Experiments are checked at start: mistakes are refused, valid settings pass."""

import importlib.util
from pathlib import Path

import pytest

from stream.configure.fingerprints import definition_version
from stream.configure.load import SettingsError, load_settings
from stream.settings.application import Settings

COUNTED = 'dimensions = ["variant"]\n'


def problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    file = tmp_path / "engage.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load_settings(file, {})
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    "text",
    [
        "", COUNTED, '[experiment]\ndimension = ""\ncontrol = "a"',
        'dimensions = ["group"]\n[experiment]\ndimension = "group"\ncontrol = "a"\nconfidence = 0.9',
    ],
)  # fmt: skip
def test_valid_experiments_are_accepted(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == ()


PASSIVE = (
    "active.passive_types (FILE:3): order would not make a person active, and only active people who saw "
    "a variant convert; take it out"
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[experiment]\ndimension = "group"',
            "experiment.dimension (FILE:2): 'group' is not among dimensions; add it there, or correct it",
        ),
        (
            '[experiment]\ncontrol = "a"',
            "experiment.dimension (FILE:1): 'variant' is not among dimensions; add it there, or correct it",
        ),
        (
            COUNTED + '[experiment]\ncontrol = ""',
            "experiment.control (FILE:3): an empty text is not a variant; name the one to compare with",
        ),
        (
            COUNTED + '[experiment]\ncontrol = "other"',
            "experiment.control (FILE:3): 'other' is not a variant; name the one to compare with",
        ),
        (
            COUNTED + '[active]\npassive_types = ["order"]',
            PASSIVE,
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == (problem.replace("FILE", str(tmp_path / "engage.toml")),)


def test_an_order_that_is_not_a_goal_may_be_passive(tmp_path: Path) -> None:
    text = COUNTED + '[active]\npassive_types = ["order"]\n[conversion]\norders = false'
    assert problems(tmp_path, text) == ()


@pytest.mark.parametrize("confidence", ["0.2", "1", '"high"'])
def test_a_confidence_outside_its_range_is_refused(tmp_path: Path, confidence: str) -> None:
    (found,) = problems(tmp_path, f"{COUNTED}[experiment]\nconfidence = {confidence}")
    assert found.startswith("experiment.confidence")


def test_an_experiment_without_its_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (found,) = problems(tmp_path, COUNTED)
    assert found.startswith(f"dimensions ({tmp_path / 'engage.toml'}:1): the experiment")
    assert 'pip install "engagement-stream[experiments]"' in found
    assert 'experiment.dimension = ""' in found
    for text in ("", COUNTED + '[experiment]\ndimension = ""'):
        assert problems(tmp_path, text) == ()


def test_the_definition_version_includes_the_control() -> None:
    chosen = load_settings(
        None, {"ENGAGE_DIMENSIONS": "variant", "ENGAGE_EXPERIMENT_CONTROL": "old"}
    )
    same = load_settings(None, {"ENGAGE_DIMENSIONS": "variant"})
    assert len({definition_version(one) for one in (Settings(), chosen, same)}) == 3
