"""Findings about the brokers' clock: Kafka tells it only by the times of records."""

import contextlib
import time
from collections.abc import Iterator, Mapping

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from agents.commands.findings import Finding
from agents.commands.topics import LOG_APPEND_TIME, TIMESTAMP_TYPE, Existing
from stream.settings.application import Settings

SKEW_MAX_SECONDS = 2.0


def clock_findings(
    settings: Settings, admin: KafkaAdminClient, existing: Mapping[str, Existing]
) -> Iterator[Finding]:
    """Compare the newest time that a broker has stamped with this machine's clock.

    A clock that is behind cannot be told from a silent topic.
    """
    wanted = {
        TopicPartition(name, number): OffsetSpec.MAX_TIMESTAMP
        for name in settings.topics.inputs
        if name in existing and existing[name].configs.get(TIMESTAMP_TYPE) == LOG_APPEND_TIME
        for number in range(existing[name].partitions)
    }
    newest = 0
    # Brokers older than 3.0 do not answer this.
    with contextlib.suppress(KafkaError):
        found = admin.list_partition_offsets(wanted) if wanted else {}
        newest = max((one.timestamp for one in found.values()), default=0)
    ahead = newest / 1000 - time.time()
    if ahead > SKEW_MAX_SECONDS:
        advice = "synchronise both clocks (NTP): events that arrive now look as if from the future"
        found_text = f"the brokers' newest record is {ahead:.0f} s ahead of this machine"
        yield Finding("error", "kafka clock", found_text, advice)
