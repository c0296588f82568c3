"""Compiles a mapping into one function from an item of a record to outcomes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.json import encode

from schemas.mapping.code import Code, Scope
from schemas.mapping.document import Field, Mapping, Rule, place_of
from schemas.mapping.values import RefusedValue, shown
from schemas.rejection import Reason, RejectedEvent


class Mapped(NamedTuple):
    """Bytes of one of our events, and the rule that made it."""

    raw: bytes
    rule: Rule


class Ignored(NamedTuple):
    """A record, or an item of one, that is left out on purpose; not a dead letter."""

    rule: str
    why: str


Outcome = Mapped | Ignored | RejectedEvent
#: Appends the outcomes of an item, in its record, at its place.
MapItem = Callable[[object, Any, int, list[Outcome]], None]


def compile_mapping(mapping: Mapping) -> MapItem:
    """Return the function that appends the outcomes of an item of a record."""
    code, scope = Code(), Scope()
    code.add(0, "def apply(r, m, i, out):")
    code.add(1, "w = -1")
    code.add(1, "try:")
    if mapping.when:
        found = [code.condition(2, one, scope) for one in mapping.when]
        left = code.constant(Ignored("when", "left out by `when`"))
        code.add(2, f"if not ({' and '.join(found)}):")
        code.add(3, f"out.append({left})")
        code.add(3, "return")
    if mapping.match == "all":
        code.add(2, "matched = False")
    for rule in mapping.rules:
        _add_rule(code, mapping, rule, scope)
    if mapping.match == "all":
        code.add(2, "if matched:")
        code.add(3, "return")
    kinds = [code.look_up(2, path, scope) for path in mapping.discriminator]
    code.add(2, f"out.append(no_rule(({''.join(f'{kind}, ' for kind in kinds)})))")
    code.add(1, "except (RefusedValue, ArithmeticError) as error:")
    code.add(2, "out.append(refusal(w, error))")
    names = code.names | {
        "encode": _encoded, "Mapped": Mapped, "RefusedValue": RefusedValue,
        "no_rule": _no_rule(mapping), "refusal": _refusal(mapping, code.places),
    }  # fmt: skip
    # Only tokens of a checked mapping are in the text, each written by repr().
    exec(compile("\n".join(code.lines), f"<mapping {mapping.name}>", "exec"), names)  # noqa: S102
    return names["apply"]  # type: ignore[no-any-return]


def _add_rule(code: Code, mapping: Mapping, rule: Rule, scope: Scope) -> None:
    found = [code.condition(2, one, scope) for one in rule.when]
    code.add(2, f"if {' and '.join(found) or 'True'}:")
    if rule.type:
        _add_event(code, rule, dict(scope), has_suffix=bool(rule.suffix))
    elif rule.ignore:
        code.add(3, f"out.append({code.constant(Ignored(rule.label, rule.ignore))})")
    else:
        text = f"mapping {mapping.name}, {rule.name}: {rule.reject}"
        code.add(3, f"out.append({code.constant(RejectedEvent(Reason.WRONG_FIELD, text))})")
    code.add(3, "matched = True" if mapping.match == "all" else "return")


def _add_event(code: Code, rule: Rule, scope: Scope, *, has_suffix: bool) -> None:
    code.add(3, f"e = {{'type': {rule.type!r}}}")
    for name, field in rule.fields.items():
        code.field(3, rule, name, field, f"e[{name!r}]", scope)
    if has_suffix:
        code.add(3, "if type(e.get('event_id')) is str:")
        code.add(4, f"e['event_id'] += {'#' + rule.suffix!r}")
    if rule.context:
        code.add(3, "c = {}")
        for name, field in rule.context.items():
            code.field(3, rule, f"context.{name}", field, f"c[{name!r}]", scope)
        code.add(3, "if c:")
        code.add(4, "e['context'] = c")
    code.add(3, "w = -1")
    code.add(3, f"out.append(Mapped(encode(e), {code.constant(rule)}))")


def _encoded(event: dict[str, Any]) -> bytes:
    """Write an event as JSON. Raises RefusedValue for what JSON cannot hold."""
    try:
        return encode(event)
    except (OverflowError, RecursionError, ValueError, TypeError) as error:
        raise RefusedValue(f"a field cannot be written as JSON: {error}") from None


def _no_rule(mapping: Mapping) -> Callable[[tuple[object, ...]], Ignored]:
    names = [path.text for path in mapping.discriminator]

    def no_rule(kinds: tuple[object, ...]) -> Ignored:
        parts = [
            f"{name} = {kind if isinstance(kind, str) else shown(kind)}"
            for name, kind in zip(names, kinds, strict=True)
            if kind is not None
        ]
        found = f" for {', '.join(parts)}" if parts else ""
        return Ignored("", f"no rule{found}"[:100])

    return no_rule


def _refusal(
    mapping: Mapping, places: list[tuple[Rule, str]]
) -> Callable[[int, Exception], RejectedEvent]:
    def refusal(place: int, error: Exception) -> RejectedEvent:
        if place < 0:
            return RejectedEvent(Reason.WRONG_FIELD, f"mapping {mapping.name}: {error}")
        rule, name = places[place]
        text = f"{where(mapping, rule, name)}: {error}"
        return RejectedEvent(Reason.WRONG_FIELD, text)

    return refusal


def where(mapping: Mapping, rule: Rule, name: str) -> str:
    """Name the mapping, the rule, the field and the paths that it comes from."""
    field = field_of(rule, name)
    taken = f" from {place_of(field)}" if field is not None else ""
    return f"mapping {mapping.name}, {rule.name}, {name}{taken}"


def field_of(rule: Rule, name: str) -> Field | None:
    """Return where a field of the rule's event comes from; context.NAME is one of the context."""
    table, _, key = name.partition(".")
    return rule.context.get(key) if table == "context" and key else rule.fields.get(name)
