"""Watches the memory of Redis, for the worker's own metrics."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from stream.settings.application import Settings

_log = logging.getLogger(__name__)
LOOK_SECONDS = 10.0


class Memory(NamedTuple):
    """Memory of one Redis server, in bytes; a `limit` of 0 is no limit."""

    used: int
    limit: int


class MemoryWatch:
    """Asks every Redis server that holds keys. Runs in every worker: any of them may be scraped."""

    def __init__(
        self, client: Any, settings: Settings, note: Callable[[Mapping[str, Memory]], None]
    ) -> None:
        """`note` takes the memory of each server after every look."""
        self._client = client
        self._note = note
        url = urlsplit(settings.redis.url)
        self._node = f"{url.hostname}:{url.port or 6379}"

    async def run(self) -> None:
        """Look every few seconds, for ever. After a failure note none: old memory would look live."""
        is_known = True
        while True:
            try:
                self._note(await self.look())
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
        if isinstance(self._client, RedisCluster):
            answers = await self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
            # A single primary answers without its name.
            if "used_memory" in answers:
                answers = {self._client.get_primaries()[0].name: answers}
        else:
            answers = {self._node: await self._client.info("memory")}
        return {
            node: Memory(int(answer["used_memory"]), int(answer["maxmemory"]))
            for node, answer in answers.items()
        }
