"""The codec returns an event or a reason for any bytes, and nothing else."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Reason, RejectedEvent, epoch_ms, parse
from schemas.envelope import EARLIEST_MS, LATEST_MS
from schemas.events import EVENT_TYPES, PERSONLESS, Event
from schemas.rejection import DETAIL_LIMIT

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
VALID = [path.read_bytes() for path in sorted((EXAMPLES / "valid").iterdir())]
INVALID = [path.read_bytes() for path in sorted((EXAMPLES / "invalid").iterdir())]
FIELDS = sorted({f for kind in EVENT_TYPES.values() for f in kind.struct.__struct_fields__})
DECIDED_LATER = (Reason.FUTURE, Reason.LATE, Reason.DUPLICATE, Reason.CURRENCY, Reason.CROWDED)

surrogates = st.characters(categories=["Cs"])
texts = st.text(st.characters() | surrogates, max_size=12)
numbers = st.integers() | st.floats() | st.integers(0, 2**80) | st.sampled_from([1e999, -1e999])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
HOSTILE = [
    b"1" * 5000,
    b"-" + b"9" * 5000,
    b"0." + b"1" * 5000,
    b"1e999",
    b"-1e400",
    b"NaN",
    b"Infinity",
    b"\xef\xbb\xbf",
    b"\0",
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b"[" * 3000 + b"]" * 3000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b"[" * 60_000,
    b"",
    b"{}",
    b"[]",
    b"null",
    b"true",
]


def outcome(raw: bytes | None) -> Event | RejectedEvent:
    """Return the outcome, after checking every promise about it."""
    try:
        event, ms = parse(raw)
    except RejectedEvent as rejected:
        check_reason(rejected.reason, rejected.detail)
        return rejected
    assert type(event) in {kind.struct for kind in EVENT_TYPES.values()}
    assert type(ms) is int
    assert EARLIEST_MS <= ms <= LATEST_MS
    assert ms == epoch_ms(event.event_time)
    assert event.visitor_id or event.user_id or type(event) in PERSONLESS
    check_sound(msgspec.structs.asdict(event))
    return event


def check_reason(reason: Reason, detail: str) -> None:
    assert isinstance(reason, Reason)
    assert reason not in DECIDED_LATER
    assert detail.isprintable()
    assert 0 < len(detail) <= DETAIL_LIMIT


def check_sound(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_sound(key)
            check_sound(inner)


@given(st.binary(max_size=200))
def test_any_bytes_give_an_event_or_a_reason(raw: bytes) -> None:
    outcome(raw)


@settings(max_examples=1000)
@given(
    st.sampled_from(VALID + INVALID),
    st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_changed_bytes_give_an_event_or_a_reason(
    raw: bytes, changes: list[tuple[int, int]]
) -> None:
    changed = bytearray(raw or b"\0")
    for where, byte in changes:
        changed[where % len(changed)] = byte
    outcome(bytes(changed))


@given(st.sampled_from(VALID), st.integers(0, 2000), st.integers(0, 2000))
def test_truncated_or_joined_bytes_give_an_event_or_a_reason(
    raw: bytes, start: int, end: int
) -> None:
    outcome(raw[start:])
    outcome(raw[:end])
    outcome(raw[:end] + raw[start:])


@given(values, st.booleans())
def test_any_json_value_gives_an_event_or_a_reason(value: Any, escape: bool) -> None:
    outcome(json.dumps(value, ensure_ascii=escape).encode("utf-8", "surrogatepass"))


@settings(max_examples=1000)
@given(st.sampled_from(VALID), st.sampled_from(FIELDS) | texts, values, st.booleans())
def test_any_value_in_any_field_gives_an_event_or_a_reason(
    raw: bytes, field: str, value: Any, escape: bool
) -> None:
    event = json.loads(raw) | {field: value}
    outcome(json.dumps(event, ensure_ascii=escape).encode("utf-8", "surrogatepass"))


@given(
    st.sampled_from(VALID),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([None, ""]), max_size=4),
    st.booleans(),
)
def test_null_and_an_empty_text_are_the_same_as_no_field(
    raw: bytes, empty: dict[str, str | None], escape: bool
) -> None:
    event = json.loads(raw)
    found = outcome(json.dumps(event | empty, ensure_ascii=escape).encode())
    without = {name: value for name, value in event.items() if name not in empty}
    expected = outcome(json.dumps(without).encode())
    if isinstance(found, RejectedEvent) or isinstance(expected, RejectedEvent):
        assert isinstance(found, RejectedEvent)
        assert isinstance(expected, RejectedEvent)
        assert (found.reason, found.detail) == (expected.reason, expected.detail)
    else:
        # Optional texts without a least length keep "", which every reader takes for none.
        kept = msgspec.structs.asdict(found)
        assert kept == msgspec.structs.asdict(expected) | {
            name: "" for name, value in kept.items() if value == ""
        }


@given(texts, texts, texts)
def test_a_string_that_is_not_unicode_is_rejected_as_malformed(a: str, b: str, key: str) -> None:
    event = json.loads(VALID[0]) | {"visitor_id": f"v{a}", "context": {key: b}}
    found = outcome(json.dumps(event).encode())
    # json joins two adjacent surrogate halves, as every reader does.
    joined = json.loads(json.dumps([a, b, key]))
    if any("\ud800" <= c <= "\udfff" for text in joined for c in text):
        assert isinstance(found, RejectedEvent)
        assert found.reason == Reason.MALFORMED
    else:
        assert not isinstance(found, RejectedEvent)
        context = {joined[2]: joined[1]} if joined[1] else {}
        assert (found.visitor_id, found.context) == (f"v{joined[0]}", context)


@pytest.mark.parametrize("poison", HOSTILE, ids=lambda p: ascii(p[:12].decode("latin-1")))
@pytest.mark.parametrize("field", [*FIELDS, "type", "unknown"])
def test_poison_in_any_field_gives_an_event_or_a_reason(poison: bytes, field: str) -> None:
    for raw in VALID:
        event = json.loads(raw) | {field: "@poison@"}
        outcome(json.dumps(event).encode().replace(b'"@poison@"', poison))


@pytest.mark.parametrize("poison", HOSTILE, ids=lambda p: ascii(p[:12].decode("latin-1")))
def test_poison_around_an_event_is_rejected(poison: bytes) -> None:
    for raw in (poison + VALID[0], VALID[0] + poison) if poison else ():
        assert isinstance(outcome(raw), RejectedEvent)
    assert isinstance(outcome(poison), RejectedEvent)


@given(st.integers(0, 700), st.integers(0, 300))
def test_the_verdict_does_not_depend_on_the_depth_of_the_caller(depth: int, stack: int) -> None:
    event = VALID[0].rstrip()[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"

    def below(levels: int) -> type:
        return below(levels - 1) if levels else type(outcome(event))

    assert below(stack) is below(0)
