"""Reads a mapping out of plain TOML tables; every mistake becomes a problem with its key."""

from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import Any, Final, NamedTuple

from schemas.envelope import Envelope
from schemas.events import EVENT_TYPES
from schemas.mapping.document import (
    Condition,
    Field,
    Mapping,
    Packed,
    Rule,
)
from schemas.mapping.formats import FORMATS
from schemas.mapping.paths import Path, PathError, parse_path
from schemas.mapping.read_field import read_field
from schemas.suggest import did_you_mean

_TESTS: Final = ("exists", "present", "not", "starts_with", "above", "differs_from")
_RULE_WORDS: Final = ("when", "type", "ignore", "reject", "suffix", "context")
_PACKED: Final[tuple[Packed, ...]] = ("json", "base64_json", "query")
_TEXTS: Final = ("ignore", "reject", "suffix")
_SHARED: Final = tuple(name for name in Envelope.__struct_fields__ if name != "context")
#: Fields of all event types, without those of every event.
_OWN: Final = sorted(
    {n for row in EVENT_TYPES.values() for n in row.struct.__struct_fields__} - {"context"}
)


class Problem(NamedTuple):
    """A mistake: the dotted key it stands at, and what is wrong with a way out."""

    key: str
    text: str


class Reader:
    """Reads tables of one mapping and collects problems."""

    def __init__(self, key: str, problems: list[Problem]) -> None:
        self.key, self._problems = key, problems

    def note(self, key: str, text: str) -> None:
        """Note a problem at a key below that of the mapping."""
        self._problems.append(Problem(f"{self.key}.{key}" if self.key else key, text))

    def path(self, key: str, written: object) -> Path | None:
        """Read a path; note a problem if it is none."""
        if not isinstance(written, str):
            self.note(key, f"found {written!r:.60}; use a path, such as context.page.url")
            return None
        try:
            return parse_path(written)
        except PathError as error:
            self.note(key, str(error))
            return None

    def conditions(self, key: str, written: object) -> tuple[Condition, ...]:
        """Read a table of conditions."""
        if not isinstance(written, dict):
            self.note(key, 'use a table, such as { type = "track" }')
            return ()
        found = (
            self._condition(f"{key}.{_quoted(name)}", name, one) for name, one in written.items()
        )
        return tuple(one for one in found if one is not None)

    def _condition(self, key: str, name: str, written: object) -> Condition | None:
        path = self.path(key, name)
        if path is None:
            return None
        if _is_scalar(written):
            return Condition(path, (("is", written),))
        if isinstance(written, list | tuple):
            if not written or not all(map(_is_scalar, written)):
                self.note(key, "use a list of texts, numbers or booleans")
                return None
            return Condition(path, (("in", tuple(written)),))
        if not isinstance(written, dict) or not written:
            self.note(key, f"use a value, a list, or a table with {', '.join(_TESTS)}")
            return None
        tests: list[Any] = []
        for test, value in written.items():
            if test not in _TESTS:
                known = did_you_mean(test, _TESTS, f"known are {', '.join(_TESTS)}")
                self.note(f"{key}.{test}", f"{test!r} is no condition; {known}")
            elif (read := self._test(f"{key}.{test}", test, value)) is not None:
                tests.append((test, read))
        return Condition(path, tuple(tests))

    def _test(self, key: str, test: str, value: object) -> object:
        if test in ("exists", "present"):
            if isinstance(value, bool):
                return value
            self.note(key, "use true or false")
        elif test == "above":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value
            self.note(key, "use a number")
        elif test == "differs_from":
            return self.path(key, value)
        else:
            values = tuple(value) if isinstance(value, list | tuple) else (value,)
            of_text = test == "starts_with"
            if values and all(isinstance(v, str) if of_text else _is_scalar(v) for v in values):
                return values
            self.note(key, "use a text or a list of texts" if of_text else "use a value or a list")
        return None

    def packed(self, key: str, written: object) -> tuple[tuple[Path, Packed], ...]:
        """Read a table of paths to texts and what they hold."""
        found = []
        for name, how in written.items() if isinstance(written, dict) else ():
            path = self.path(f"{key}.{_quoted(name)}", name)
            if how not in _PACKED:
                self.note(f"{key}.{_quoted(name)}", f"found {how!r:.60}; use {', '.join(_PACKED)}")
            elif path is not None:
                found.append((path, how))
        return tuple(found)

    def fields(self, key: str, written: Table[str, object]) -> dict[str, Field]:
        """Read where the fields of an event, or the values of its context, come from."""
        found = {}
        for name, one in written.items():
            if (
                field := read_field(self, f"{key}.{_quoted(name)}" if key else name, one)
            ) is not None:
                found[name] = field
        return found

    def rule(self, number: int, label: str, written: object) -> Rule | None:
        """Read a rule."""
        key = f"event[{number}]"
        if not isinstance(written, dict):
            self.note(key, "use a table")
            return None
        when = self.conditions(f"{key}.when", written.get("when", {}))
        outcomes = [word for word in ("type", "ignore", "reject") if written.get(word)]
        if len(outcomes) != 1:
            self.note(
                key, "a rule has one of type, ignore and reject; name what the record becomes"
            )
            return None
        texts = {word: written.get(word, "") for word in _TEXTS}
        for word, text in texts.items():
            if not isinstance(text, str):
                self.note(f"{key}.{word}", "use a text")
                return None
        kind = written.get("type", "")
        if kind and kind not in EVENT_TYPES:
            known = did_you_mean(str(kind), EVENT_TYPES, "see schemas/README.md")
            self.note(f"{key}.type", f"{kind!r} is not an event type; {known}")
            return None
        rule = Rule(
            label=label, key=f"{self.key}.{key}" if self.key else key, when=when, type=kind, **texts
        )
        own = {name: one for name, one in written.items() if name not in _RULE_WORDS}
        if not kind:
            for name in own:
                self.note(f"{key}.{name}", "a rule without `type` has no fields; remove it")
            return rule
        self.names(key, own, [*_SHARED, *EVENT_TYPES[kind].struct.__struct_fields__], f"of {kind}")
        context = self.context(key, written.get("context", {}))
        return Rule(
            label=label, key=rule.key, when=when, type=kind, suffix=texts["suffix"],
            fields=self.fields(key, own), context=context,
        )  # fmt: skip

    def context(self, key: str, written: object) -> dict[str, Field]:
        """Read the table of the context."""
        if isinstance(written, dict):
            return self.fields(f"{key}.context", written)
        self.note(f"{key}.context", "use a table")
        return {}

    def names(self, key: str, written: Iterable[str], known: Iterable[str], of: str) -> None:
        """Note names that are no fields."""
        names = sorted({*known, "context"})
        for name in written:
            if name not in names:
                guess = did_you_mean(name, names, f"known are {', '.join(names)}")
                self.note(f"{key}.{_quoted(name)}", f"is no field {of}; {guess}")


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


