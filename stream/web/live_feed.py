"""Server-sent events for any number of browsers: each message is made once, and nobody may hold it up."""

import asyncio
from collections.abc import Callable

#: Messages that may wait for one browser; at one a second, it may hang for this many seconds.
QUEUE_MAX = 8
CLIENTS_MAX = 500


class TooManyClientsError(Exception):
    """As many browsers are connected as one worker serves."""


class Client:
    """One browser's place in the feed. Its messages are shared with all others, not copied."""

    def __init__(self, hang_up: Callable[[], None]) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_MAX)
        self._hang_up = hang_up
        self.is_dropped = False

    async def next(self) -> bytes | None:
        """The next message, or None when there will be no more."""
        return await self._waiting.get()

    def offer(self, message: bytes) -> bool:
        """Queue a message; False when too many are waiting already."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True

    def end(self, *, is_dropped: bool) -> None:
        """No more messages. One that is dropped may be stuck in sending, and loses its connection."""
        self.is_dropped = is_dropped
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)
        if is_dropped:
            self._hang_up()


class LiveFeed:
    """All browsers that are listening."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        #: Slow browsers that lost their place; they connect again by themselves.
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._clients)

    def join(self, hang_up: Callable[[], None]) -> Client:
        """A place for a browser; `hang_up` ends its connection. Raises TooManyClientsError."""
        if len(self._clients) >= CLIENTS_MAX:
            raise TooManyClientsError
        client = Client(hang_up)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """The browser has gone."""
        self._clients.discard(client)

    def send(self, message: bytes) -> None:
        """Hand one message to all; who has too many waiting is dropped."""
        for client in [client for client in self._clients if not client.offer(message)]:
            self._clients.discard(client)
            self.dropped += 1
            client.end(is_dropped=True)

    def close(self) -> None:
        """End all connections in order, so that the server can stop."""
        clients, self._clients = self._clients, set()
        for client in clients:
            client.end(is_dropped=False)


def as_event(name: str, data: bytes) -> bytes:
    """One server-sent event. JSON has no line breaks, so one `data:` line holds it."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
