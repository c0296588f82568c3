"""Docstrings name things: they begin with a verb or a noun."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("agents", "schemas", "stream", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
VAGUE = ("What ", "Who ", "Whose ", "How ", "That ", "Which ", "Where ", "When ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_begin_with_a_verb_or_a_noun(path: Path) -> None:
    found = [
        f"{getattr(node, 'name', path.name)}: {text.splitlines()[0]}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (text := ast.get_docstring(node))
        and text.startswith(VAGUE)
    ]
    assert found == []
