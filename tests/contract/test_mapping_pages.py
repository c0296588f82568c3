"""The pages about mappings: every snippet loads, every table is current, every preset is listed."""

import re
from pathlib import Path

import pytest

from schemas.mapping.page import LANGUAGE, PAGE, main
from schemas.mapping.preset import presets
from stream.configure.load import load_settings
from tests.contract.pages import ROOT, blocks

CONTRACT = ROOT / "schemas" / "README.md"


def snippets() -> list[str]:
    pages = (PAGE, LANGUAGE, CONTRACT)
    return [
        block
        for page in pages
        for block in blocks(page.read_text("utf-8"), "toml")
        if "[sources." in block
    ]


@pytest.mark.parametrize("snippet", snippets(), ids=lambda text: text.splitlines()[0] + text[-20:])
def test_a_snippet_loads(snippet: str, tmp_path: Path) -> None:
    file = tmp_path / "engage.toml"
    file.write_text(snippet, "utf-8")
    assert load_settings(file, {}).sources


def test_the_pages_are_current() -> None:
    assert main(["--check"]) == 0


def test_every_preset_is_listed_where_a_user_looks() -> None:
    text = CONTRACT.read_text("utf-8")
    assert {name for name in presets() if f"`{name}`" not in text} == set()
    found = set(re.findall(r'^preset = "(\w+)"$', PAGE.read_text("utf-8"), re.MULTILINE))
    assert found == presets().keys()
