"""Rules of a mapping: which decides, what a record of several events becomes, what is refused."""

import base64
import json
import tomllib
from typing import Any

import pytest

from schemas.mapping.compile import Ignored, Mapped
from schemas.mapping.preset import mapping_of_source
from schemas.mapping.record import Record
from schemas.mapping.source import Source
from schemas.rejection import Reason, RejectedEvent

BASE = """
[every]
event_id = "id"
event_time = ["at", "$timestamp"]
user_id = "user"
"""
VIEW = '[[event]]\ntype = "page_view"\npage_url = "url"\n'
RECORD = {"id": "e", "at": 1_741_942_800_250, "user": "u", "url": "/a"}


def source(text: str) -> Source:
    mapping, problems = mapping_of_source("web", tomllib.loads(text), "sources.web")
    assert problems == []
    return Source(mapping)


def read(text: str, value: Any, **beside: Any) -> list[Any]:
    raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    found = source(text).checked(Record(value=raw, **beside))
    return [json.loads(one.raw) if isinstance(one, Mapped) else one for one in found]


def test_the_first_rule_whose_conditions_hold_decides() -> None:
    text = f'{BASE}[[event]]\nwhen = {{ url = "/a" }}\nignore = "tests"\n{VIEW}'
    assert read(text, RECORD) == [Ignored("rule 1", "tests")]
    [event] = read(text, RECORD | {"url": "/b"})
    assert event["type"] == "page_view" and event["page_url"] == "/b"


@pytest.mark.parametrize(
    ("condition", "holds", "fails"),
    [
        ("{ x = 1 }", [1, 1.0], [True, "1", 2, None]),
        ("{ x = true }", [True], [1, "true", None]),
        ('{ x = ["a", 2] }', ["a", 2], ["b", True, None]),
        ("{ x = { exists = true } }", [0, False, "a", []], [None, ""]),
        ("{ x = { exists = false } }", [None, ""], [0, "a"]),
        ("{ x = { present = true } }", [None, 0], []),
        ('{ x = { not = "a" } }', ["b", None, 1], ["a"]),
        ('{ x = { not = ["a", 1] } }', ["b", True], ["a", 1]),
        ('{ x = { starts_with = ["a", "b"] } }', ["ab", "b"], ["c", 1, None]),
        ("{ x = { above = 2 } }", [3, "2.5"], [2, "x", None, {}]),
        ('{ x = { differs_from = "y" } }', [1, None, "a"], ["same"]),
        ('{ x = { exists = true, not = "a" } }', ["b"], ["a", None]),
    ],
)
def test_a_condition_holds_or_not(condition: str, holds: list[Any], fails: list[Any]) -> None:
    text = f'{BASE}[[event]]\nwhen = {condition}\nignore = "held"\n{VIEW}'
    for value, wanted in [(v, True) for v in holds] + [(v, False) for v in fails]:
        [found] = read(text, RECORD | {"x": value, "y": "same"})
        assert (found == Ignored("rule 1", "held")) == wanted, value


def test_what_no_rule_takes_is_ignored_by_its_discriminator() -> None:
    text = (
        f'discriminator = ["kind", "n"]\n{BASE}[[event]]\nwhen = {{ kind = "a" }}\nignore = "a"\n'
    )
    assert read(text, RECORD | {"kind": "b", "n": 5}) == [
        Ignored("", "no rule for kind = b, n = 5")
    ]
    assert read(text, RECORD) == [Ignored("", "no rule")]


def test_conditions_of_the_source_come_before_all_rules() -> None:
    text = f"when = {{ live = true }}\n{BASE}{VIEW}"
    assert read(text, RECORD | {"live": False}) == [Ignored("when", "left out by `when`")]
    assert read(text, RECORD | {"live": True})[0]["type"] == "page_view"


def test_a_rule_may_refuse_with_what_to_do() -> None:
    [found] = read(f'{BASE}[[event]]\nreject = "turn it on"\n', RECORD)
    assert isinstance(found, RejectedEvent)
    assert (found.reason, found.detail) == (Reason.WRONG_FIELD, "mapping web, rule 1: turn it on")


