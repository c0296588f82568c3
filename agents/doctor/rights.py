"""Rights of the Kafka user that a worker needs, and which of them are missing."""

import contextlib
import time
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    NotCoordinatorError,
)

from stream.settings.application import Settings

#: The broker's answer about a topic that the user may not even describe.
_UNAUTHORIZED = 29
#: A new cluster makes the topic of its groups at the first request.
_GROUP_TRIES, _GROUP_WAIT_SECONDS = 10, 0.3
_NOT_YET = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)


class Right(NamedTuple):
    """An operation on a topic, a group, or all transactional ids with a prefix."""

    operation: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind} {self.name}"

    def mend(self, user: str) -> str:
        """Return the command that grants it."""
        prefix = " --resource-pattern-type prefixed" if self.kind == "transactional-id" else ""
        return (
            f"kafka-acls --add --allow-principal User:{user or '…'} "
            f"--operation {self.operation} --{self.kind} {self.name}{prefix}"
        )


def needed_on_topics(settings: Settings) -> list[Right]:
    """List READ on every input, WRITE on every output; both include DESCRIBE."""
    return [
        *(Right("READ", "topic", name) for name in settings.topics.inputs),
        *(Right("WRITE", "topic", name) for name in settings.output_topics),
    ]


def missing_rights(settings: Settings, admin: KafkaAdminClient) -> list[Right]:
    """Return the rights that a worker needs and the user has not; brokers older than 2.3 do not say.

    Raises KafkaError.
    """
    missing = missing_on_topics(admin, needed_on_topics(settings))
    read = Right("READ", "group", settings.consumer_group)
    return missing if may_read_group(admin, read.name) else [*missing, read]


def missing_on_topics(admin: KafkaAdminClient, needed: list[Right]) -> list[Right]:
    """Return those of the rights that the user has not. Raises KafkaError."""
    granted = {
        topic["name"]: () if topic["error_code"] == _UNAUTHORIZED else _operations(topic)
        for topic in admin.describe_topics([right.name for right in needed])
    }
    return [
        right
        for right in needed
        if (operations := granted.get(right.name)) is not None and right.operation not in operations
    ]


def _operations(described: dict[str, Any]) -> tuple[str, ...] | None:
    operations = described.get("authorized_operations")
    # A topic that does not exist has none, and lacks more than a right.
    return None if described["error_code"] or operations is None else tuple(operations)


def may_read_group(admin: KafkaAdminClient, group: str) -> bool:
    """Whether the user may be a member of a group. Raises KafkaError."""
    for _ in range(_GROUP_TRIES):
        with contextlib.suppress(*_NOT_YET):
            try:
                found = admin.describe_groups([group])[group]
            except GroupAuthorizationFailedError:
                return False
            if "GroupAuthorizationFailed" in str(found["error"]):
                return False
            operations = found.get("authorized_operations")
            return operations is None or "READ" in operations
        time.sleep(_GROUP_WAIT_SECONDS)
    return True
