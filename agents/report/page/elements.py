"""Makes elements of HTML; every text and attribute is escaped."""

import html
from collections.abc import Iterable

from msgspec.json import encode

from schemas.rejection import printable

_TEXT_MAX = 4_096
#: Headings of columns with words, which begin at the left.
_WORDS = {"meaning": "words"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str | None) -> Markup:
    """Return an element. A child that is no Markup is a text. `class_` is the attribute class."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """Return texts and elements in a row."""
    return Markup(
        "".join(child if isinstance(child, Markup) else _escaped(child) for child in children)
    )


def table(
    caption: str, headings: Iterable[str], rows: Iterable[Iterable[str]], class_: str | None = None
) -> Markup:
    """Return a table whose first column heads its rows."""
    titles = (element("th", text, scope="col", class_=_WORDS.get(text)) for text in headings)
    head = element("tr", *titles)
    body = [
        element("tr", element("th", first, scope="row"), *(_cell(cell) for cell in rest))
        for first, *rest in rows
    ]
    return element(
        "table",
        element("caption", caption), element("thead", head), element("tbody", *body), class_=class_,
    )  # fmt: skip


def _cell(content: str) -> Markup:
    is_cell = isinstance(content, Markup) and content.startswith("<td")
    return Markup(content) if is_cell else element("td", content)


def data(name: str, content: object) -> Markup:
    """Return a script element that holds JSON, in which nothing can end it."""
    text = encode(content).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{name}">{text}</script>')


def _escaped(text: str) -> str:
    return html.escape(printable(text, _TEXT_MAX))
