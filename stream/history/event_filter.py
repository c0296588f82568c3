"""Predicates of event selections: an event type with conditions on its fields."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from schemas.envelope import Envelope
from stream.counters.page_name import page_names
from stream.history.spelling import SPELLINGS
from stream.settings.definitions import Scalar, Selection
from stream.settings.pages import PageSettings

Predicate = Callable[[Any], bool]
#: Prefix of a condition on a field of the context.
CONTEXT = "context."
#: Field whose conditions see the page.
PAGE_URL = "page_url"
#: Fields without conditions: they describe the moment, or other settings select by them.
_NO_CONDITIONS = frozenset({"event_time", "schema_version", "is_bot", "context"})


def predicate(selection: Selection, pages: PageSettings) -> Predicate:
    """Build the test of a selection's conditions; the caller has checked the event's type.

    `pages` says what one page is: a condition on page_url sees the page.
    """
    tests = [
        _page_test(choices_of(value), pages) if name == PAGE_URL else _test(name, choices_of(value))
        for name, value in selection.where.items()
    ]
    if not tests:
        return lambda _event: True
    if len(tests) == 1:
        return tests[0]
    return lambda event: all(test(event) for test in tests)


def condition_fields(struct: type[Envelope]) -> list[str]:
    """Return the names of the fields that a condition may compare."""
    return [name for name in struct.__struct_fields__ if name not in _NO_CONDITIONS]


def _test(name: str, choices: Sequence[Scalar]) -> Predicate:
    spelled = SPELLINGS.get(name, str)
    plain, patterns = _wanted(choices, spelled)
    key = name.removeprefix(CONTEXT) if name.startswith(CONTEXT) else None

    def test(event: Any) -> bool:
        found = getattr(event, name) if key is None else (event.context or {}).get(key)
        if isinstance(found, str):
            found = spelled(found) or None
        if found in plain:
            return True
        return any(found is not None and pattern.fullmatch(str(found)) for pattern in patterns)

    return test


def _page_test(choices: Sequence[Scalar], pages: PageSettings) -> Predicate:
    """Build the test of page_url: of the page, or of the raw URL for choices that begin with http."""
    name_of = page_names(pages).of
    urls, url_patterns = _wanted([one for one in choices if is_raw_url(one)], str)
    others = [one for one in choices if not is_raw_url(one)]
    _, patterns = _wanted(others, str)
    plain = frozenset(name_of(str(one)) if one else None for one in others if not is_pattern(one))

    def test(event: Any) -> bool:
        url = event.page_url
        if not url:
            return None in plain
        page = name_of(url)
        return (
            page in plain
            or url in urls
            or any(pattern.fullmatch(page) for pattern in patterns)
            or any(pattern.fullmatch(url) for pattern in url_patterns)
        )

    return test


def _wanted(
    choices: Sequence[Scalar], spelled: Callable[[str], str]
) -> tuple[frozenset[Scalar | None], list[re.Pattern[str]]]:
    """Return the values and the patterns of a condition. An empty text stands for a missing field."""
    plain = frozenset(
        (spelled(one) or None) if isinstance(one, str) else one
        for one in choices
        if not is_pattern(one)
    )
    return plain, [_pattern(str(one), spelled) for one in choices if is_pattern(one)]


def choices_of(value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Return the values that a condition allows; a single value is a list of one."""
    return value if isinstance(value, tuple) else (value,)


def is_pattern(value: Scalar) -> bool:
    """Return whether a value is a text in which * stands for any text."""
    return isinstance(value, str) and "*" in value


def is_raw_url(value: Scalar) -> bool:
    """Return whether a condition on page_url compares the whole URL as it was sent."""
    return isinstance(value, str) and value.startswith("http")


def _pattern(text: str, spelled: Callable[[str], str]) -> re.Pattern[str]:
    parts = (re.escape(spelled(part)) for part in text.split("*"))
    return re.compile(".*".join(parts), re.DOTALL)
