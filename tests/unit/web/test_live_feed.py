"""Live feed: one message for all browsers, a bounded queue for each, slow ones are dropped."""

import asyncio
import gc
from collections.abc import AsyncIterator

import psutil
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from stream.web.live_feed import (
    CLIENTS_MAX,
    QUEUE_MAX,
    Client,
    LiveFeed,
    TooManyClientsError,
    as_event,
)

MIB = 1024 * 1024


async def test_all_browsers_get_the_very_same_message() -> None:
    feed = LiveFeed()
    clients = [feed.join(lambda: None) for _ in range(100)]
    message = as_event("state", b"{}")
    feed.send(message)
    assert all([await client.next() is message for client in clients])
    assert message == b"event: state\ndata: {}\n\n"


async def test_a_client_that_does_not_read_is_dropped_and_the_others_continue() -> None:
    feed, hung_up = LiveFeed(), []
    slow = feed.join(lambda: hung_up.append("slow"))
    quick = feed.join(lambda: hung_up.append("quick"))
    for number in range(QUEUE_MAX + 1):
        feed.send(b"%d" % number)
        assert await quick.next() == b"%d" % number
    assert (hung_up, slow.is_dropped, len(feed), feed.dropped) == (["slow"], True, 1, 1)
    assert await slow.next() is None


async def test_closing_ends_every_connection() -> None:
    feed, hung_up = LiveFeed(), []
    clients = [feed.join(lambda: hung_up.append(1)) for _ in range(3)]
    feed.send(b"last")
    feed.close()
    assert [await client.next() for client in clients] == [None, None, None]
    assert (len(feed), hung_up) == (0, [])


def test_the_number_of_clients_is_limited() -> None:
    feed = LiveFeed()
    for _ in range(CLIENTS_MAX):
        feed.join(lambda: None)
    with pytest.raises(TooManyClientsError):
        feed.join(lambda: None)


@pytest.fixture
async def server() -> AsyncIterator[tuple[LiveFeed, TestClient]]:
    """The feed behind a real server on loopback."""
    feed = LiveFeed()

    async def events(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        client: Client = feed.join(request.transport.abort)
        response = web.StreamResponse()
        try:
            await response.prepare(request)
            while (message := await client.next()) is not None:
                await response.write(message)
        except ConnectionError:
            pass
        finally:
            feed.leave(client)
        return response

    app = web.Application()
    app.router.add_get("/events", events)
    async with TestClient(TestServer(app)) as client:
        yield feed, client
        feed.close()


async def test_a_hundred_browsers_that_do_not_read_keep_memory_flat(
    server: tuple[LiveFeed, TestClient],
) -> None:
    feed, client = server
    async with ClientSession(read_bufsize=1024) as session:
        url = client.make_url("/events")
        answers = [await session.get(url) for _ in range(100)]
        assert len(feed) == 100
        gc.collect()
        before = psutil.Process().memory_info().rss
        # 2.4 GB if every browser had its own queue.
        for _ in range(240):
            feed.send(bytes(100_000))
            await asyncio.sleep(0.001)
        grown = psutil.Process().memory_info().rss - before
        assert (len(feed), feed.dropped) == (0, 100)
        assert grown < 120 * MIB, f"{grown / MIB:.0f} MiB"
        for answer in answers:
            answer.close()