def test_own_rules_and_fields_come_before_those_of_the_preset() -> None:
    own = (
        'preset = "segment"\n[every]\nuser_id = "context.groupId"\n[every.context]\nplan = "plan"\n'
        '[[event]]\nwhen = { type = "track", event = "Trial" }\ntype = "subscription_started"\n'
        'subscription_id = "context.groupId"\nmrr = { value = 0 }\n'
    )
    call = {
        "type": "track", "event": "Trial", "messageId": "m", "timestamp": "2025-03-14T09:00:00Z",
        "context": {"groupId": 7}, "plan": "pro",
    }  # fmt: skip
    assert read(own, call) == [
        {
            "type": "subscription_started", "event_id": "m", "event_time": "2025-03-14T09:00:00Z",
            "user_id": "7", "subscription_id": "7", "mrr": 0, "context": {"plan": "pro"},
        }
    ]  # fmt: skip
    assert read(own, call | {"event": "Other"})[0]["type"] == "custom"


def test_a_record_of_several_events_by_all_rules_has_ids_of_their_own() -> None:
    text = (
        f'match = "all"\n{BASE}[[event]]\nwhen = {{ url = {{ exists = true }} }}\ntype = "page_view"\n'
        'suffix = "page"\n[[event]]\nwhen = { goal = { exists = true } }\ntype = "goal"\n'
        'suffix = "goal"\nname = "goal"\n'
    )
    found = read(text, RECORD | {"goal": "g"})
    assert [one["event_id"] for one in found] == ["e#page", "e#goal"]
    assert read(text, {"id": "e"}) == [Ignored("", "no rule")]


def test_a_list_is_taken_apart_and_each_part_refused_by_itself() -> None:
    text = f'each = "batch"\n{BASE}{VIEW}site = "$record.site"\n'
    found = read(text, {"site": "s", "batch": [RECORD, RECORD | {"id": {}}, RECORD | {"id": "f"}]})
    assert [isinstance(one, RejectedEvent) for one in found] == [False, True, False]
    assert [found[0]["site"], found[2]["event_id"]] == ["s", "f"]
    assert read(text, RECORD)[0]["event_id"] == "e", "a record without the list is mapped itself"


def test_the_number_and_the_size_of_events_of_a_record_are_bounded() -> None:
    text = f'each = "batch"\n{BASE}{VIEW}'
    assert len(read(text, {"batch": [RECORD] * 256})) == 256
    [found] = read(text, {"batch": [RECORD] * 1000})
    assert (found.reason, "1000 events in a record" in found.detail) == (Reason.TOO_LARGE, True)
    [found] = read(text, b"[" + b" " * (1 << 20) + b"]")
    assert found.reason == Reason.TOO_LARGE
    [found] = read(text, RECORD | {"url": "x" * 70_000})
    assert found.reason == Reason.TOO_LARGE, "an event of ours has 64 KiB"
    assert read(text, RECORD | {"unused": "x" * 900_000})[0]["type"] == "page_view"


def test_a_refusal_of_the_codec_names_the_rule_and_the_path() -> None:
    text = f'{BASE}[[event]]\ntype = "heartbeat"\npage_url = "url"\nscroll_depth = "depth"\n'
    [found] = read(text, RECORD | {"depth": 120})
    assert found.reason == Reason.WRONG_FIELD
    assert found.detail.startswith("mapping web, rule 1 (heartbeat), scroll_depth from depth: ")


def test_a_time_that_only_kafka_knows_is_missed_in_a_plain_file() -> None:
    record = {key: value for key, value in RECORD.items() if key != "at"}
    assert read(BASE + VIEW, record, timestamp=1_741_942_800_250)[0]["event_time"] == 1741942800250
    [found] = read(BASE + VIEW, record)
    assert found.reason == Reason.MISSING_FIELD
    assert "$timestamp is absent: a plain file has no Kafka times" in found.detail


