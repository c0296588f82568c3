"""Foreign records become messages: by person, with their origin and time, each record counted once."""

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.mapping.preset import mapping_of_source
from schemas.mapping.source import Source
from stream.rekey.alignment import NO_LIMIT
from stream.rekey.chunk import ORIGIN, Chunk
from stream.rekey.counts import SourceCounts
from stream.rekey.mapper import Mapper, NamedSource
from stream.rekey.router import Router
from stream.settings.application import Settings
from stream.settings.intake import TopicSettings
from tests.intake.foreign import T0, call, order, page

PARTITIONS = 5
NOW = T0 + 10**9


class Foreign:
    def __init__(self, offset: int, value: bytes | None, timestamp: int = T0) -> None:
        self.offset, self.value, self.timestamp = offset, value, timestamp
        self.key: bytes | None = b"a key"
        self.headers: Sequence[tuple[str, bytes]] = ()


def mapper(settings: Settings | None = None, *written: dict[str, Any]) -> Mapper:
    settings = settings or Settings()
    sources = []
    for number, one in enumerate(written or ({"preset": "segment"},)):
        mapping, problems = mapping_of_source(f"s{number}", one, "sources")
        assert not problems
        sources.append(NamedSource(f"s{number}", Source(mapping)))
    return Mapper({"foreign": sources}, Router(settings, PARTITIONS, murmur2), "ledger", 2)


def take(made: Mapper, records: Sequence[Foreign], **options: Any) -> Chunk:
    given: dict[str, Any] = {"begin": 0, "reached_ms": 0, "limit_ms": NO_LIMIT, "now_ms": NOW}
    return made.take("foreign", 3, records, **given | options)


class Message(NamedTuple):
    timestamp: int | None
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(chunk: Chunk) -> dict[str, tuple[str, int, Message]]:
    """Return topic, partition and message by origin."""
    found = [
        (message.headers[0][1].decode(), (topic, partition, message))
        for (topic, partition), group in chunk.messages.items()
        for message in (Message(*one) for one in group)
    ]
    assert all(message.headers[0][0] == ORIGIN for _, (_, _, message) in found)
    assert len(dict(found)) == len(found)
    return dict(found)


kinds = st.sampled_from(["page", "order", "identify", "broken", "tombstone", "no person"])


def value(kind: str, number: int) -> bytes | None:
    return {
        "page": page(number, T0, f"p{number % 3}"),
        "order": order(number, T0, f"p{number % 3}"),
        "identify": call("identify", number, T0, "p"),
        "broken": b'{"type": ',
        "tombstone": None,
        "no person": call("page", number, T0, ""),
    }[kind]


