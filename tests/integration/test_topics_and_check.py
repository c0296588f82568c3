"""Topics are created, compared, filled, followed and checked on a real Kafka and a real Redis."""

import io
import json
import time
import uuid
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from kafka import KafkaConsumer, TopicPartition

from agents.commands.check import all_findings, run_check
from agents.commands.check_redis import redis_findings
from agents.commands.kafka_clients import Sender, open_admin
from agents.commands.replay import run_replay
from agents.commands.tail import run_tail
from agents.commands.topics import existing_topics, run_topics_create, wanted_topics
from agents.doctor import broker_clock
from schemas.outputs import MetricRecord, Window, encode_record, record_key
from stream.configure.load import load_settings
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES
from tests.conftest import TopicFactory
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer


@pytest.fixture
def environ(kafka: KafkaServer, redis_url: str) -> dict[str, str]:
    """Environment with both real servers, and topic names unique to the test."""
    prefix = uuid.uuid4().hex[:8]
    names = {
        f"ENGAGE_TOPICS_{role.upper()}": f"{prefix}-{role}"
        for role in (*INPUT_ROLES, "metrics", "ledger")
    }
    servers = {"ENGAGE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "ENGAGE_REDIS_URL": redis_url}
    return names | servers


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    return load_settings(None, environ)


def wait_for(settings: Settings, *names: str) -> None:
    """Wait until the broker shows topics that another client created."""
    admin = open_admin(settings)
    admin.wait_for_topics(list(names))
    admin.close()


def created(settings: Settings) -> tuple[int, str]:
    out = io.StringIO()
    return run_topics_create(settings, out), out.getvalue()


def test_topics_are_created_once_with_their_settings(settings: Settings) -> None:
    code, text = created(settings)
    assert (code, text.count("created")) == (0, 9)
    admin = open_admin(settings)
    found = existing_topics(settings, admin, [topic.name for topic in wanted_topics(settings)])
    admin.close()
    assert [found[name].partitions for name in settings.topics.inputs] == [4] * 7
    for name in settings.topics.inputs:
        assert found[name].configs["message.timestamp.type"] == "LogAppendTime"
    assert found[settings.topics.metrics].partitions == 1
    assert found[settings.topics.metrics].configs["cleanup.policy"] == "compact"
    assert found[settings.topics.ledger].configs["retention.ms"] == str(14 * 86_400_000)
    code, text = created(settings)
    assert (code, text.count("exists"), text.count("created")) == (0, 9, 0)


def test_another_partition_count_is_refused_and_no_topic_created(
    settings: Settings, environ: dict[str, str], topics: TopicFactory
) -> None:
    odd = topics("odd", partitions=2)
    wait_for(settings, odd)
    code, text = created(load_settings(None, environ | {"ENGAGE_TOPICS_CLICKS": odd}))
    assert code == 1
    assert f"{odd} has 2 partitions, wanted 4" in text
    admin = open_admin(settings)
    assert not existing_topics(settings, admin, settings.topics.inputs)
    admin.close()


def test_check_accepts_a_good_setup(settings: Settings, environ: dict[str, str]) -> None:
    created(settings)
    findings = list(all_findings(None, environ))
    assert {finding.level for finding in findings} == {"ok"}
    out = io.StringIO()
    assert run_check(None, environ, "table", out) == 0
    assert "noeviction" in out.getvalue()


def test_check_reports_all_problems_at_once(
    environ: dict[str, str], topics: TopicFactory, redis_url: str
) -> None:
    few, four = topics("few", partitions=2), topics("four", partitions=4)
    wait_for(load_settings(None, environ), few, four)
    wrong = {
        "ENGAGE_TOPICS_CLICKS": few,
        "ENGAGE_TOPICS_ORDERS": four,
        "ENGAGE_NONSENSE": "1",
    }
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        try:
            out = io.StringIO()
            assert run_check(None, environ | wrong, "json", out) == 1
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("appendonly", "yes")
    findings = {(row["subject"].split()[-1], row["level"]) for row in json.loads(out.getvalue())}
    assert {
        ("configuration", "error"), ("topics", "error"), ("partitions", "error"),
        ("topics", "warning"), ("eviction", "error"), ("persistence", "warning"),
    } <= findings  # fmt: skip


def test_a_wrong_clock_is_found(settings: Settings) -> None:
    found = {
        finding.subject.split()[-1]: finding for finding in redis_findings(settings, lambda: 0.0)
    }
    assert found["clock"].level == "error"


def test_replay_puts_every_person_into_one_partition_of_all_topics(
    settings: Settings, tmp_path: Path
) -> None:
    created(settings)
    lines = []
    for number in range(400):
        common = {
            "event_id": str(number),
            "event_time": 1_700_000_000_000,
            "user_id": f"u{number % 50}",
        }
        kind = (
            {"type": "page_view", "page_url": "/"},
            {"type": "click"},
            {"type": "session_start"},
        )
        lines.append(json.dumps(common | kind[number % 3]))
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*lines, "nonsense"]))
    assert run_replay(settings, [str(file)], errors=io.StringIO()) == 0
    places = [
        TopicPartition(topic, number) for topic in settings.topics.inputs for number in range(4)
    ]
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers, consumer_timeout_ms=5000, group_id=None
    )
    consumer.assign(places)
    consumer.seek_to_beginning()
    partitions: dict[bytes, set[int]] = {}
    counts: Counter[str] = Counter()
    for message in consumer:
        counts[message.topic] += 1
        if message.key:
            partitions.setdefault(message.key, set()).add(message.partition)
        if counts.total() == 401:
            break
    consumer.close()
    assert len(partitions) == 50
    assert all(len(numbers) == 1 for numbers in partitions.values())
    assert [counts[name] for name in settings.topics.inputs[:3]] == [135, 133, 133]


