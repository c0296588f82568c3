"""Lines of a generated function: looks up paths once each, tests conditions, fills fields."""

from collections.abc import Callable
from typing import Any, Final

from schemas.mapping.converters import CONVERTERS, mapped
from schemas.mapping.digest import digest
from schemas.mapping.document import (
    Condition,
    Constant,
    Conversion,
    Digest,
    Field,
    FirstOf,
    Rule,
    Taken,
)
from schemas.mapping.lookup import getter
from schemas.mapping.paths import Path, Step, at_place, selected
from schemas.mapping.text_fields import text_fields
from schemas.mapping.values import RefusedValue, as_number, as_text, same

#: Root → expression. `r` is the item, `m` the record, `i` the item's place among those of its record.
_ROOTS: Final = {
    "": "r", "timestamp": "m.timestamp", "topic": "m.topic", "partition": "m.partition",
    "offset": "m.offset", "record": "m.whole", "index": "i",
}  # fmt: skip
Scope = dict[tuple[str, tuple[Step, ...]], str]


class Code:
    """Collects the lines of a function, and the constants that they name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "at_place": at_place, "selected": selected, "same": same, "same_as_any": _same_as_any,
            "above": _above, "digest": digest, "as_text": as_text,
        }  # fmt: skip
        #: Place in the code → (rule, name of its field), for refusals.
        self.places: list[tuple[Rule, str]] = []
        self._variables = 0

    def add(self, depth: int, line: str) -> None:
        """Add a line."""
        self.lines.append("    " * depth + line)

    def constant(self, value: object) -> str:
        """Return an expression for a value: its literal, or the name of a constant."""
        if type(value) in (str, bool, int):
            return repr(value)
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def variable(self) -> str:
        """Return a new name."""
        self._variables += 1
        return f"v{self._variables}"

    def look_up(self, depth: int, path: Path, scope: Scope) -> str:
        """Add the look-up of a path, if the scope does not have it; return its variable."""
        if (path.root, path.steps) in scope:
            return scope[path.root, path.steps]
        if path.root == "headers":
            found = f"m.header({path.steps[0]!r})"
            return self._kept(depth, (path.root, path.steps), found, scope)
        if path.root == "key":
            found = "m.key_value()" if path.steps else "m.key_text()"
            base = self._kept(depth, (path.root, ()), found, scope)
        else:
            base = _ROOTS[path.root]
        for place, step in enumerate(path.steps, start=1):
            known = (path.root, path.steps[:place])
            base = (
                scope[known]
                if known in scope
                else self._kept(depth, known, _step(base, step), scope)
            )
        return base

    def _kept(
        self, depth: int, known: tuple[str, tuple[Step, ...]], found: str, scope: Scope
    ) -> str:
        name = self.variable()
        self.add(depth, f"{name} = {found}")
        scope[known] = name
        return name

    def condition(self, depth: int, condition: Condition, scope: Scope) -> str:
        """Add what a condition looks at; return its expression."""
        value = self.look_up(depth, condition.path, scope)
        return " and ".join(
            self._test(depth, condition.path, value, test, wanted, scope)
            for test, wanted in condition.tests
        )

    def _test(
        self, depth: int, path: Path, value: str, test: str, wanted: Any, scope: Scope
    ) -> str:
        if test == "is":
            return (
                f"{value} == {wanted!r}"
                if isinstance(wanted, str)
                else self._same(value, (wanted,))
            )
        if test in ("in", "not"):
            return self._same(value, wanted) if test == "in" else f"not {self._same(value, wanted)}"
        if test == "exists":
            found = f"({value} is not None and {value} != '')"
            return found if wanted else f"not {found}"
        if test == "present":
            found = self._present(depth, path, value, scope)
            return found if wanted else f"not {found}"
        if test == "starts_with":
            return f"(type({value}) is str and {value}.startswith({wanted!r}))"
        if test == "above":
            return f"above({value}, {self.constant(wanted)})"
        return f"not same({value}, {self.look_up(depth, wanted, scope)})"

    def _same(self, value: str, wanted: tuple[Any, ...]) -> str:
        if all(isinstance(one, str) for one in wanted):
            return f"({value} in {wanted!r})"
        return f"same_as_any({value}, {self.constant(wanted)})"

    def _present(self, depth: int, path: Path, value: str, scope: Scope) -> str:
        last = path.steps[-1] if path.steps and path.root != "headers" else None
        if not isinstance(last, str):
            return f"({value} is not None)"
        around = self.look_up(depth, Path(path.text, path.root, path.steps[:-1]), scope)
        return f"(type({around}) is dict and {last!r} in {around})"

    def field(
        self, depth: int, rule: Rule, name: str, field: Field, store: str, scope: Scope
    ) -> None:
        """Add what puts a field into the event, unless it is absent."""
        if isinstance(field, Constant):
            self.add(depth, f"{store} = {self.constant(field.value)}")
            return
        value = self.variable()
        self._value(depth, rule, name, field, value, scope)
        self.add(depth, f"if {value} is not None and {value} != '':")
        if name.startswith("context.") or name in text_fields(rule.type):
            # Ids are often numbers.
            self.add(depth + 1, f"if type({value}) is int:")
            self._mark(depth + 2, rule, name)
            self.add(depth + 2, f"{value} = as_text({value})")
        self.add(depth + 1, f"{store} = {value}")

    def _value(
        self, depth: int, rule: Rule, name: str, field: Field, value: str, scope: Scope
    ) -> None:
        if isinstance(field, Constant):
            self.add(depth, f"{value} = {self.constant(field.value)}")
        elif isinstance(field, Digest):
            self._digest(depth, rule, name, field, value, scope)
        elif isinstance(field, FirstOf):
            self._value(depth, rule, name, field.fields[0], value, scope)
            for other in field.fields[1:]:
                self.add(depth, f"if {value} is None or {value} == '':")
                self._value(depth + 1, rule, name, other, value, dict(scope))
        else:
            self._taken(depth, rule, name, field, value, scope)

    def _first(self, depth: int, paths: tuple[Path, ...], value: str, scope: Scope) -> None:
        self.add(depth, f"{value} = {self.look_up(depth, paths[0], scope)}")
        inner = dict(scope)
        for path in paths[1:]:
            self.add(depth, f"if {value} is None or {value} == '':")
            depth += 1
            self.add(depth, f"{value} = {self.look_up(depth, path, inner)}")

    def _digest(
        self, depth: int, rule: Rule, name: str, field: Digest, value: str, scope: Scope
    ) -> None:
        parts = []
        for part in field.parts:
            parts.append(self.variable())
            self._first(depth, part, parts[-1], scope)
        self._mark(depth, rule, name)
        self.add(depth, f"{value} = digest(({', '.join(parts)},), {field.any})")

    def _taken(
        self, depth: int, rule: Rule, name: str, field: Taken, value: str, scope: Scope
    ) -> None:
        self._first(depth, field.paths, value, scope)
        otherwise = field.otherwise
        if field.conversion is None and field.map is None and otherwise is None:
            return
        self.add(depth, f"if {value} is not None and {value} != '':")
        self._mark(depth + 1, rule, name)
        if field.conversion is not None:
            currency = ""
            if field.conversion.name == "minor_units":
                code = self.variable()
                self._first(depth + 1, field.conversion.options["currency"], code, dict(scope))
                currency = f", {code}"
            convert = self.constant(converter(field.conversion))
            self.add(depth + 1, f"{value} = {convert}({value}{currency})")
        if field.map is not None:
            self.add(depth + 1, f"{value} = {self.constant(mapped(field.map, otherwise))}({value})")
        if field.conversion is None and field.map is None:
            self.add(depth + 1, "pass")
        if otherwise is not None:
            self.add(depth, "else:")
            self.add(depth + 1, f"{value} = {self.constant(otherwise)}")

    def _mark(self, depth: int, rule: Rule, name: str) -> None:
        """Add the note of the field that is being converted: a refusal names it."""
        if (rule, name) not in self.places:
            self.places.append((rule, name))
        self.add(depth, f"w = {self.places.index((rule, name))}")


def converter(conversion: Conversion) -> Callable[..., Any]:
    """Return the converter with its options."""
    made = CONVERTERS[conversion.name]
    options: dict[str, Any] = {}
    for name, value in conversion.options.items():
        kind = made.options[name].kind
        if kind != "record_path":
            options[name] = getter(value) if kind == "path" else value
    return made.make(**options)


def _step(base: str, step: Step) -> str:
    if isinstance(step, str):
        return f"{base}.get({step!r}) if type({base}) is dict else None"
    if isinstance(step, int):
        return f"at_place({base}, {step})"
    return f"selected({base}, {step.field!r}, {step.value!r})"


def _same_as_any(value: object, wanted: tuple[object, ...]) -> bool:
    return any(same(value, one) for one in wanted)


def _above(value: object, limit: float) -> bool:
    try:
        return value is not None and as_number(value) > limit
    except RefusedValue:
        return False
