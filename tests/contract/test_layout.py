"""The bounds that keep the code readable: sizes of folders, files and functions."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for folder in ("agents", "schemas", "stream") for path in (ROOT / folder).rglob("*.py")
)
LINES_MAX = 300
FUNCTION_LINES_MAX = 60
MODULES_MAX = 25


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_so_are_its_functions(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LINES_MAX
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in FILES}), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_folder_holds_few_modules(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MODULES_MAX


def test_the_folder_of_the_engine_holds_folders() -> None:
    assert len(list((ROOT / "stream").glob("*.py"))) <= 2
