"""Pages of the repository, for tests that read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FOLDERS = ("agents", "deploy", "schemas", "stream", "tests")


def pages() -> list[Path]:
    """Return every page of the repository."""
    below = (page for top in FOLDERS for page in (ROOT / top).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *(p for p in below if "node_modules" not in p.parts)])


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of a page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
