"""Checks for `engage check` whether the stored counts are those of the log that Kafka has."""

import asyncio
from collections.abc import Iterator

from agents.commands.findings import Finding
from agents.kafka_start import CannotStartError, find_log, stored_mismatch
from stream.publish.log_identity import LogIdentity, Mismatch
from stream.settings.application import Settings

_SUBJECT = "stored state"


def log_findings(settings: Settings) -> Iterator[Finding]:
    """Compare cluster, topics and partition count with those of the stored counts."""
    try:
        log, mismatch = asyncio.run(_compare(settings))
    except CannotStartError:
        return  # The checks of Kafka and Redis say why.
    if mismatch is not None:
        yield Finding("error", _SUBJECT, mismatch.found, mismatch.advice)
    else:
        yield Finding("ok", _SUBJECT, f"fits Kafka cluster {log.cluster or 'without an id'}")
    if len(log.topic_ids) < len(settings.topics.inputs):
        found = "the broker gives no topic ids: it is older than 2.8"
        advice = "a topic created again is noticed only if it is shorter than before; upgrade Kafka"
        yield Finding("warning", "topics", found, advice)


async def _compare(settings: Settings) -> tuple[LogIdentity, Mismatch | None]:
    log = await find_log(settings, outputs=False)
    return log, await stored_mismatch(settings, log)
