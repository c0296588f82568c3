"""Server-sent events for many browsers: each message is made once, and no browser delays the others."""

import asyncio
from collections.abc import Callable

#: Messages that may wait for one browser; at one per second, also the seconds it may hang.
QUEUE_MAX = 8
CLIENTS_MAX = 500


class TooManyClientsError(Exception):
    """The worker serves as many browsers as it can."""


class Client:
    """One browser's queue. All queues share the same messages."""

    def __init__(self, hang_up: Callable[[], None]) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_MAX)
        self._hang_up = hang_up
        self.is_dropped = False

    async def next(self) -> bytes | None:
        """Wait for the next message; None after the last."""
        return await self._waiting.get()

    def offer(self, message: bytes) -> bool:
        """Queue a message; return False if too many are waiting."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True

    def end(self, *, is_dropped: bool) -> None:
        """End the messages. A dropped browser may be stuck in sending, so hang up on it."""
        self.is_dropped = is_dropped
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)
        if is_dropped:
            self._hang_up()


class LiveFeed:
    """The browsers that are connected."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        #: Slow browsers that were dropped; they connect again by themselves.
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._clients)

    def join(self, hang_up: Callable[[], None]) -> Client:
        """Add a browser; `hang_up` ends its connection. Raises TooManyClientsError."""
        if len(self._clients) >= CLIENTS_MAX:
            raise TooManyClientsError
        client = Client(hang_up)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """Remove a browser that has disconnected."""
        self._clients.discard(client)

    def send(self, message: bytes) -> None:
        """Queue a message for all browsers; drop those with too many waiting."""
        for client in [client for client in self._clients if not client.offer(message)]:
            self._clients.discard(client)
            self.dropped += 1
            client.end(is_dropped=True)

    def close(self) -> None:
        """End all connections, so that the server can stop."""
        clients, self._clients = self._clients, set()
        for client in clients:
            client.end(is_dropped=False)


def as_event(name: str, data: bytes) -> bytes:
    """Encode a server-sent event. JSON has no line breaks, so it fits into one `data:` line."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
