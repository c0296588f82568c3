"""Selections of events: a type and conditions on fields, as a predicate, or as what is wrong with them."""

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import msgspec

from schemas.envelope import Envelope
from schemas.events import EVENT_TYPES
from stream.settings.definitions import Scalar, Selection

Predicate = Callable[[Any], bool]
_CONTEXT = "context."
#: Conditions on these would be about the moment, or are said by other settings.
_NO_CONDITIONS = frozenset({"event_time", "schema_version", "is_bot", "context"})


def predicate(selection: Selection) -> Predicate:
    """Whether an event of the selection's type fulfils its conditions; it does not ask for the type."""
    tests = [_test(name, value) for name, value in selection.where.items()]
    if not tests:
        return lambda _event: True
    if len(tests) == 1:
        return tests[0]
    return lambda event: all(test(event) for test in tests)


def mistakes(key: str, selection: Selection) -> Iterator[str]:
    """One sentence for each thing that no event can be like; the key is the selection's own."""
    kind = EVENT_TYPES.get(selection.type)
    if kind is None:
        found = f"{selection.type[:80]!r} is not an event type" if selection.type else "is not set"
        yield f"{key}.type: {found}; {nearest(selection.type, EVENT_TYPES)}"
        return
    struct = kind.struct
    known = condition_fields(struct)
    for name, value in selection.where.items():
        if name.startswith(_CONTEXT) and name != _CONTEXT:
            wrong = [one for one in _choices(value) if not isinstance(one, str)]
            if wrong:
                yield f"{key}.where: {name} is a text and never {wrong[0]!r}; put it in quotes"
        elif name not in known:
            advice = nearest(name, [*known, f"{_CONTEXT}{name}"])
            yield f"{key}.where: {name[:80]!r} is not a field of {selection.type}; {advice}"
        else:
            yield from _impossible(f"{key}.where", struct, name, value)


def condition_fields(struct: type[Envelope]) -> list[str]:
    """The fields that a condition may be about."""
    return [name for name in struct.__struct_fields__ if name not in _NO_CONDITIONS]


def nearest(name: str, known: Any) -> str:
    """What may have been meant."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "there are " + ", ".join(sorted(known))


def _impossible(
    key: str, struct: type[Envelope], name: str, value: Scalar | tuple[Scalar, ...]
) -> Iterator[str]:
    """A value that the field's type refuses would select nothing, for ever and in silence."""
    hint = get_type_hints(struct, include_extras=True)[name]
    choices = _choices(value)
    if not choices:
        yield f"{key}: the list for {name} is empty and selects nothing; name a value"
    for one in choices:
        if isinstance(one, str) and "*" in one:
            continue
        try:
            msgspec.convert(one, hint)
        except msgspec.ValidationError as error:
            yield f"{key}: {name} is never {one!r} ({error}); write a value that it can have"


def _test(name: str, value: Scalar | tuple[Scalar, ...]) -> Predicate:
    choices = _choices(value)
    plain = frozenset(one for one in choices if not _is_pattern(one))
    patterns = [_pattern(str(one)) for one in choices if _is_pattern(one)]
    key = name.removeprefix(_CONTEXT) if name.startswith(_CONTEXT) else None

    def test(event: Any) -> bool:
        found = getattr(event, name) if key is None else (event.context or {}).get(key)
        if found in plain:
            return True
        return any(found is not None and pattern.fullmatch(str(found)) for pattern in patterns)

    return test


def _choices(value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _is_pattern(value: Scalar) -> bool:
    return isinstance(value, str) and "*" in value


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
