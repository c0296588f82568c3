"""The metric reference is current and holds every metric of the catalogue."""

import re
from pathlib import Path

import pytest

from agents.commands.reference import FILE, main, reference
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings


def test_the_reference_is_current() -> None:
    assert FILE.read_text("utf-8") == reference(Settings()), (
        "run python -m agents.commands.reference"
    )


def test_every_metric_has_a_section_with_its_example() -> None:
    text = FILE.read_text("utf-8")
    for metric in catalogue(Settings()):
        _, _, section = text.partition(f"\n### {metric.name}\n")
        section = section.partition("\n##")[0]
        assert metric.help in section
        assert f"formula: {metric.formula}" in section
        assert f"example: {metric.example.text} → {metric.example.value:g}" in section


def test_an_outdated_reference_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "README.md"
    assert main(["--check"], file) == 1
    assert "run python -m agents.commands.reference" in capsys.readouterr().err
    assert main([], file) == 0
    assert main(["--check"], file) == 0
    file.write_text(file.read_text("utf-8") + "x")
    assert main(["--check"], file) == 1
    assert main(["--wrong"], file) == 2


def test_no_two_headings_have_one_anchor() -> None:
    headings = re.findall(r"^#+ (.+)$", FILE.read_text("utf-8"), re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors)
