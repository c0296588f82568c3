"""Presets against invented records: expected events, stable ids, odd values, no other vendor's records."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import parse
from schemas.events import EVENT_TYPES
from schemas.mapping.compile import Ignored, Mapped, Outcome
from schemas.mapping.detect import Detection, looks_like
from schemas.mapping.formats import UndecodableError
from schemas.mapping.preset import mapping_of_preset, mapping_of_source, presets
from schemas.mapping.record import Record
from schemas.mapping.source import Source
from schemas.rejection import RejectedEvent
from tests.oracle.mapping import read_items
from tests.unit.schemas.mapping.invented import INVENTED, KAFKA_MS, RULES, Invented

GOLDEN: dict[str, list[list[dict[str, Any]]]] = json.loads(
    (Path(__file__).parent / "golden.json").read_text("utf-8")
)
PRESETS = Path(__file__).parents[4] / "schemas" / "mapping" / "presets"
#: Values that no field expects, or that only some do.
ODD: tuple[Any, ...] = (
    None, "", "x", "27,50", "1e999", "9" * 400, True, 0, -1, 1.5, 10**15, 10**30, 1e308, {}, [],
    {"a": {"b": []}}, [{"quantity": "x"}, 7, None], "\u202e\x00", "é" * 2000, "2025-03-14 09:00:00",
    "2025-03-14T09:00:00.123456789-13:00",
)  # fmt: skip


def tables(name: str) -> dict[str, Any]:
    """The tables of a preset, with the rules that a user adds."""
    preset = tomllib.loads((PRESETS / f"{name}.toml").read_text("utf-8"))
    own = tomllib.loads(RULES.get(name, ""))
    every = preset.get("every", {}) | own.get("every", {})
    events = own.get("event", []) + preset.get("event", [])
    return preset | {"every": every, "event": events}


def source(name: str) -> Source:
    """The compiled mapping of a preset, with the rules that a user adds."""
    if name not in RULES:
        return Source(mapping_of_preset(presets()[name]))
    mapping, problems = mapping_of_source(name, tomllib.loads(RULES[name]), "sources.x")
    assert problems == []
    return Source(mapping)


SOURCES = {name: source(name) for name in presets()}
TABLES = {name: tables(name) for name in presets()}
every_preset = pytest.mark.parametrize("name", presets())


def shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Mapped):
        found: dict[str, Any] = json.loads(outcome.raw)
        return found
    if isinstance(outcome, Ignored):
        return {"ignored": outcome.why}
    return {"refused": outcome.detail}


def test_every_preset_has_invented_records() -> None:
    assert INVENTED.keys() == presets().keys() == GOLDEN.keys()


@every_preset
def test_records_become_the_expected_events_with_the_same_ids_forever(name: str) -> None:
    found = [
        [shown(one) for one in SOURCES[name].checked(invented.record(offset))]
        for offset, invented in enumerate(INVENTED[name])
    ]
    assert found == GOLDEN[name]


@every_preset
def test_the_same_record_becomes_the_same_events(name: str) -> None:
    for invented in INVENTED[name]:
        first, second = (SOURCES[name].checked(invented.record()) for _ in range(2))
        assert [shown(one) for one in first] == [shown(one) for one in second]


@every_preset
def test_no_preset_takes_the_records_of_another_vendor(name: str) -> None:
    for other, records in INVENTED.items():
        for invented in records:
            if invented.value is None:
                continue
            looks = looks_like(presets()[name], invented.record())
            assert looks == (other == name), (other, invented.raw)
            if other != name:
                found = SOURCES[name].checked(invented.record())
                assert not any(isinstance(one, Mapped) for one in found), (other, invented.raw)


@every_preset
def test_no_preset_takes_our_own_events(name: str) -> None:
    examples = Path(__file__).parents[4] / "schemas" / "examples" / "valid"
    for path in examples.iterdir():
        record = Record(value=path.read_bytes(), timestamp=KAFKA_MS)
        assert not looks_like(presets()[name], record)
        assert not any(isinstance(one, Mapped) for one in SOURCES[name].checked(record))


@every_preset
def test_detection_names_the_preset(name: str) -> None:
    detection = Detection()
    for invented in INVENTED[name]:
        detection.note(invented.record())
    assert [one.preset for one in detection.ranked()] == [name]
    assert detection.own_events == 0


def changed(value: Any, odd: Any) -> Iterator[Any]:
    """Yield copies of a value with one part of it replaced by `odd`, or left out."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield value | {key: odd}
            if odd is None:
                yield {other: kept for other, kept in value.items() if other != key}
            yield from (value | {key: part} for part in changed(one, odd))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield [*value[:place], odd, *value[place + 1 :]]
            yield from ([*value[:place], part, *value[place + 1 :]] for part in changed(one, odd))


def odd_records(name: str, odd: Any) -> Iterator[Invented]:
    for invented in INVENTED[name]:
        if isinstance(invented.value, dict):
            yield from (Invented(value, invented.headers) for value in changed(invented.value, odd))


def read_by_the_oracle(name: str, record: Record) -> list[Any] | None:
    """Return what the tables say of a record; None for what the formats refuse."""
    try:
        items = SOURCES[name].items(record)
    except UndecodableError:
        return None
    if items is None:
        return None
    fields = {kind: set(row.struct.__struct_fields__) for kind, row in EVENT_TYPES.items()}
    return read_items(TABLES[name], items, record, fields.__getitem__)


def accepted(event: Any) -> Any:
    """Return an event of the oracle as the codec takes it; `refused` if it does not."""
    if isinstance(event, str):
        return event
    try:
        raw = json.dumps(event, allow_nan=False).encode()
        parse(raw)
    except (RejectedEvent, ValueError):
        return "refused"
    return json.loads(raw)


def same_kind(outcome: Outcome) -> Any:
    if isinstance(outcome, Mapped):
        return json.loads(outcome.raw)
    return "ignored" if isinstance(outcome, Ignored) else "refused"


@every_preset
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_an_odd_value_gives_events_or_reasons_as_the_oracle_says(name: str, odd: Any) -> None:
    for invented in odd_records(name, odd):
        record = invented.record()
        found = SOURCES[name].checked(record)
        assert all(isinstance(one, Mapped | Ignored | RejectedEvent) for one in found)
        wanted = read_by_the_oracle(name, record)
        if wanted is None:
            assert [same_kind(one) for one in found] in (["refused"], ["ignored"])
            continue
        assert [same_kind(one) for one in found] == [accepted(one) for one in wanted], (
            invented.value
        )


@every_preset
def test_bytes_that_are_no_record_are_refused(name: str) -> None:
    for raw in (b"", b"\x00", b"\xff\xfe", b"{", b"5", b'"x"', b"[1]", b"[" * 5000, b"\t" * 200):
        found = SOURCES[name].checked(Record(value=raw, timestamp=KAFKA_MS))
        assert not any(isinstance(one, Mapped) for one in found)
        assert found, raw


@every_preset
def test_a_refusal_names_the_mapping(name: str) -> None:
    for invented in odd_records(name, {"a": 1}):
        for one in SOURCES[name].checked(invented.record()):
            if isinstance(one, RejectedEvent) and one.reason != "empty":
                assert one.detail.startswith(f"mapping {name}")


@every_preset
def test_a_preset_says_where_it_comes_from(name: str) -> None:
    preset = presets()[name]
    assert preset.vendor and preset.source.startswith("https://")
    assert len(preset.date) == len("2025-11-30")
