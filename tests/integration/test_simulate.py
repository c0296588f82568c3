"""`engage simulate` fills empty topics with a past once, and stops on a signal."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from stream.configure.load import load_settings
from stream.configure.sources import to_environment
from tests.conftest import TopicFactory
from tests.servers.kafka_server import KafkaServer

ROOT = Path(__file__).parents[2]
ROLES = ("page_views", "clicks", "sessions", "subscriptions", "orders", "feedback", "social")


def environment(kafka: KafkaServer, names: dict[str, str]) -> dict[str, str]:
    topics = {f"ENGAGE_TOPICS_{role.upper()}": names[role] for role in ROLES}
    settings = load_settings(None, topics | {"ENGAGE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap})
    return to_environment(settings) | {"PYTHONPATH": str(ROOT)}


def simulate(environ: dict[str, str], *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "agents", "simulate", *options],
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def count(kafka: KafkaServer, names: dict[str, str]) -> int:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
    try:
        partitions = [
            TopicPartition(name, number)
            for name in names.values()
            for number in consumer.partitions_for_topic(name) or ()
        ]
        return sum(consumer.end_offsets(partitions).values())
    finally:
        consumer.close()


def test_the_past_is_sent_once_and_sigterm_ends_the_traffic(
    kafka: KafkaServer, topics: TopicFactory
) -> None:
    names = {role: topics(role, partitions=2) for role in ROLES}
    environ = environment(kafka, names)
    output, errors = simulate(environ, "--rate", "100", "--seconds", "3").communicate(timeout=60)
    past = int(re.findall(r"sent (\d+) events of the past 35 days", output)[0])
    sent = count(kafka, names)
    assert errors == ""
    assert 20_000 < past < sent

    again = simulate(environ, "--rate", "100")
    assert again.stdout is not None
    assert "of the past" not in again.stdout.readline()
    again.send_signal(signal.SIGTERM)
    _, errors = again.communicate(timeout=20)
    assert (again.returncode, errors) == (0, "")
    assert sent < count(kafka, names) < sent + past


def test_missing_topics_are_named(kafka: KafkaServer, topics: TopicFactory) -> None:
    names = {role: topics(role, partitions=1) for role in ROLES} | {"orders": "nowhere"}
    _, errors = simulate(environment(kafka, names)).communicate(timeout=30)
    assert "topics are missing" in errors and "nowhere" in errors
    assert "engage topics create" in errors
