"""How much of Redis's memory is used, looked at now and then, for the page of the worker."""

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
    """In bytes; `limit` is 0 where Redis has none."""

    used: int
    limit: int


class MemoryWatch:
    """Asks every Redis server that holds keys. Runs in every worker: any of them may be scraped."""

    def __init__(
        self, client: Any, settings: Settings, tell: Callable[[Mapping[str, Memory]], None]
    ) -> None:
        self._client = client
        self._tell = tell
        url = urlsplit(settings.redis.url)
        self._node = f"{url.hostname}:{url.port or 6379}"

    async def run(self) -> None:
        """For ever. What is not known is not told: an old number would look like a live one."""
        while True:
            try:
                self._tell(await self.look())
            except (RedisError, OSError, TimeoutError) as error:
                _log.info("Redis does not tell its memory: %s", error)
                self._tell({})
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> dict[str, Memory]:
        """Server → memory; of a cluster the primaries. Raises RedisError, OSError, TimeoutError."""
        if isinstance(self._client, RedisCluster):
            answers = await self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
            # The answer of a single primary comes without its name.
            if "used_memory" in answers:
                answers = {self._client.get_primaries()[0].name: answers}
        else:
            answers = {self._node: await self._client.info("memory")}
        return {
            node: Memory(int(answer["used_memory"]), int(answer["maxmemory"]))
            for node, answer in answers.items()
        }
