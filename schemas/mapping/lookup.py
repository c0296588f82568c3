"""Looks up paths in an object step by step: for options of converters, and off the hot path."""

from collections.abc import Callable, Sequence

from schemas.mapping.document import Condition
from schemas.mapping.paths import Path, Step, at_place, selected
from schemas.mapping.record import Record
from schemas.mapping.values import is_absent, same


def walk(value: object, steps: Sequence[Step]) -> object:
    """Return what is at the end of the steps, or None."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if type(value) is dict else None
        elif isinstance(step, int):
            value = at_place(value, step)
        else:
            value = selected(value, step.field, step.value)
    return value


def getter(paths: Sequence[Path]) -> Callable[[object], object]:
    """Return a function that finds the first value at the paths that is not absent."""

    def get(item: object) -> object:
        found = (walk(item, path.steps) for path in paths)
        return next((value for value in found if not is_absent(value)), None)

    return get


def root_of(root: str, item: object, record: Record, index: int) -> object:
    """Return what a root of paths stands for."""
    if root == "key":
        return record.key_text()
    if root == "record":
        return record.whole
    if root == "index":
        return index
    return getattr(record, root) if root else item


def look_up(path: Path, item: object, record: Record, index: int = 0) -> object:
    """Return what is at a path, or None."""
    if path.root == "headers":
        return record.header(str(path.steps[0]))
    if path.root == "key" and path.steps:
        return walk(record.key_value(), path.steps)
    return walk(root_of(path.root, item, record, index), path.steps)


def hold(conditions: Sequence[Condition], item: object, record: Record) -> bool:
    """Whether all conditions hold for an item: for detection, off the hot path."""
    return all(_holds(one, item, record) for one in conditions)


def _holds(condition: Condition, item: object, record: Record) -> bool:
    value = look_up(condition.path, item, record)
    for test, wanted in condition.tests:
        if test in ("is", "in", "not"):
            found = any(same(value, one) for one in (wanted if test != "is" else (wanted,)))
            holds = found if test != "not" else not found
        elif test == "starts_with":
            holds = isinstance(value, str) and value.startswith(wanted)
        elif test in ("exists", "present"):
            around = walk(item, condition.path.steps[:-1])
            is_there = not is_absent(value)
            if test == "present":
                is_there = isinstance(around, dict) and condition.path.steps[-1] in around
            holds = is_there == wanted
        else:
            raise ValueError(f"{test} is no condition of a detection")
        if not holds:
            return False
    return True
