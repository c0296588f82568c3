"""Details that name the way out: another product's format, another unit of time, another packaging."""

import json
from typing import Any

import pytest

from schemas.codec import Reason, RejectedEvent, parse
from schemas.events import EVENT_TYPES
from schemas.foreign import epoch_unit, nearest_type, product

CLICK = {"type": "click", "event_id": "e", "event_time": 1741943486535, "visitor_id": "v"}
SEGMENT = {
    "type": "page",
    "messageId": "m",
    "anonymousId": "a",
    "timestamp": "2025-03-14T09:00:00Z",
}


def refusal(raw: bytes | None) -> RejectedEvent:
    with pytest.raises(RejectedEvent) as caught:
        parse(raw)
    return caught.value


def detail(**changes: Any) -> str:
    return refusal(json.dumps(CLICK | changes).encode()).detail


@pytest.mark.parametrize(
    ("tag", "ours"),
    [
        ("page", "page_view"),
        ("Page Viewed", "page_view"),
        ("$pageview", "page_view"),
        ("clik", "click"),
        ("Click", "click"),
        ("purchase", "order"),
        ("Order Completed", "order"),
        ("customer.subscription.created", "subscription_started"),
        ("subscription_canceled", "subscription_cancelled"),
        ("ticket created", "ticket_opened"),
    ],
)
def test_an_unknown_type_is_answered_with_the_nearest_one(tag: str, ours: str) -> None:
    found = refusal(json.dumps(CLICK | {"type": tag}).encode())
    assert found.reason == Reason.UNKNOWN_TYPE
    assert f"did you mean {ours}?" in found.detail


def test_a_type_like_no_other_is_answered_without_a_guess() -> None:
    assert "did you mean" not in detail(type="xyzzy")
    assert nearest_type("") == ""


def test_every_synonym_is_of_a_type_that_exists() -> None:
    from schemas import foreign

    assert set(foreign._SYNONYMS.values()) <= EVENT_TYPES.keys()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (SEGMENT, "Segment"),
        ({"event_id": "e", "collector_tstamp": "t", "domain_userid": "d"}, "Snowplow"),
        ({"event": "$pageview", "distinct_id": "d", "properties": {}}, "PostHog"),
        ({"event": "Played", "properties": {}}, "Mixpanel"),
        ({"op": "u", "before": None, "after": {}, "source": {}}, "Debezium"),
        ({"schema": {}, "payload": {}}, "Kafka Connect's JSON with a schema"),
        ({"specversion": "1.0", "source": "/s", "type": "t", "id": "1"}, "a CloudEvent"),
        ({"type": "invoice.paid", "livemode": True, "data": {}}, "Stripe"),
    ],
)
def test_another_products_event_is_recognized_by_its_fields(
    fields: dict[str, Any], name: str
) -> None:
    found = refusal(json.dumps(fields).encode())
    assert found.reason in (Reason.UNKNOWN_TYPE, Reason.MISSING_FIELD)
    assert found.detail.endswith(f"this looks like {name}: engage detect FILE")


def test_our_own_events_look_like_no_other_product() -> None:
    for row in EVENT_TYPES.values():
        assert product(row.struct.__struct_fields__) is None
    assert "looks like" not in detail(type="clik")


@pytest.mark.parametrize(
    ("time", "unit"),
    [
        (1741943066, "seconds"),
        (1741943066535000, "microseconds"),
        (1741943066535000000, "nanoseconds"),
    ],
)
def test_a_time_in_another_unit_is_named_with_the_unit(time: int, unit: str) -> None:
    found = refusal(json.dumps(CLICK | {"event_time": time}).encode())
    assert found.reason == Reason.ABSURD_TIME
    assert f"looks like {unit}" in found.detail


def test_a_time_of_no_unit_is_named_without_a_guess() -> None:
    assert epoch_unit(1741943066535) is None
    assert "looks like" not in detail(event_time=5)


@pytest.mark.parametrize(
    ("raw", "reason", "named"),
    [
        (None, Reason.EMPTY, "a tombstone"),
        (b"", Reason.EMPTY, "a tombstone"),
        (b" null ", Reason.MALFORMED, "a tombstone written as JSON"),
        (b'[{"type":"click"}]', Reason.MALFORMED, "a JSON array: send one event a record"),
        (b"\0\0\1\x86\xa2{}", Reason.MALFORMED, "Confluent wire format, schema 100002"),
        (b"\x1f\x8b\x08\0\0", Reason.MALFORMED, "gzip"),
        (b"web\t" * 130 + b"x", Reason.MALFORMED, "131 fields between tabs: like Snowplow"),
    ],
)
def test_what_is_no_json_object_is_named(raw: bytes | None, reason: Reason, named: str) -> None:
    found = refusal(raw)
    assert found.reason == reason
    assert named in found.detail


@pytest.mark.parametrize("value", [5, 1.5, True, {}, [], "x" * 1025])
def test_a_wrong_value_of_the_context_is_named_by_its_key(value: Any) -> None:
    found = detail(context={"device": "mobile", "browser": None, "plan": value})
    assert "`$.context.plan`" in found


def test_a_context_that_is_none_is_named_as_a_whole() -> None:
    assert "`$.context`" in detail(context=[1])
    assert "`$.context`" in detail(context={str(n): "x" for n in range(65)})
