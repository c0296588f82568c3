"""Foreign records become events in our topics: under the key of their person, or dead letters."""

import json
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2
from aiokafka.structs import TopicPartition

from stream.intake.process import group_of
from stream.kafka.transactions import Transactions
from tests.intake.foreign import T0, call, order, page
from tests.intake.stand import PARTITIONS, Stand
from tests.servers.kafka_server import KafkaServer


@pytest.fixture
def stand(kafka: KafkaServer, tmp_path: Path) -> Stand:
    with Stand(kafka.bootstrap, tmp_path) as made:
        yield made


def test_records_without_a_key_reach_the_topics_of_their_types_by_person(stand: Stand) -> None:
    at = [T0 + 1000 * number for number in range(6)]
    stand.send(
        0, [page(0, at[0], "ada"), order(1, at[1], "bob"), call("identify", 2, at[2], "ada")], T0
    )
    stand.send(1, [page(3, at[3], "ada"), b"{broken", None], T0, 7)
    one = stand.process().start()
    stand.wait_carried()
    events = {record.origin: record for record in stand.written()}
    foreign, topics = stand.foreign, stand.settings.topics
    assert sorted(events) == [f"{foreign}/0/0/0", f"{foreign}/0/1/0", f"{foreign}/1/0/0"]
    view = events[f"{foreign}/0/0/0"]
    assert (view.topic, view.key) == (topics.page_views, b"ada")
    assert json.loads(view.value)["event_id"] == "m-0"
    assert events[f"{foreign}/0/1/0"].topic == topics.orders
    for record in events.values():
        assert record.key is not None
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS
    letters = {record.origin: json.loads(record.value) for record in stand.written(ledger=True)}
    assert sorted(letters) == [f"{foreign}/1/1/0", f"{foreign}/1/2/0"]
    broken = letters[f"{foreign}/1/1/0"]
    assert (broken["topic"], broken["partition"], broken["offset"]) == (foreign, 1, 1)
    assert broken["timestamp_ms"] == T0 + 7
    assert broken["reason"] == "malformed"
    assert broken["detail"].startswith("mapping web: no json")
    assert letters[f"{foreign}/1/2/0"]["reason"] == "empty"
    assert one.stop() == 0


async def test_a_producer_that_is_fenced_takes_its_partition_over_again(stand: Stand) -> None:
    """Another producer of the same partition stands for a process that has taken it over."""
    one = stand.process().start()
    stand.send(0, [page(0, T0, "ada")], T0)
    stand.wait_carried()
    group, place = group_of(stand.settings), TopicPartition(stand.foreign, 0)
    other = Transactions(stand.settings, group, place)
    await other.start()
    await other.close()
    stand.send(0, [page(1, T0 + 1, "ada")], T0 + 1)
    stand.wait_carried()
    assert one.value("engagement_intake_fenced_total") == 1
    origins = sorted(record.origin for record in stand.written())
    assert origins == [f"{stand.foreign}/0/0/0", f"{stand.foreign}/0/1/0"]
    assert one.stop() == 0
