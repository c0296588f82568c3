"""The pages lead somewhere: links resolve, each folder's page lists its files, README stays short."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.pages import README, ROOT, pages

#: Folders of these packages have a page that lists their files.
LISTED = ("agents", "stream")
#: Their pages are generated references.
REFERENCES = ("stream/metrics", "stream/settings")
README_LINES, README_BYTES = 200, 20_000

_CODE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[`*]")


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return _CODE.sub("", text)


def links(text: str) -> Iterator[str]:
    """The targets of links and pictures, except addresses of other sites."""
    for markdown, html in _LINK.findall(prose(text)):
        if not re.match(r"[a-z]+:", markdown or html):
            yield markdown or html


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    for heading in _HEADING.findall(prose(text)):
        words = _MARKUP.sub(lambda match: match[1] or "", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken_links(page: Path) -> list[str]:
    """Links of a page whose file or heading does not exist."""
    broken = []
    for link in links(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not (target.is_file() if anchor else target.exists()):
            broken.append(link)
        elif anchor and anchor not in anchors(target.read_text("utf-8")):
            broken.append(f"{link}: no heading")
    return broken


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_resolves(page: Path) -> None:
    assert not broken_links(page)


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`: three\n\n## Again\n\n## Again\n\n```\n[code](nowhere.md)\n# no heading\n```\n"
        "[good](#one-two-three) [good](#again-1) [good](page.md#again) [good](https://x.org/y.md)\n"
        '[bad](nowhere.md) [bad](#no-heading) [bad](page.md#again-2) <img src="nowhere.png">\n',
        "utf-8",
    )
    assert broken_links(page) == [
        "nowhere.md",
        "#no-heading: no heading",
        "page.md#again-2: no heading",
        "nowhere.png",
    ]


def folders() -> list[Path]:
    """Every folder with modules in the packages whose folders have pages."""
    tops = [ROOT / top for top in LISTED]
    inits = [init for top in tops for init in top.rglob("__init__.py")]
    references = {ROOT / folder for folder in REFERENCES}
    return sorted({init.parent for init in inits} - references)


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_the_page_of_a_folder_lists_its_files(folder: Path) -> None:
    page = folder / "README.md"
    while not page.exists():  # a folder without a page is explained by the one above it
        page = page.parent.parent / "README.md"
        assert page.is_relative_to(ROOT) and page.parent != ROOT, f"{folder} has no page"
    text = page.read_text("utf-8")
    modules = {file.name for file in folder.glob("*.py")} - {"__init__.py", "__main__.py"}
    missing = {name for name in modules if f"`{name}`" not in text}
    assert not missing, f"{page} does not mention {missing}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_lists_exists(page: Path) -> None:
    """A file is listed as the first code of a list item or of a table's row."""
    if page.parent == ROOT:
        return
    listed = re.findall(r"^(?:\d+\.|\|) `([\w/]+\.py)`", page.read_text("utf-8"), re.MULTILINE)
    missing = [name for name in listed if not (page.parent / name).exists()]
    assert not missing, f"{page} lists {missing}"


def test_readme_is_short() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= README_LINES
    assert len(text.encode()) <= README_BYTES
