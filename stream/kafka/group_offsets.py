"""Reads the committed offsets of a consumer group, none of which a transaction may still change.

aiokafka 0.14 does not ask for stable offsets (KIP-447): while a transaction ends, it can be told the
offset from before it. Brokers before 2.5 do not know the question.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import CoordinatorNotAvailableError, KafkaError, NoError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetFetchRequest_v2, OffsetFetchRequest_v3
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from aiokafka.structs import TopicPartition

from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings

#: The broker's answer while a transaction that changes an offset ends.
_UNSTABLE = 88
_WAIT_SECONDS = 0.05


class Committed(NamedTuple):
    """An offset that a group has committed, and the text beside it."""

    offset: int
    metadata: str


class _Response7(Response):  # type: ignore[misc]  # aiokafka is untyped for mypy
    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(
            ("topic", CompactString("utf-8")),
            ("partitions", CompactArray(
                ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32),
                ("metadata", CompactString("utf-8")), ("error_code", Int16),
                ("tags", TaggedFields),
            )),
            ("tags", TaggedFields),
        )),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Request7(RequestStruct):  # type: ignore[misc]
    API_KEY = 9
    API_VERSION = 7
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response7
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        ("topics", CompactArray(
            ("topic", CompactString("utf-8")), ("partitions", CompactArray(Int32)),
            ("tags", TaggedFields),
        )),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Fetch(Request[OffsetFetchRequest_v2 | OffsetFetchRequest_v3 | _Request7]):  # type: ignore[misc]
    """Request for committed offsets, in the newest version that the broker knows."""

    API_KEY = 9

    def __init__(self, group: str, places: Collection[TopicPartition], *, stable: bool) -> None:
        self._group = group
        self._stable = stable
        self._partitions: dict[str, list[int]] = {}
        for place in sorted(places):
            self._partitions.setdefault(place.topic, []).append(place.partition)

    def build(self, request_struct_class: type[RequestStruct]) -> Any:
        if request_struct_class is _Request7:
            wanted: Any = [(topic, numbers, {}) for topic, numbers in self._partitions.items()]
            return _Request7(self._group, wanted, self._stable, {})
        return request_struct_class(self._group, list(self._partitions.items()))


class GroupOffsets:
    """The committed offsets of one group, over a connection of its own."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._client: AIOKafkaClient | None = None
        self._coordinator: int | None = None
        self._lock = asyncio.Lock()

    async def read(
        self, places: Collection[TopicPartition], *, stable: bool
    ) -> Mapping[TopicPartition, Committed]:
        """Return the offsets of the partitions that have one. Raises KafkaError, OSError, TimeoutError.

        `stable`: wait until no transaction can change them; otherwise they may be those before it.
        """
        while True:
            async with self._lock:
                try:
                    answer = await self._ask(_Fetch(self._group, places, stable=stable))
                except BaseException:
                    await self._close()
                    raise
            found = _read(answer)
            if found is not None:
                return found
            await asyncio.sleep(_WAIT_SECONDS)

    async def close(self) -> None:
        """Disconnect."""
        async with self._lock:
            await self._close()

    async def _close(self) -> None:
        client, self._client, self._coordinator = self._client, None, None
        if client is not None:
            await client.close()

    async def _ask(self, request: _Fetch) -> Any:
        if self._client is None:
            self._client = AIOKafkaClient(**aiokafka_options(self._settings))
            await self._client.bootstrap()
        if self._coordinator is None:
            self._coordinator = await self._client.coordinator_lookup(
                CoordinationType.GROUP, self._group
            )
            if not await self._client.ready(self._coordinator, group=ConnectionGroup.COORDINATION):
                raise CoordinatorNotAvailableError
        return await self._client.send(
            self._coordinator, request, group=ConnectionGroup.COORDINATION
        )


def _read(answer: Any) -> dict[TopicPartition, Committed] | None:
    """Return the offsets of an answer; None if one of them is not stable. Raises KafkaError."""
    _check(answer.error_code)
    found: dict[TopicPartition, Committed] = {}
    for topic, partitions, *_ in answer.topics:
        for partition, offset, *rest in partitions:
            metadata, error = rest[1:3] if answer.API_VERSION == 7 else rest
            if error == _UNSTABLE:
                return None
            _check(error)
            if offset >= 0:
                found[TopicPartition(topic, partition)] = Committed(offset, metadata or "")
    return found


def _check(code: int) -> None:
    error: type[KafkaError] = for_code(code)
    if error is not NoError:
        raise error
