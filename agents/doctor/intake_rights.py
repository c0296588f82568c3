"""Rights of the Kafka user that `engage intake` needs, and which of them are missing."""

import asyncio

from kafka import KafkaAdminClient

from agents.doctor.rights import Right, may_read_group, missing_on_topics
from stream.intake.process import carried_topics, group_of
from stream.intake.start import may_write_transactions
from stream.settings.application import Settings


def missing_intake_rights(settings: Settings, admin: KafkaAdminClient) -> list[Right]:
    """Return the rights that are missing; none if no source needs an intake. Raises KafkaError, OSError.

    Call it outside an event loop.
    """
    topics = carried_topics(settings)
    if not topics:
        return []
    needed = [
        *(Right("READ", "topic", name) for name in topics),
        *(Right("WRITE", "topic", name) for name in settings.topics.inputs),
        Right("WRITE", "topic", settings.topics.ledger),
    ]
    missing = missing_on_topics(admin, needed)
    group = group_of(settings)
    if not may_read_group(admin, group):
        missing.append(Right("READ", "group", group))
    if not asyncio.run(may_write_transactions(settings, topics[0])):
        missing.append(Right("WRITE", "transactional-id", f"{group}-"))
    return missing
