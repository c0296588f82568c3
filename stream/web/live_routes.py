"""The addresses of the live page: the page, its files, its events, and the snapshot as JSON."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from stream.publish.snapshot import Snapshot
from stream.publish.staleness import Stale
from stream.web.live import LiveNumbers
from stream.web.live_alerts import AlertWatch
from stream.web.live_assets import HEADERS, TYPES, asset, page
from stream.web.live_definitions import definitions
from stream.web.live_feed import LiveFeed, TooManyClientsError, as_event
from stream.web.live_pipeline import Pipeline
from stream.worker.clock import now_ms

UPDATE_SECONDS = 1.0
_encode = msgspec.json.encode


class LivePages:
    """Builds a message from the snapshot once per second, and serves it to all browsers."""

    def __init__(
        self,
        numbers: LiveNumbers,
        alerts: AlertWatch,
        pipeline: Pipeline,
        snapshot: Callable[[], Snapshot | None],
        age_max_seconds: float,
        stale: Callable[[], list[Stale]],
    ) -> None:
        """`stale` returns the reasons why the numbers are not live."""
        self._numbers = numbers
        self._alerts = alerts
        self.pipeline = pipeline
        self._snapshot = snapshot
        self._age_max_seconds = age_max_seconds
        self._stale = stale
        self._definitions = definitions(numbers)
        self._history: tuple[int, bytes] = (-1, b"")
        self.feed = LiveFeed()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the addresses to a server."""
        router.add_get("/", self._page)
        router.add_get("/live", self._page)
        router.add_get("/live/events", self._events)
        router.add_get("/live/definitions", self._meanings)
        router.add_get("/live/assets/{name}", self._asset)
        router.add_get("/api/snapshot", self._api)

    async def run(self) -> None:
        """Keep the newest snapshot and send it to the browsers, once per second, for ever."""
        alerts = asyncio.create_task(self._alerts.run(), name="alerts")
        try:
            while True:
                began = time.monotonic()
                self.update()
                await asyncio.sleep(max(UPDATE_SECONDS - (time.monotonic() - began), 0.05))
        finally:
            alerts.cancel()

    def update(self) -> None:
        """Keep the newest snapshot, and send it if a browser is connected."""
        snapshot = self._snapshot()
        if snapshot is not None:
            self._numbers.note(snapshot)
        if len(self.feed):
            self.feed.send(as_event("state", _encode(self.state())))

    def state(self) -> dict[str, Any]:
        """Return everything that changes from one second to the next."""
        return {
            "now_ms": now_ms(),
            "age_max_seconds": self._age_max_seconds,
            "stale": [
                {"reason": one.reason, "since_ms": one.since_ms, "text": one.text}
                for one in self._stale()
            ],
            "numbers": self._numbers.state(),
            "stages": [stage._asdict() for stage in self.pipeline.stages()],
            "alerts": self._alerts.report(),
        }

    async def _events(self, request: web.Request) -> web.StreamResponse:
        def hang_up() -> None:
            if request.transport is not None:
                request.transport.abort()

        try:
            client = self.feed.join(hang_up)
        except TooManyClientsError:
            text = f"{len(self.feed)} browsers are connected, the most that a worker serves; try again later"
            return web.Response(status=503, text=text, headers={"Retry-After": "10"})
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await response.write(self._past() + as_event("state", _encode(self.state())))
            while (message := await client.next()) is not None:
                await response.write(message)
        except ConnectionError:
            pass  # The browser has disconnected.
        finally:
            self.feed.leave(client)
        return response

    def _past(self) -> bytes:
        """Return the history, encoded at most once per second for all browsers together."""
        second = int(time.monotonic())
        if self._history[0] != second:
            self._history = (second, as_event("history", _encode(self._numbers.history())))
        return self._history[1]

    async def _page(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(page)
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        file = asset(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound(text="no such file; the page is at /live")
        return web.FileResponse(file, headers=HEADERS | {"Content-Type": TYPES[file.suffix]})

    async def _meanings(self, _: web.Request) -> web.Response:
        return _json(self._definitions)

    async def _api(self, _: web.Request) -> web.Response:
        return _json({**self.state(), **self._definitions})


def _json(body: dict[str, Any]) -> web.Response:
    return web.Response(body=_encode(body), content_type="application/json", headers=HEADERS)
