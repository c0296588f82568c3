"""Missing topics, other partitions, refused sizes, lost rights: said plainly, and nothing is lost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewPartitions

from stream.intake.process import group_of
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.intake.foreign import T0, call, page
from tests.intake.stand import Stand
from tests.servers.kafka_server import KafkaServer
from tests.servers.rights import topic, without


@pytest.fixture
def stand(kafka: KafkaServer, tmp_path: Path) -> Iterator[Stand]:
    with Stand(kafka.bootstrap, tmp_path) as made:
        yield made


def refusal(stand: Stand, *options: str, code: int = 1) -> str:
    """Run the command until it refuses; return its message."""
    done = subprocess.run(
        [sys.executable, "-m", "agents", "intake", *options],
        env=stand.environ, cwd=stand.directory, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr


def wait_failing(one: WorkerProcess, check: str, words: str) -> None:
    wait_until(
        f"/readyz says {words}",
        lambda: words in one.ready()[1].get(check, ""),
        45,
    )


def test_a_topic_that_does_not_exist_is_waited_for(kafka: KafkaServer, tmp_path: Path) -> None:
    with Stand(kafka.bootstrap, tmp_path, partitions=0) as stand:
        one = stand.process().start()
        wait_failing(
            one, "source topics", f"waiting for topics that Kafka does not have: {stand.foreign}"
        )
        stand.create_foreign(1)
        stand.send(0, [page(0, T0, "ada")], T0)
        stand.wait_carried()
        assert len(stand.written()) == 1
        wait_until("it is ready", lambda: one.ready()[0] == 200)


def test_more_partitions_of_the_input_topics_stop_it_until_that_is_accepted(stand: Stand) -> None:
    one = stand.process().start()
    stand.send(0, [page(0, T0, "ada")], T0)
    stand.wait_carried()
    admin = AdminClient({"bootstrap.servers": stand.bootstrap})
    wanted = [NewPartitions(name, 6) for name in stand.settings.topics.inputs]
    for done in admin.create_partitions(wanted).values():
        done.result(30)
    wait_failing(one, "input partitions", "keyed for 4 partitions")
    stand.send(0, [page(1, T0, "ada")], T0 + 1)
    assert one.stop() == 0
    assert len(stand.written()) == 1, "nothing is keyed in two ways"
    said = refusal(stand)
    assert "keyed for 4 partitions of each input topic, but they have 6" in said
    assert "--accept-partitions" in said
    accepting = WorkerProcess(
        "accepting", stand.directory, stand.environ, "agents", "intake", "--accept-partitions"
    )
    stand.processes.append(accepting)
    accepting.start()
    stand.wait_carried()
    assert len(stand.written()) == 2


def test_a_record_that_its_topic_refuses_for_its_size_is_a_dead_letter(stand: Stand) -> None:
    admin = AdminClient({"bootstrap.servers": stand.bootstrap})
    entry = ConfigEntry("max.message.bytes", "3000", incremental_operation=AlterConfigOpType.SET)
    small = ConfigResource(
        ResourceType.TOPIC, stand.settings.topics.page_views, incremental_configs=[entry]
    )
    for done in admin.incremental_alter_configs([small]).values():
        done.result(30)
    long = call("page", 7, T0, "ada", properties={"url": "https://shop.test/" + "x" * 5_000})
    stand.send(0, [page(0, T0, "ada"), *(page(n, T0, "ada") for n in range(1, 7)), long], T0)
    stand.send(1, [page(20, T0, "bob")], T0)
    one = stand.process().start()
    stand.wait_carried()
    assert len(stand.written()) == 8
    [letter] = [json.loads(record.value) for record in stand.written(ledger=True)]
    assert (letter["reason"], letter["offset"]) == ("too_large", 7)
    assert "max.message.bytes" in letter["detail"]
    assert one.stop() == 0


def test_without_a_source_there_is_nothing_to_carry(kafka: KafkaServer, tmp_path: Path) -> None:
    with Stand(kafka.bootstrap, tmp_path, settings={"SOURCES": "{}"}) as stand:
        assert "no [sources.NAME] has topics" in refusal(stand)


def test_a_source_that_maps_nothing_is_named(stand: Stand) -> None:
    stand.send(0, (call("odd", n, T0, "ada") for n in range(10_000)), T0)
    one = stand.process().start()
    wait_failing(one, "mapping", "no event in 10000 records; most are no rule for type = odd")


def test_a_missing_right_is_named_with_the_command_that_grants_it(
    guarded_kafka: KafkaServer, tmp_path: Path
) -> None:
    with Stand(guarded_kafka.bootstrap, tmp_path) as stand:
        group = group_of(stand.settings)
        ids = ResourceType.TRANSACTIONAL_ID, f"{group}-{stand.foreign}-0"
        with without(stand.bootstrap, AclOperation.ALL, ids):
            said = refusal(stand)
            assert f"WRITE on transactional-id {group}-" in said
            assert "--resource-pattern-type prefixed" in said
        with without(stand.bootstrap, AclOperation.READ, topic(stand.foreign)):
            assert f"READ on topic {stand.foreign}" in refusal(stand)
        one = stand.process().start()
        wait_until("it is ready", lambda: one.ready()[0] == 200)
