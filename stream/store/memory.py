"""Watches the memory of Redis: for the worker's own metrics, and that Redis evicts nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from stream.settings.application import Settings

_log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0
_KEEPS = "noeviction"


class Memory(NamedTuple):
    """Memory of one Redis server, in bytes; a `limit` of 0 is no limit."""

    used: int
    limit: int


class MemoryWatch:
    """Asks every Redis server that holds keys. Runs in every worker: any of them may be scraped."""

    def __init__(
        self,
        client: Any,
        settings: Settings,
        note: Callable[[Mapping[str, Memory]], None],
        note_evicting: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        """`note` takes the memory of each server after every look.

        `note_evicting` takes the maxmemory-policy of each server that may evict counters.
        """
        self._client = client
        self._note = note
        self._note_evicting = note_evicting
        url = urlsplit(settings.redis.url)
        self._node = f"{url.hostname}:{url.port or 6379}"

    async def run(self) -> None:
        """Look every few seconds, for ever. After a failure note none: old memory would look live."""
        is_known = True
        while True:
            try:
                answers = await self._primaries()
                self._note(_memory(answers))
                self._note_evicting(await self._evicting(answers))
                is_known = True
            except (RedisError, OSError, TimeoutError) as error:
                if is_known:
                    _log.info(
                        "the memory of Redis is unknown, asking again; check Redis: %s", error
                    )
                is_known = False
                self._note({})
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> dict[str, Memory]:
        """Return the memory of each server; of a cluster, of its primaries.

        Raises RedisError, OSError and TimeoutError.
        """
        return _memory(await self._primaries())

    async def evicting(self) -> dict[str, str]:
        """Return the maxmemory-policy of each server that has another than noeviction.

        Raises RedisError, OSError and TimeoutError. A replica counts: it may become the primary.
        """
        return await self._evicting(await self._primaries())

    async def _evicting(self, primaries: Mapping[str, Any]) -> dict[str, str]:
        answers = dict(primaries)
        if isinstance(self._client, RedisCluster):
            for node in self._client.get_replicas():
                # One that is away is the cluster's concern, and evicts nothing.
                with contextlib.suppress(RedisError, OSError, TimeoutError):
                    answers[node.name] = await self._client.info("memory", target_nodes=node)
        policies = {
            node: answer.get("maxmemory_policy", _KEEPS) for node, answer in answers.items()
        }
        return {node: str(policy) for node, policy in policies.items() if policy != _KEEPS}

    async def _primaries(self) -> dict[str, Any]:
        """Return the memory section of each server; of a cluster, of its primaries."""
        if not isinstance(self._client, RedisCluster):
            return {self._node: await self._client.info("memory")}
        answers = await self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
        # A single primary answers without its name.
        if "used_memory" in answers:
            return {self._client.get_primaries()[0].name: answers}
        return dict(answers)


def _memory(answers: Mapping[str, Any]) -> dict[str, Memory]:
    return {
        node: Memory(int(answer["used_memory"]), int(answer["maxmemory"]))
        for node, answer in answers.items()
    }
