"""A slow, obvious reading of a mapping: the TOML tables are walked anew for each record.

Of the product it uses the converters alone, which have tests of their own.
"""

import hashlib
import json
import re
from typing import Any

from schemas.mapping.converters import CONVERTERS
from schemas.mapping.record import Record
from schemas.mapping.values import RefusedValue, as_number, as_text

_STEP = re.compile(r'\.?"([^"]+)"|\[(-?\d+)\]|\[([^\]=]+)=([^\]]*)\]|\.?([^.\[\]"]+)')
MISSING = object()
TEXT_FIELDS = {
    "event_id", "visitor_id", "user_id", "session_id", "site", "page_url", "page_title", "referrer",
    "page_view_id", "content_id", "target_url", "name", "feature", "order_id", "cart_id", "currency",
    "subscription_id", "plan", "reason", "survey", "response_id", "ticket_id", "direction", "author",
}  # fmt: skip


def find(path: str, item: Any, record: Record, index: int) -> Any:
    """Return what is at a path; MISSING if a step leads nowhere."""
    value: Any = item
    for place, (quoted, number, field, wanted, name) in enumerate(_STEP.findall(path)):
        step = quoted or name
        if place == 0 and step.startswith("$") and not quoted and step != "$set":
            value = _root(step[1:], path, item, record, index)
            if step == "$headers":
                return value
        elif step:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        elif number:
            has = isinstance(value, list) and -len(value) <= int(number) < len(value)
            value = value[int(number)] if has else MISSING
        else:
            found = value if isinstance(value, list) else []
            matching = [o for o in found if isinstance(o, dict) and o.get(field) == wanted]
            value = matching[0] if matching else MISSING
    return value


def _root(name: str, path: str, item: Any, record: Record, index: int) -> Any:
    if name == "headers":
        found = record.headers.get(path.removeprefix("$headers.").strip('"'))
        return MISSING if found is None else found.decode()
    return {
        "timestamp": record.timestamp, "topic": record.topic, "partition": record.partition,
        "offset": record.offset, "index": index, "record": record.whole,
    }[name]  # fmt: skip


def is_absent(value: Any) -> bool:
    """Whether a value is as good as none."""
    return value is MISSING or value is None or value == ""


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON value."""
    if left is MISSING:
        left = None
    if right is MISSING:
        right = None
    return isinstance(left, bool) == isinstance(right, bool) and left == right


class Reading:
    """One item of one record, read by the tables of a mapping."""

    def __init__(self, tables: dict[str, Any], item: Any, record: Record, index: int) -> None:
        self.tables, self.item, self.record, self.index = tables, item, record, index

    def at(self, path: str) -> Any:
        """Return what is at a path."""
        return find(path, self.item, self.record, self.index)

    def holds(self, path: str, wanted: Any) -> bool:
        """Whether a condition holds."""
        value = self.at(path)
        if isinstance(wanted, list):
            return any(equal(value, one) for one in wanted)
        if not isinstance(wanted, dict):
            return equal(value, wanted)
        return all(self._test(path, value, test, one) for test, one in wanted.items())

    def _test(self, path: str, value: Any, test: str, wanted: Any) -> bool:
        listed = wanted if isinstance(wanted, list) else [wanted]
        if test == "exists":
            return is_absent(value) != wanted
        if test == "present":
            return (value is not MISSING) == wanted
        if test == "not":
            return not any(equal(value, one) for one in listed)
        if test == "starts_with":
            return isinstance(value, str) and any(value.startswith(one) for one in listed)
        if test == "differs_from":
            return not equal(value, self.at(wanted))
        try:
            return not is_absent(value) and as_number(value) > wanted
        except RefusedValue:
            return False

    def value(self, written: Any) -> Any:
        """Return the value of a field; MISSING if it is absent. Raises RefusedValue."""
        if isinstance(written, str):
            return self.at(written)
        if isinstance(written, list):
            for one in written:
                if not is_absent(found := self.value(one)):
                    return found
            return MISSING
        if "value" in written:
            return written["value"]
        for kind, all_or_any in (("id", any), ("id_any", all)):
            if kind in written:
                parts = [self.value(part) for part in written[kind]]
                if all_or_any([is_absent(part) for part in parts]):
                    return MISSING
                texts = [None if is_absent(part) else as_text(part) for part in parts]
                raw = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
                return hashlib.blake2b(raw, digest_size=16).hexdigest()
        found = self.value(written["from"])
        if is_absent(found):
            return written.get("else", MISSING)
        if "as" in written:
            found = self._converted(found, written)
        if "map" in written:
            text = as_text(found)
            if text not in written["map"] and "else" not in written:
                raise RefusedValue(text)
            found = written["map"].get(text, written.get("else"))
        return found

    def _converted(self, found: Any, written: dict[str, Any]) -> Any:
        table = CONVERTERS[written["as"]]
        options: dict[str, Any] = {}
        extra = []
        for name, kind in table.options.items():
            if name not in written:
                continue
            paths = written[name]
            if kind.kind == "record_path":
                extra = [self.value(paths)]
            elif kind.kind == "path":
                options[name] = self._reader(paths)
            else:
                options[name] = paths
        return table.make(**options)(found, *extra)

    def _reader(self, paths: Any) -> Any:
        def read(item: Any) -> Any:
            found = Reading(self.tables, item, self.record, 0).value(paths)
            return None if found is MISSING else found

        return read

    def event(self, rule: dict[str, Any], names: set[str]) -> dict[str, Any]:
        """Return the event of a rule. Raises RefusedValue."""
        every = self.tables.get("every", {})
        words = {"when", "type", "suffix", "context"}
        fields = {name: one for name, one in every.items() if name in names}
        fields |= {name: one for name, one in rule.items() if name not in words}
        event: dict[str, Any] = {"type": rule["type"]}
        for name, written in fields.items():
            if name != "context" and not is_absent(found := self.value(written)):
                event[name] = as_text(found) if self._is_id(name, found) else found
        if rule.get("suffix") and isinstance(event.get("event_id"), str):
            event["event_id"] += f"#{rule['suffix']}"
        context = {}
        for name, written in {**every.get("context", {}), **rule.get("context", {})}.items():
            if not is_absent(found := self.value(written)):
                context[name] = as_text(found) if type(found) is int else found
        return event | ({"context": context} if context else {})

    def _is_id(self, name: str, found: Any) -> bool:
        return name in TEXT_FIELDS and type(found) is int


def read_items(
    tables: dict[str, Any], items: list[Any], record: Record, names_of: Any
) -> list[dict[str, Any] | str]:
    """Return what each item becomes: an event, `ignored` or `refused`."""
    out: list[dict[str, Any] | str] = []
    for index, item in enumerate(items):
        reading = Reading(tables, item, record, index)
        if not all(reading.holds(*one) for one in tables.get("when", {}).items()):
            out.append("ignored")
            continue
        matched = False
        try:
            for rule in tables["event"]:
                if not all(reading.holds(*one) for one in rule.get("when", {}).items()):
                    continue
                matched = True
                if "type" in rule:
                    out.append(reading.event(rule, names_of(rule["type"])))
                else:
                    out.append("ignored" if "ignore" in rule else "refused")
                if tables.get("match") != "all":
                    break
        except RefusedValue:
            out.append("refused")
            continue
        if not matched:
            out.append("ignored")
    return out