#: Keys of a mapping: those that a preset may have as well.
KEYS: Final = (
    "format", "parse", "unwrap", "each", "each_as", "each_parse", "tombstones", "match", "when",
    "discriminator", "every", "event",
)  # fmt: skip
_CHOICES: Final[Table[str, tuple[str, ...]]] = {
    "format": tuple(FORMATS), "each_as": ("query",), "tombstones": ("reject", "ignore"),
    "match": ("first", "all"),
}  # fmt: skip


class Written(NamedTuple):
    """A mapping as read, before it is joined with its preset."""

    values: dict[str, Any]
    when: tuple[Condition, ...]
    every: dict[str, Field]
    context: dict[str, Field]
    rules: tuple[Rule, ...]


def read_written(
    written: Table[str, Any], key: str, problems: list[Problem], label: str = "rule"
) -> Written:
    """Read a mapping; what cannot be used is noted and left out."""
    reader = Reader(key, problems)
    values: dict[str, Any] = {}
    for name in written:
        if name not in KEYS:
            guess = did_you_mean(name, KEYS, f"known are {', '.join(KEYS)}")
            reader.note(name, f"is not a setting of a mapping; {guess}")
    for name, choices in _CHOICES.items():
        if value := written.get(name):
            if value in choices:
                values[name] = value
            else:
                guess = did_you_mean(str(value), choices, f"there are {', '.join(choices)}")
                reader.note(name, f"found {value!r:.60}; {guess}")
    for name in ("unwrap", "each"):
        if (value := written.get(name)) and (path := reader.path(name, value)):
            values[name] = path
    for name in ("parse", "each_parse"):
        if value := written.get(name):
            values[name] = reader.packed(name, value)
    if named := written.get("discriminator"):
        found = (reader.path("discriminator", one) for one in named)
        values["discriminator"] = tuple(path for path in found if path)
    every = dict(written.get("every") or {})
    context = reader.context("every", every.pop("context", {}))
    reader.names("every", every, [*_SHARED, *_OWN], "of any event type")
    rules = (
        reader.rule(number, f"{label} {number + 1}", one)
        for number, one in enumerate(written.get("event") or ())
    )
    return Written(
        values,
        reader.conditions("when", written.get("when") or {}),
        reader.fields("every", every),
        context,
        tuple(rule for rule in rules if rule),
    )


def joined(
    name: str, own: Written, preset: Written | None, key: str, problems: list[Problem]
) -> Mapping:
    """Join a mapping with its preset: own rules come first, own fields replace those of the preset."""
    below = preset or Written({}, (), {}, {}, ())
    values = below.values | own.values
    every, context = below.every | own.every, below.context | own.context
    rules = tuple(_complete(rule, every, context) for rule in (*own.rules, *below.rules))
    mapping = Mapping(name=name, when=(*below.when, *own.when), rules=rules, **values)
    if not rules:
        problems.append(
            Problem(f"{key}.event" if key else "event", "there is no rule; add [[…event]]")
        )
    return mapping


def _complete(rule: Rule, every: dict[str, Field], context: dict[str, Field]) -> Rule:
    """Add the fields of every event that its type has."""
    if not rule.type:
        return rule
    has = EVENT_TYPES[rule.type].struct.__struct_fields__
    fields = {name: one for name, one in every.items() if name in has} | rule.fields
    return Rule(
        label=rule.label, key=rule.key, when=rule.when, type=rule.type, suffix=rule.suffix,
        fields=fields, context=context | rule.context,
    )  # fmt: skip
