"""What an agent needs: somewhere to hand the batches of its topic to."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

#: A Faust agent: consumes a stream until it ends.
Agent = Callable[[Any], Awaitable[None]]


class Intake(Protocol):
    """Takes the batches of a topic."""

    async def consume(self, topic: str, stream: Any) -> None:
        """Feed every batch of the stream to its shard."""