@given(kinds=st.lists(kinds, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_chunks_make_what_one_chunk_makes(kinds: list[str], cuts: list[int]) -> None:
    records = [Foreign(n, value(kind, n), T0 + n) for n, kind in enumerate(kinds)]
    whole = take(mapper(), records)
    assert whole.taken == len(records)
    [counts] = whole.counts.values()
    assert counts.records == len(records)
    assert counts.mapped == sum(kind in ("page", "order") for kind in kinds)
    assert counts.ignored == kinds.count("identify")
    assert counts.events + counts.dead_letters == whole.count == len(messages(whole))
    parts: dict[str, Any] = {}
    begin = 0
    for cut in [*sorted(cuts), len(records)]:
        chunk = take(mapper(), records, begin=begin, limit_ms=T0 + cut - 1)
        parts |= messages(chunk)
        begin += chunk.taken
    assert parts == messages(whole)


def test_an_event_has_the_key_of_its_person_and_the_partition_of_producers() -> None:
    records = [Foreign(n, page(n, T0, f"person-{n}"), T0 + n) for n in range(50)]
    for origin, (topic, partition, message) in messages(take(mapper(), records)).items():
        number = int(origin.split("/")[2])
        assert (topic, message.key) == ("page-views", f"person-{number}".encode())
        assert message.timestamp == T0 + number
        everywhere = list(range(PARTITIONS))
        assert partition == DefaultPartitioner()(message.key, everywhere, everywhere)


def test_a_dead_letter_names_mapping_rule_and_path_and_keeps_the_foreign_bytes() -> None:
    raw = call("track", 1, T0, "ada", event="Order Completed", properties={"revenue": "27,50"})
    chunk = take(mapper(), [Foreign(8, raw, T0 + 5)])
    [(topic, partition, message)] = messages(chunk).values()
    letter = json.loads(message.value)
    assert (topic, partition, message.key) == ("ledger", 8 % 2, None)
    assert base64.b64decode(letter["original"]) == raw
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("foreign", 3, 8)
    assert letter["timestamp_ms"] == T0 + 5
    for word in ("mapping s0", "order", "revenue", "properties.revenue", "27,50"):
        assert word in letter["detail"]
    assert message.timestamp is None, "the retention of dead letters counts from their writing"


def test_several_events_of_a_record_have_origins_of_their_own() -> None:
    raw = b"[" + b",".join(page(n, T0, "ada") for n in range(3)) + b"]"
    chunk = take(mapper(), [Foreign(0, raw)])
    assert sorted(messages(chunk)) == [f"foreign/3/0/{n}" for n in range(3)]
    assert chunk.counts["s0"].mapped == 1
    assert chunk.counts["s0"].events == 3


def test_a_record_of_too_many_events_is_one_dead_letter() -> None:
    raw = b"[" + b",".join(page(n, T0, "ada") for n in range(1000)) + b"]"
    [(topic, _, message)] = messages(take(mapper(), [Foreign(0, raw)])).values()
    letter = json.loads(message.value)
    assert (topic, letter["reason"]) == ("ledger", "too_large")
    assert "1000 events in a record, at most 256" in letter["detail"]


def test_rules_that_all_match_count_towards_the_events_of_a_record() -> None:
    every = {"event_id": "id", "event_time": "$timestamp", "visitor_id": "who"}
    rule = {"type": "custom", "name": "what"}
    written = {
        "match": "all", "every": every, "event": [rule | {"suffix": "a"}, rule | {"suffix": "b"}],
    }  # fmt: skip
    items = [{"id": str(n), "who": "ada", "what": "x"} for n in range(200)]
    chunk = take(mapper(None, written), [Foreign(0, json.dumps(items).encode())])
    [(_, _, message)] = messages(chunk).values()
    assert "400 events in a record" in json.loads(message.value)["detail"]


def test_a_message_that_its_topic_refuses_becomes_a_dead_letter() -> None:
    records = [Foreign(0, page(0, T0, "ada")), Foreign(1, page(1, T0, "ada"))]
    chunk = take(mapper(), records, oversize=frozenset([b"foreign/3/1/0"]))
    found = messages(chunk)
    assert found["foreign/3/0/0"][0] == "page-views"
    topic, _, message = found["foreign/3/1/0"]
    assert topic == "ledger"
    assert "max.message.bytes" in json.loads(message.value)["detail"]


def test_two_sources_of_a_topic_both_see_its_records() -> None:
    clicks = {
        "when": {"type": "page"},
        "every": {"event_id": {"id": ["messageId"]}, "event_time": "timestamp", "visitor_id": "anonymousId"},
        "event": [{"type": "custom", "name": "type"}],
    }  # fmt: skip
    found = messages(
        take(mapper(None, {"preset": "segment"}, clicks), [Foreign(0, page(0, T0, "a"))])
    )
    assert {topic for topic, _, _ in found.values()} == {"page-views", "clicks"}
    assert sorted(found) == ["foreign/3/0/0", "foreign/3/0/1"]


def test_a_chunk_ends_at_its_limit_of_time_and_a_wrong_clock_moves_nothing() -> None:
    times = [T0, NOW + 5, T0 + 10, T0 + 20]
    records = [Foreign(n, page(n, T0, "a"), time) for n, time in enumerate(times)]
    chunk = take(mapper(), records, limit_ms=T0 + 15)
    assert (chunk.taken, chunk.reached_ms) == (3, T0 + 10)


def test_a_partition_taken_over_waits_at_the_time_that_it_had_announced() -> None:
    """Its next record has the time beside the committed offset: that record, too, is ahead of others."""
    record = Foreign(0, page(0, T0, "a"), T0 + 20)
    assert take(mapper(), [record], reached_ms=T0 + 20, limit_ms=T0 + 15).taken == 0
    assert take(mapper(), [record], reached_ms=T0 + 20, limit_ms=T0 + 20).taken == 1


def test_a_chunk_is_bounded() -> None:
    raw = b"[" + b",".join(page(n, T0, "ada") for n in range(200)) + b"]"
    chunk = take(mapper(), [Foreign(n, raw) for n in range(100)])
    assert chunk.count == 4_000
    assert chunk.taken == 20


def test_a_type_whose_topic_is_switched_off_goes_to_the_first_one() -> None:
    settings = replace(Settings(), topics=TopicSettings(orders=""))
    [(topic, _, _)] = messages(take(mapper(settings), [Foreign(0, order(0, T0, "a"))])).values()
    assert topic == "page-views"


def test_placeholders_are_no_key_and_identity_chooses_the_id() -> None:
    raw = call("page", 0, T0, "device", userId="undefined")
    [(_, _, message)] = messages(take(mapper(), [Foreign(0, raw)])).values()
    assert message.key == b"device"
    raw = call("page", 0, T0, "device", userId="ada")
    [(_, _, message)] = messages(take(mapper(), [Foreign(0, raw)])).values()
    assert message.key == b"ada"
    settings = replace(Settings(), identity="visitor")
    [(_, _, message)] = messages(take(mapper(settings), [Foreign(0, raw)])).values()
    assert message.key == b"device"


def test_a_source_that_maps_nothing_names_its_commonest_kinds() -> None:
    made = mapper()
    unknown = [
        Foreign(n, call("odd" if n % 3 else "rare", n, T0, "a", event="x")) for n in range(10_000)
    ]
    total = SourceCounts()
    begin = 0
    while begin < len(unknown):
        assert total.trouble() == ""
        chunk = take(made, unknown, begin=begin)
        begin += chunk.taken
        total.add(chunk.counts["s0"])
    assert total.ignored == total.ignored_by_rule["none"] == 10_000
    assert total.trouble() == (
        "no event in 10000 records; most are no rule for type = odd, event = x (6666), "
        "no rule for type = rare, event = x (3334)"
    )
    total.add(take(made, [Foreign(0, page(0, T0, "a"))]).counts["s0"])
    assert total.trouble() == ""
