"""Checks a mapping as a whole: fields that nothing gives, rules that no record reaches."""

from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES
from schemas.mapping.document import Constant, Mapping, Rule
from schemas.mapping.read import Problem


def check_mapping(mapping: Mapping, problems: list[Problem]) -> None:
    """Note what is wrong with a mapping whose parts are right."""
    for rule in mapping.rules:
        problems += [Problem(rule.key, text) for text in _rule(rule)]
    problems += _unreachable(mapping)
    if mapping.match == "all":
        problems += _suffixes(mapping)


def _rule(rule: Rule) -> Iterator[str]:
    if not rule.type:
        return
    row = EVENT_TYPES[rule.type]
    for field in msgspec.structs.fields(row.struct):
        if field.required and field.encode_name not in rule.fields:
            yield f"nothing gives {field.encode_name}, which {rule.type} needs; add it"
    if row.has_person and not {"visitor_id", "user_id"} & rule.fields.keys():
        yield f"nothing gives visitor_id or user_id, and {rule.type} needs one of them; add it"
    for name, given in rule.fields.items():
        if isinstance(given, Constant) and name in row.struct.__struct_fields__:
            yield from _constant(row.struct, name, given.value)


def _constant(struct: type[msgspec.Struct], name: str, value: object) -> Iterator[str]:
    """Say why a fixed value cannot be that of its field."""
    kind: Any = next(f.type for f in msgspec.structs.fields(struct) if f.encode_name == name)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{name}: the fixed value {value!r:.40} cannot be used: {error}"


def _unreachable(mapping: Mapping) -> Iterator[Problem]:
    if mapping.match == "all":
        return
    catch_all: Rule | None = None
    for rule in mapping.rules:
        if catch_all is not None and rule.label.startswith("rule"):
            text = f"{catch_all.label} before it has no `when`, so no record comes here; change the order"
            yield Problem(rule.key, text)
        elif not rule.when and catch_all is None:
            catch_all = rule


def _suffixes(mapping: Mapping) -> Iterator[Problem]:
    rules = [rule for rule in mapping.rules if rule.type]
    for place, rule in enumerate(rules):
        same = (one for one in rules[:place] if one.suffix == rule.suffix)
        if any(not _exclude_each_other(rule, one) for one in same):
            text = 'with match = "all" each rule needs a `suffix` of its own, which keeps ids apart'
            yield Problem(rule.key, text)


def _exclude_each_other(one: Rule, other: Rule) -> bool:
    """Whether a path must exist for one rule, and must not for the other."""
    left, right = _existence(one), _existence(other)
    return any(right.get(path, must) != must for path, must in left.items())


def _existence(rule: Rule) -> dict[str, bool]:
    return {
        one.path.text: bool(wanted)
        for one in rule.when
        for test, wanted in one.tests
        if test == "exists"
    }