def test_several_sources_of_a_field_and_what_stands_for_none() -> None:
    text = (
        f'{BASE}[[event]]\ntype = "order"\norder_id = [{{ id = ["a", "b"] }}, "c", {{ value = "none" }}]\n'
        'currency = { from = "d", map = { euro = "EUR" }, else = "" }\n'
    )
    ids = [
        read(text, RECORD | more)[0]["order_id"]
        for more in ({"a": 1, "b": "x"}, {"a": 1, "c": "y"}, {})
    ]
    assert (len(ids[0]), ids[1:]) == (32, ["y", "none"])
    assert read(text, RECORD | {"d": "euro"})[0]["currency"] == "EUR"
    assert "currency" not in read(text, RECORD | {"d": "pound"})[0]


def test_digests_keep_apart_what_is_apart() -> None:
    text = f'{BASE}[[event]]\ntype = "order"\norder_id = {{ id_any = ["a", "b"] }}\n'
    parts = [{"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, {"a": "xyz"}, {"b": "xyz"}]
    found = [read(text, RECORD | one)[0]["order_id"] for one in parts]
    assert len(set(found)) == 4
    [refused] = read(text, RECORD)
    assert refused.reason == Reason.MISSING_FIELD


def test_tombstones_are_refused_or_ignored() -> None:
    [found] = read(BASE + VIEW, None)
    assert found.reason == Reason.EMPTY
    assert read(f'tombstones = "ignore"\n{BASE}{VIEW}', None) == [
        Ignored("tombstones", "tombstone")
    ]
    envelope = f'tombstones = "ignore"\nunwrap = "payload"\n{BASE}{VIEW}'
    assert read(envelope, {"payload": None}) == [Ignored("tombstones", "tombstone")]


@pytest.mark.parametrize(
    ("format", "raw"),
    [
        ("json_schema", b"\0\0\1\x86\xa2" + json.dumps(RECORD).encode()),
        ("json_schema", json.dumps(RECORD).encode()),
        ("kafka_connect", json.dumps({"schema": {}, "payload": RECORD}).encode()),
        ("kafka_connect", json.dumps(RECORD).encode()),
        ("query", b"?id=e&at=1741942800250&user=u&url=%2Fa"),
    ],
)
def test_other_formats_become_the_same_event(format: str, raw: bytes) -> None:
    text = f'format = "{format}"\n{BASE.replace(chr(34) + "at" + chr(34), AT)}{VIEW}'
    [event] = read(text, raw)
    assert event == {
        "type": "page_view", "event_id": "e", "event_time": 1_741_942_800_250, "user_id": "u",
        "page_url": "/a",
    }  # fmt: skip


AT = '{ from = "at", as = "milliseconds" }'


def test_texts_that_hold_json_are_read() -> None:
    text = f'parse = {{ data = "json", more = "base64_json" }}\nunwrap = "data"\n{BASE}{VIEW}'
    found = read(text, {"data": json.dumps(RECORD), "more": "!"})
    assert found[0].reason == Reason.MALFORMED and "base64" in found[0].detail
    more = base64.b64encode(b'{"x":1}').decode()
    assert read(text, {"data": json.dumps(RECORD), "more": more})[0]["event_id"] == "e"
    [broken] = read(text, {"data": "{"})
    assert (broken.reason, "no json" in broken.detail) == (Reason.MALFORMED, True)


def test_an_event_of_cloudevents_without_a_payload_is_no_tombstone() -> None:
    text = (
        'preset = "cloudevents"\n[every]\nuser_id = "subject"\n[[event]]\nwhen = { type = "t" }\n'
        'type = "session_start"\n'
    )
    headers = {
        "ce_id": b"1", "ce_source": b"/s", "ce_type": b"t", "ce_subject": b"u",
        "ce_time": b"2025-03-14T09:00:00Z",
    }  # fmt: skip
    assert read(text, None, headers=headers)[0]["user_id"] == "u"
    assert read(text, None)[0].reason == Reason.EMPTY
