"""Events that the codec accepts and refuses, example by example, and the form of the outputs."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import MAX_BYTES, MAX_DEPTH, Reason, RejectedEvent, epoch_ms, parse
from schemas.dead_letter import MAX_KEY, MAX_ORIGINAL, dead_letter, encode_dead_letter
from schemas.events import EVENT_TYPES
from schemas.events.clicks import Custom
from schemas.events.orders import Order
from schemas.events.page_views import PageView
from schemas.outputs import DeadLetter, MetricRecord, Window, encode_record, record_key
from schemas.rejection import DETAIL_LIMIT, printable

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
VALID = sorted((EXAMPLES / "valid").iterdir())
INVALID = sorted((EXAMPLES / "invalid").iterdir())
#: Reasons that the log and the settings decide.
DECIDED_LATER = ("future", "late", "duplicate", "currency", "crowded")
DECIDED_BY_PARSE = {reason for reason in Reason if reason not in DECIDED_LATER}


def page_view(**changes: Any) -> bytes:
    event = {"type": "page_view", "event_id": "e", "event_time": 1741943486535, "visitor_id": "v"}
    return json.dumps(event | changes).encode()


def refusal(raw: bytes | None) -> RejectedEvent:
    with pytest.raises(RejectedEvent) as caught:
        parse(raw)
    return caught.value


def entry(original: bytes | None, key: bytes | None = b"v", detail: str = "d") -> DeadLetter:
    return dead_letter(
        Reason.LATE,
        detail,
        topic="clicks",
        partition=3,
        offset=17,
        timestamp_ms=1741943486535,
        key=key,
        original=original,
    )


@pytest.mark.parametrize("path", VALID, ids=lambda p: p.stem)
def test_a_valid_example_becomes_the_event_of_its_type(path: Path) -> None:
    event, ms = parse(path.read_bytes())
    assert type(event) is EVENT_TYPES[path.stem.split("__")[0]].struct
    assert ms == epoch_ms(event.event_time)


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_an_invalid_example_is_refused_for_the_reason_in_its_name(path: Path) -> None:
    rejected = refusal(path.read_bytes())
    assert rejected.reason == path.stem.split("__")[0]
    assert rejected.detail.isprintable()
    assert 0 < len(rejected.detail) <= DETAIL_LIMIT


def test_the_examples_cover_every_type_and_every_reason_of_the_codec() -> None:
    assert {p.stem.split("__")[0] for p in VALID} == set(EVENT_TYPES)
    assert {p.stem.split("__")[0] for p in INVALID} == DECIDED_BY_PARSE


def test_a_record_without_a_value_is_empty() -> None:
    assert refusal(None).reason == Reason.EMPTY


def test_a_missing_field_has_its_default() -> None:
    event, _ = parse(page_view())
    assert isinstance(event, PageView)
    assert (event.site, event.schema_version, event.is_bot) == ("default", 1, False)
    assert (event.user_id, event.session_id, event.context) == (None, None, None)
    custom, _ = parse(page_view(type="custom", name="n"))
    assert isinstance(custom, Custom)
    assert custom.interactive


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ["user_id", "session_id", "site", "context", "is_bot", "page_url"])
def test_null_and_an_empty_text_are_no_field(name: str, value: str | None) -> None:
    assert parse(page_view(**{name: value, "extra": [None, ""]})) == parse(page_view())


@pytest.mark.parametrize("value", [None, ""])
def test_a_needed_field_that_is_null_or_empty_is_named_as_missing(value: str | None) -> None:
    for name in ("event_id", "event_time", "type"):
        rejected = refusal(page_view(**{name: value}))
        assert (rejected.reason, f"`{name}`" in rejected.detail) == (Reason.MISSING_FIELD, True)
    for name in ("order_id", "name", "content_id"):
        kind = {"order_id": "order", "name": "goal", "content_id": "impression"}[name]
        assert f"`{name}`" in refusal(page_view(type=kind, **{name: value})).detail
    assert refusal(page_view(visitor_id=value, user_id=value)).reason == Reason.NO_PERSON


def test_null_and_empty_values_of_the_context_are_no_values() -> None:
    event, _ = parse(page_view(context={"a": None, "b": "", "c": "x"}))
    assert event.context == {"c": "x"}
    assert refusal(page_view(context={"a": None, "b": 1})).reason == Reason.WRONG_FIELD


def test_null_does_not_hide_a_wrong_field_or_malformed_bytes() -> None:
    assert "$.visitor_id" in refusal(page_view(site=None, visitor_id=5)).detail
    assert refusal(page_view(site=None) + b"{").reason == Reason.MALFORMED


@pytest.mark.parametrize("name", ["page_url", "referrer", "page_title"])
def test_only_the_size_of_the_record_bounds_a_url_and_a_title(name: str) -> None:
    room = MAX_BYTES - len(page_view(**{name: ""}))
    event, _ = parse(page_view(**{name: "x" * room}))
    assert getattr(event, name) == "x" * room
    assert refusal(page_view(**{name: "x" * (room + 1)})).reason == Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"type": "order", "order_id": "o", "revenue": "9.5"}, "source mapping"),
        ({"type": "order", "order_id": "o", "quantity": "2"}, "without quotes"),
        ({"type": "order", "order_id": 1}, "in quotes"),
        ({"context": {"width": 1920}}, "in quotes"),
        ({"is_bot": "no"}, "true or false"),
        ({"event_time": "2025-03-10T10:00Z"}, "RFC 3339"),
        ({"event_time": "1741600800000"}, "epoch milliseconds"),
        ({"event_time": 1741600800}, "epoch milliseconds"),
        ({"event_time": 1741600800000.0}, "epoch milliseconds"),
    ],
)
def test_a_detail_says_what_would_be_accepted(changes: dict[str, Any], advice: str) -> None:
    assert advice in refusal(page_view(**changes)).detail


def test_whole_numbers_are_accepted_for_fractions() -> None:
    order, _ = parse(page_view(type="order", order_id="o", revenue=5))
    assert isinstance(order, Order)
    assert order.revenue == 5.0


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        ("2025-03-14T09:11:26.535Z", 1741943486535),
        ("2025-03-14T14:56:26.535+05:45", 1741943486535),
        ("2025-03-14T09:11:26.535999Z", 1741943486535),
        ("2025-03-14 09:11:26z", 1741943486000),
        (1741943486535, 1741943486535),
        ("1990-01-01T00:00:00Z", 631152000000),
        ("2199-12-31T23:59:59.999Z", 7258118399999),
    ],
)
def test_event_times_are_whole_milliseconds_rounded_down(time: str | int, ms: int) -> None:
    assert parse(page_view(event_time=time))[1] == ms


def test_the_two_ways_to_milliseconds_agree_and_never_round_up() -> None:
    for microsecond in (0, 1, 999, 1000, 1001, 999_999):
        for year in (1990, 2025, 2106, 2199):
            zone = timezone(timedelta(hours=-3, minutes=-30))
            time = datetime(year, 12, 31, 4, 5, 6, microsecond, tzinfo=zone)
            exact = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
            assert parse(page_view(event_time=time.isoformat()))[1] == epoch_ms(time) == exact


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (page_view(event_id=1), "$.event_id"),
        (page_view(context={"a": 1}), "$.context"),
        (page_view(event_time="yesterday"), "yesterday"),
        (page_view(type="vip"), "vip"),
        (page_view(schema_version=7), "7"),
        (page_view(type="heartbeat"), "page_url"),
    ],
)
def test_a_detail_names_the_field_or_the_value(raw: bytes, text: str) -> None:
    assert text in refusal(raw).detail


@pytest.mark.parametrize("field", ["visitor_id", "user_id", "session_id"])
def test_a_detail_does_not_repeat_personal_text(field: str) -> None:
    assert "jane" not in refusal(page_view(**{field: "jane@example.org" * 100})).detail


def test_the_size_limit_is_exact() -> None:
    room = MAX_BYTES - len(page_view(extra=""))
    parse(page_view(extra="x" * room))
    assert refusal(page_view(extra="x" * (room + 1))).reason == Reason.TOO_LARGE


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}"), ('{"[{\\\\\\"":', "}")])
def test_the_depth_limit_is_exact_and_brackets_in_strings_do_not_count(
    left: str, right: str
) -> None:
    def nested(levels: int) -> bytes:
        inner = left * (levels - 1) + "1" + right * (levels - 1)
        return page_view(note='"[[{{', extra="@").replace(b'"@"', inner.encode())

    parse(nested(MAX_DEPTH))
    assert refusal(nested(MAX_DEPTH + 1)).reason == Reason.MALFORMED


def test_long_lists_of_small_objects_are_not_deep() -> None:
    parse(page_view(extra=[{"a": [[], {}]}] * 3000))


def test_the_last_of_two_equal_keys_counts() -> None:
    event, _ = parse(page_view().replace(b'"event_id"', b'"event_id": "first", "event_id"'))
    assert event.event_id == "e"
    assert refusal(page_view()[:-1] + b', "event_id": ""}').reason == Reason.MISSING_FIELD
    assert refusal(page_view()[:-1] + b', "type": "click"}').reason == Reason.WRONG_FIELD


def test_control_characters_are_accepted_only_when_escaped() -> None:
    event, _ = parse(page_view(visitor_id="a\0b"))
    assert event.visitor_id == "a\0b"
    assert refusal(page_view(visitor_id="@").replace(b"@", b"\0")).reason == Reason.MALFORMED


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "a\nb", "\u202egpj", "\ud800", "\u200b", "x" * 500]
)
def test_printable_text_cannot_forge_a_log_line_or_drive_a_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= DETAIL_LIMIT
    shown.encode()


def test_a_short_dead_letter_is_kept_whole() -> None:
    shown = json.loads(encode_dead_letter(entry(b"\xff\0{", detail="why\n")))
    assert base64.b64decode(shown.pop("original")) == b"\xff\0{"
    assert base64.b64decode(shown.pop("key")) == b"v"
    assert shown == {
        "reason": "late",
        "detail": "why\\u000a",
        "topic": "clicks",
        "partition": 3,
        "offset": 17,
        "timestamp_ms": 1741943486535,
        "original_size": 3,
        "truncated": False,
        "event_time_ms": None,
        "sha256": None,
    }


@pytest.mark.parametrize(("size", "truncated"), [(MAX_ORIGINAL, False), (MAX_ORIGINAL + 1, True)])
def test_an_original_is_truncated_only_above_the_limit(size: int, truncated: bool) -> None:
    original = bytes(size)
    kept = entry(original)
    assert (kept.truncated, len(kept.original), kept.original_size) == (
        truncated,
        MAX_ORIGINAL,
        size,
    )
    assert kept.sha256 == (hashlib.sha256(original).hexdigest() if truncated else None)


def test_a_dead_letter_is_bounded_for_any_record() -> None:
    kept = entry(b"x" * 10_000_000, key=b"k" * 1_000_000, detail="\x1b" * 100_000)
    assert len(encode_dead_letter(kept)) < 8192
    assert kept.key == b"k" * MAX_KEY


def test_a_truncated_key_alone_makes_a_dead_letter_truncated() -> None:
    assert entry(b"{}", key=b"k" * (MAX_KEY + 1)).truncated


def test_a_dead_letter_of_a_record_without_key_and_value_can_be_written() -> None:
    shown = json.loads(encode_dead_letter(entry(None, key=None)))
    assert (shown["key"], shown["original"], shown["original_size"]) == (None, "", 0)


def metric(
    dimensions: dict[str, str], start: str = "2025-03-14T09:00:00Z", **own: Any
) -> MetricRecord:
    values: dict[str, Any] = {
        "metric": "bounce_rate",
        "value": 0.25,
        "unit": "ratio",
        "numerator": 1,
        "denominator": 4,
        "site": "shop",
        "dimensions": dimensions,
        "window": Window("hour", start, "2025-03-14T10:00:00Z"),
        "revision": 0,
        "is_final": False,
        "approximate": False,
        "watermark": None,
        "definition": "1",
    }
    return MetricRecord(**(values | own))


def test_all_revisions_of_one_number_share_one_key_in_any_order_of_dimensions() -> None:
    first = metric({"country": "DE", "device": "tv"})
    later = metric({"device": "tv", "country": "DE"}, revision=3, is_final=True, value=0.5)
    assert record_key(first) == record_key(later)


def test_no_two_numbers_share_a_key_even_with_separators_in_their_names() -> None:
    records = [
        metric({}),
        metric({"a": "b"}),
        metric({"a": "b,c"}),
        metric({"a": "b", "c": "d"}),
        metric({'a":"b': "c"}),
        metric({}, start="2025-03-14T08:00:00Z"),
        metric({}, site="shop2"),
        metric({}, metric="exit_rate"),
        metric({}, window=Window("all", None, None)),
    ]
    assert len({record_key(r) for r in records}) == len(records)


def test_a_record_keeps_whole_numbers_whole_and_makes_nan_null() -> None:
    shown = json.loads(encode_record(metric({}, value=float("nan"))))
    assert shown["value"] is None
    assert (shown["numerator"], type(shown["numerator"])) == (1, int)
    assert shown["window"]["timezone"] == "UTC"
