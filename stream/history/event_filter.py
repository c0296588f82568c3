"""Predicates of event selections: an event type with conditions on its fields."""

import re
from collections.abc import Callable
from typing import Any

from schemas.envelope import Envelope
from stream.settings.definitions import Scalar, Selection

Predicate = Callable[[Any], bool]
#: Prefix of a condition on a field of the context.
CONTEXT = "context."
#: Fields without conditions: they describe the moment, or other settings select by them.
_NO_CONDITIONS = frozenset({"event_time", "schema_version", "is_bot", "context"})


def predicate(selection: Selection) -> Predicate:
    """Build the test of a selection's conditions; the caller has checked the event's type."""
    tests = [_test(name, value) for name, value in selection.where.items()]
    if not tests:
        return lambda _event: True
    if len(tests) == 1:
        return tests[0]
    return lambda event: all(test(event) for test in tests)


def condition_fields(struct: type[Envelope]) -> list[str]:
    """Return the names of the fields that a condition may compare."""
    return [name for name in struct.__struct_fields__ if name not in _NO_CONDITIONS]


def _test(name: str, value: Scalar | tuple[Scalar, ...]) -> Predicate:
    choices = choices_of(value)
    plain = frozenset(one for one in choices if not is_pattern(one))
    patterns = [_pattern(str(one)) for one in choices if is_pattern(one)]
    key = name.removeprefix(CONTEXT) if name.startswith(CONTEXT) else None

    def test(event: Any) -> bool:
        found = getattr(event, name) if key is None else (event.context or {}).get(key)
        if found in plain:
            return True
        return any(found is not None and pattern.fullmatch(str(found)) for pattern in patterns)

    return test


def choices_of(value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Return the values that a condition allows; a single value is a list of one."""
    return value if isinstance(value, tuple) else (value,)


def is_pattern(value: Scalar) -> bool:
    """Return whether a value is a text in which * stands for any text."""
    return isinstance(value, str) and "*" in value


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
