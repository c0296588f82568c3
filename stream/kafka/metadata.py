"""Asks Kafka which cluster it is and what the topics are.

Topic ids come with version 10 of the metadata, which aiokafka 0.14 does not speak. Brokers before 2.8
know no topic ids.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataRequest_v5
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from stream.kafka.options import aiokafka_options
from stream.publish.log_identity import LogIdentity
from stream.settings.application import Settings

_NO_ERROR, _NOT_AUTHORIZED = 0, TopicAuthorizationFailedError.errno


class FoundTopic(NamedTuple):
    """A topic that Kafka has; `topic_id` is empty if the broker is older than 2.8."""

    partitions: int
    topic_id: str


class Found(NamedTuple):
    """The cluster's id, empty if unknown, and those of the asked topics that exist."""

    cluster: str
    topics: Mapping[str, FoundTopic]
    #: Topics that this user may not describe: they may exist.
    hidden: frozenset[str]


def log_identity(found: Found, inputs: Sequence[str]) -> LogIdentity:
    """Return the identity of the log of the input topics, which all exist."""
    known = {topic: found.topics[topic].topic_id for topic in inputs}
    partitions = found.topics[inputs[0]].partitions
    return LogIdentity(partitions, found.cluster, {k: v for k, v in known.items() if v})


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # aiokafka is untyped for mypy
    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value


class _Response(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString("utf-8")), ("port", Int32),
            ("rack", CompactString("utf-8")), ("tags", TaggedFields),
        )),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("topic", CompactString("utf-8")), ("topic_id", _Uuid),
            ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32),
                ("leader_epoch", Int32), ("replicas", CompactArray(Int32)),
                ("isr", CompactArray(Int32)), ("offline_replicas", CompactArray(Int32)),
                ("tags", TaggedFields),
            )),
            ("authorized_operations", Int32), ("tags", TaggedFields),
        )),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Request10(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(
            ("topic_id", _Uuid), ("topic", CompactString("utf-8")), ("tags", TaggedFields),
        )),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Describe(Request[MetadataRequest_v4 | MetadataRequest_v5 | _Request10]):  # type: ignore[misc]
    """Request for the metadata of topics, in the newest version that the broker knows."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = sorted(topics)

    def build(self, request_struct_class: type[RequestStruct]) -> Any:
        if request_struct_class is _Request10:
            wanted: Any = [(bytes(16), topic, {}) for topic in self._topics]
            return _Request10(wanted, False, False, False, {})
        return request_struct_class(self._topics, False)


class ClusterMetadata:
    """The metadata of Kafka, over a connection of its own that follows kafka.bootstrap_servers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaClient | None = None
        self._lock = asyncio.Lock()

    async def look(self, topics: Collection[str]) -> Found:
        """Ask any broker. Raises KafkaError, OSError and TimeoutError; the next look connects again."""
        async with self._lock:
            try:
                return await self._ask(topics)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _ask(self, topics: Collection[str]) -> Found:
        if self._client is None:
            self._client = AIOKafkaClient(**aiokafka_options(self._settings))
            await self._client.bootstrap()
        node = self._client.get_random_node()
        if node is None:
            raise KafkaConnectionError("the cluster names no broker")
        return _found(await self._client.send(node, _Describe(topics)))


def _found(answer: Any) -> Found:
    topics, hidden = {}, set()
    for error, name, *rest in answer.topics:
        if error == _NO_ERROR:
            topic_id = _shown(rest[0]) if answer.API_VERSION == 10 else ""
            partitions = rest[2] if answer.API_VERSION == 10 else rest[1]
            topics[name] = FoundTopic(len(partitions), topic_id)
        elif error == _NOT_AUTHORIZED:
            hidden.add(name)
    return Found(answer.cluster_id or "", topics, frozenset(hidden))


def _shown(topic_id: bytes) -> str:
    """Write an id as kafka-topics does."""
    return urlsafe_b64encode(topic_id).decode().rstrip("=") if any(topic_id) else ""