def metric_record(metric: str, revision: int, *, is_final: bool) -> MetricRecord:
    window = Window("day", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    return MetricRecord(
        metric=metric, value=revision, unit="people", numerator=None, denominator=None,
        site="default", dimensions={"country": "DE"}, window=window, revision=revision,
        is_final=is_final, approximate=False, watermark=None, definition="x",
    )  # fmt: skip


def test_tail_shows_the_chosen_records(settings: Settings) -> None:
    created(settings)
    sender = Sender(settings)
    for metric, revision, is_final in (("a", 1, False), ("b", 2, True), ("a", 3, True)):
        record = metric_record(metric, revision, is_final=is_final)
        sender.send(settings.topics.metrics, record_key(record), encode_record(record))
    sender.send(settings.topics.metrics, b"bad", b"no record")
    sender.flush()
    sender.close()
    out = io.StringIO()
    code = run_tail(
        settings,
        metrics=["a"],
        final_only=True,
        from_beginning=True,
        format="json",
        limit=1,
        out=out,
    )
    assert code == 0
    assert json.loads(out.getvalue())["revision"] == 3
    out = io.StringIO()
    assert run_tail(settings, metrics=[], from_beginning=True, limit=3, out=out) == 0
    assert len(out.getvalue().splitlines()) == 4
    assert "country=DE" in out.getvalue()


def test_programs_of_another_app_in_the_group_are_found(
    settings: Settings, environ: dict[str, str], topics: TopicFactory
) -> None:
    created(settings)
    other = topics("other", partitions=1)
    consumer = KafkaConsumer(
        other, bootstrap_servers=settings.kafka.bootstrap_servers, group_id=settings.app
    )
    try:
        wait_until("it is in the group", lambda: bool(consumer.poll(200) or consumer.assignment()))
        found = [one for one in all_findings(None, environ) if one.subject.startswith("group ")]
    finally:
        consumer.close()
    [one] = found
    assert (one.level, "read other topics" in one.found) == ("error", True)
    assert "127.0.0.1 (1)" in one.found


def test_brokers_whose_clock_is_ahead_are_found(
    settings: Settings, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    created(settings)
    sender = Sender(settings)
    sender.send(settings.topics.clicks, b"k", b"{}")
    sender.flush()
    sender.close()
    behind = SimpleNamespace(time=lambda: time.time() - 60)
    monkeypatch.setattr(broker_clock, "time", behind)
    [one] = [one for one in all_findings(None, environ) if one.subject == "kafka clock"]
    assert one.level == "error"
    assert "ahead of this machine" in one.found
