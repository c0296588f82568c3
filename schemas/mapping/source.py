"""Reads the records of a source: bytes become the bytes of 0 to 256 of our events, or a reason."""

import re
from typing import Final

from schemas.codec import parse
from schemas.mapping.compile import (
    Ignored,
    Mapped,
    Outcome,
    compile_mapping,
    field_of,
    where,
)
from schemas.mapping.document import Mapping, Packed, Rule, paths_of
from schemas.mapping.formats import (
    RECORD_BYTES_MAX,
    UndecodableError,
    decode,
    read_object,
    unpack,
)
from schemas.mapping.lookup import walk
from schemas.mapping.paths import Path
from schemas.mapping.record import Record
from schemas.rejection import NO_VALUE, Reason, RejectedEvent

EVENTS_MAX: Final = 256
_FIELD = re.compile(
    r"`(?:key` in `)?\$\.([^`\[]+)|\$\.([a-z_]+):|missing required field `([a-z_]+)`"
)
_NO_TIME: Final = "$timestamp is absent: a plain file has no Kafka times. Use the output of kcat -J, or NAME.kafka.json"


class Source:
    """Maps the records of a source. It holds no state: the same record gives the same outcomes."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self._apply = compile_mapping(mapping)
        #: Whether an object of JSON is mapped as it is: then most of the steps of `items` are idle.
        self._is_plain = (
            mapping.format == "json"
            and not (mapping.parse or mapping.each_as or mapping.each_parse)
            and mapping.unwrap is None
            and mapping.each is None
        )

    def read(self, record: Record) -> list[Outcome]:
        """Return the outcomes of a record; raise nothing. The events are not parsed yet."""
        if self._is_plain and (value := record.value) is not None:
            found = read_object(value)
            if found is not None:
                record.whole = found
                alone: list[Outcome] = []
                self._apply(found, record, 0, alone)
                return alone
        try:
            items = self.items(record)
        except UndecodableError as error:
            return [self._undecodable(record, error)]
        if items is None:
            if self.mapping.tombstones == "ignore":
                return [Ignored("tombstones", "tombstone")]
            return [RejectedEvent(Reason.EMPTY, NO_VALUE)]
        if len(items) > EVENTS_MAX:
            text = f"{len(items)} events in a record, at most {EVENTS_MAX}"
            return [RejectedEvent(Reason.TOO_LARGE, f"mapping {self.mapping.name}: {text}")]
        out: list[Outcome] = []
        for index, item in enumerate(items):
            self._apply(item, record, index, out)
        return out

    def checked(self, record: Record) -> list[Outcome]:
        """Return the outcomes of a record, with refusals of the codec in the place of their events."""
        return [
            self.check(record, one) if isinstance(one, Mapped) else one for one in self.read(record)
        ]

    def check(self, record: Record, mapped: Mapped) -> Mapped | RejectedEvent:
        """Parse an event; a refusal names the rule, and the path of the field."""
        try:
            parse(mapped.raw)
        except RejectedEvent as refused:
            return self.explained(record, mapped.rule, refused)
        return mapped

    def explained(self, record: Record, rule: Rule, refused: RejectedEvent) -> RejectedEvent:
        """Return a refusal of the codec with the mapping, the rule, the field and its path."""
        found = _FIELD.search(refused.detail)
        name = next((part for part in found.groups() if part), "") if found else ""
        if name and field_of(rule, name) is None:
            name = name.partition(".")[0]
        is_missing = refused.reason == Reason.MISSING_FIELD and name == "event_time"
        if is_missing and record.timestamp is None and _takes_timestamp(rule):
            return RejectedEvent(refused.reason, f"{where(self.mapping, rule, name)}: {_NO_TIME}")
        place = (
            where(self.mapping, rule, name) if name else f"mapping {self.mapping.name}, {rule.name}"
        )
        return RejectedEvent(refused.reason, f"{place}: {refused.detail}")

    def items(self, record: Record) -> list[object] | None:
        """Return the objects to map, one for each event; None for a tombstone. Raises UndecodableError."""
        found = self._decoded(record)
        return None if found is None else [self._prepared(item) for item in self._items(found)]

    def _decoded(self, record: Record) -> object:
        """Return the record as an object, unwrapped; None for a tombstone."""
        mapping = self.mapping
        found = decode(mapping.format, record)
        if mapping.parse:
            self._unpack(found, mapping.parse)
        record.whole = found
        if mapping.unwrap is not None and isinstance(found, dict):
            inner = walk(found, mapping.unwrap.steps)
            last = mapping.unwrap.steps[-1] if mapping.unwrap.steps else None
            if inner is None and len(mapping.unwrap.steps) == 1 and found.get(last, 0) is None:
                return None  # an envelope around nothing
            if isinstance(inner, dict | list):
                found = inner
        return found

    def _items(self, found: object) -> list[object]:
        if self.mapping.each is not None:
            listed = walk(found, self.mapping.each.steps)
            if isinstance(listed, list):
                return listed
        return found if isinstance(found, list) else [found]

    def _prepared(self, item: object) -> object:
        mapping = self.mapping
        if mapping.each_as == "query" and isinstance(item, str):
            item = unpack("query", item)
        if not isinstance(item, dict):
            raise UndecodableError("Expected an object of fields, got another kind of value")
        if mapping.each_parse:
            self._unpack(item, mapping.each_parse)
        return item

    def _unpack(self, found: object, places: tuple[tuple[Path, Packed], ...]) -> None:
        for path, how in places:
            around = walk(found, path.steps[:-1])
            last = path.steps[-1]
            if isinstance(around, dict) and isinstance(last, str) and around.get(last):
                around[last] = unpack(how, around[last])

    def _undecodable(self, record: Record, error: UndecodableError) -> RejectedEvent:
        if len(record.value or b"") > RECORD_BYTES_MAX:
            return RejectedEvent(Reason.TOO_LARGE, f"mapping {self.mapping.name}: {error}")
        text = f"mapping {self.mapping.name}: no {self.mapping.format}: {error}"
        return RejectedEvent(Reason.MALFORMED, text)


def _takes_timestamp(rule: Rule) -> bool:
    field = rule.fields.get("event_time")
    return field is not None and any(path.root == "timestamp" for path in paths_of(field))
