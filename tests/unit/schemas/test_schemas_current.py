"""The committed JSON Schemas match the code: same structs, same examples, same verdicts."""

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped, unused-ignore]
from msgspec import Meta

from schemas import generate
from schemas.codec import Reason
from schemas.dead_letter import dead_letter, encode_dead_letter
from schemas.envelope import Envelope
from schemas.event_type import EventType
from schemas.events import EVENT_TYPES, Event
from schemas.example import least_example
from schemas.outputs import MetricRecord, Window, encode_record
from schemas.rejection import CAUSES

SCHEMAS = Path(__file__).parents[3] / "schemas"
VALID = sorted((SCHEMAS / "examples" / "valid").iterdir())
FOUND_BY_SCHEMA = ("missing_field", "wrong_field", "unknown_type", "unknown_version", "no_person")
# JSON Schema does not know the calendar, and Python reads no number of 5,000 digits.
BEYOND_SCHEMA = ("no_such_day", "5000_digits")
INVALID = sorted(
    path
    for path in (SCHEMAS / "examples" / "invalid").iterdir()
    if path.stem.startswith(FOUND_BY_SCHEMA) and not path.stem.endswith(BEYOND_SCHEMA)
)


@cache
def validator(name: str) -> Draft202012Validator:
    schema: dict[str, Any] = json.loads((SCHEMAS / "json" / f"{name}.v1.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_committed_schemas_are_current() -> None:
    assert generate.stale() == []
    assert generate.main(["--check"]) == 0


def test_check_fails_on_a_changed_a_missing_and_a_left_over_schema(tmp_path: Path) -> None:
    assert generate.main(["--check"], tmp_path) == 1
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0
    (tmp_path / "event.v1.schema.json").write_text("{}")
    (tmp_path / "event.v0.schema.json").write_text("{}")
    assert generate.stale(tmp_path) == ["event.v0.schema.json", "event.v1.schema.json"]
    assert generate.main(["--check"], tmp_path) == 1
    assert generate.main([], tmp_path) == 0
    assert generate.stale(tmp_path) == []


def test_an_unknown_argument_writes_nothing(tmp_path: Path) -> None:
    assert generate.main(["--chek"], tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_type_without_an_example_is_named_and_gets_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in VALID:
        if not path.stem.startswith("refund"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert generate.main(["--check"], examples=tmp_path) == 1
    assert "refund has no example" in capsys.readouterr().err
    assert generate.main([], examples=tmp_path) == 0
    assert generate.main(["--check"], examples=tmp_path) == 0
    event = json.loads((tmp_path / "refund.json").read_bytes())
    validator("event").validate(event)
    assert event["type"] == "refund"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in VALID}


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_an_example_can_be_derived_from_every_struct(kind: EventType) -> None:
    validator("event").validate(json.loads(least_example(kind)))


def test_an_example_beyond_the_bounds_of_fields_is_left_to_its_author() -> None:
    class Coded(Envelope, kw_only=True, tag="order"):
        code: Annotated[str, Meta(pattern="^[0-9]$")]

    with pytest.raises(ValueError, match=r"order: no example can be derived .* write it by hand"):
        least_example(EventType(Coded, "orders"))


def test_the_tables_of_the_page_are_written_at_their_places(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- types:start -->\nold\n<!-- types:end -->\nb\n")
    with pytest.raises(ValueError, match="no place for the table reasons: <!-- reasons:start -->"):
        generate.main([], readme=page)
    page.write_text(page.read_text() + "<!-- reasons:start -->\n<!-- reasons:end -->\n")
    assert generate.main(["--check"], readme=page) == 1
    assert generate.main([], readme=page) == 0
    assert generate.main(["--check"], readme=page) == 0
    text = page.read_text()
    assert text.startswith("a\n<!-- types:start -->\n| topic | type |")
    assert "\n<!-- types:end -->\nb\n<!-- reasons:start -->\n| reason |" in text
    assert "| `no_person` |" in text


def test_every_reason_has_a_cause() -> None:
    assert set(CAUSES) == set(Reason)


def test_every_type_has_one_struct_and_one_default_topic() -> None:
    assert {kind.struct for kind in EVENT_TYPES.values()} == set(get_args(Event))
    assert all(kind.topic for kind in EVENT_TYPES.values())
    assert len(EVENT_TYPES) == len(get_args(Event))


@pytest.mark.parametrize("path", VALID, ids=lambda p: p.stem)
def test_a_valid_example_satisfies_the_schema(path: Path) -> None:
    validator("event").validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_an_example_with_a_fault_known_to_the_schema_fails_the_schema(path: Path) -> None:
    assert not validator("event").is_valid(json.loads(path.read_bytes()))


@pytest.mark.parametrize("original", [b"{}", bytes(100_000), None])
def test_dead_letters_satisfy_their_schema(original: bytes | None) -> None:
    entry = dead_letter(
        Reason.TOO_LARGE,
        "why",
        topic="clicks",
        partition=0,
        offset=0,
        timestamp_ms=0,
        key=None,
        original=original,
    )
    validator("ledger_entry").validate(json.loads(encode_dead_letter(entry)))


@pytest.mark.parametrize("value", [None, 3, 0.25, float("inf")])
def test_metric_records_satisfy_their_schema(value: float | None) -> None:
    record = MetricRecord(
        metric="bounce_rate",
        value=value,
        unit="ratio",
        numerator=1,
        denominator=4.0,
        site="default",
        dimensions={"country": "DE"},
        window=Window("all", None, None, "Europe/Berlin"),
        revision=2,
        is_final=True,
        approximate=False,
        watermark="2025-03-14T09:00:00Z",
        definition="1",
    )
    validator("metric_record").validate(json.loads(encode_record(record)))
