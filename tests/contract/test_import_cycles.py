"""No module imports itself through others, also not under TYPE_CHECKING or inside a function."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "stream", "agents")


def modules(root: Path) -> dict[str, ast.Module]:
    """Return the parsed modules of our packages by their dotted names."""
    found = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text("utf-8"))
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield every name that a module imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return the modules that each module imports; a name in a module stands for the module."""
    return {
        name: {
            found
            for text in imported(tree)
            for found in (text, text.rpartition(".")[0])
            if found in trees and found != name
        }
        for name, tree in trees.items()
    }


def cycle(edges: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of a cycle in order, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others() -> None:
    assert cycle(graph(modules(ROOT))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from stream.two import b",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stream.two import b",
        "def late():\n    import stream.two",
    ],
)
def test_a_cycle_is_seen_wherever_its_import_stands(text: str) -> None:
    trees = {"stream.one": ast.parse(text), "stream.two": ast.parse("from stream import one")}
    assert set(cycle(graph(trees))) == {"stream.one", "stream.two"}
