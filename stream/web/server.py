"""The HTTP server of a worker: pages for people and programs, /metrics for Prometheus, /healthz and /readyz."""

import asyncio
import logging

from aiohttp import web

from stream.settings.application import Settings
from stream.web.exporter import Exporter
from stream.web.listener import Checks, Listener
from stream.web.live_routes import LivePages
from stream.web.query_routes import QueryPage

_log = logging.getLogger(__name__)


class Web:
    """The server, on loopback unless `web.host` says otherwise."""

    def __init__(
        self,
        settings: Settings,
        exporter: Exporter,
        ready: Checks,
        live: LivePages,
        queries: QueryPage | None = None,
    ) -> None:
        self._exporter = exporter
        self._live = live
        self._updates: asyncio.Task[None] | None = None
        self._listener = Listener(settings.web, ready)
        router = self._listener.app.router
        router.add_get("/metrics", self._metrics)
        live.add_routes(router)
        if queries is not None:
            queries.add_routes(router)

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        await self._listener.start()
        # Not among the worker's own tasks: a failure of the page must not end the counting.
        self._updates = asyncio.create_task(self._live.run(), name="live")
        self._updates.add_done_callback(self._note_end)

    async def stop(self) -> None:
        """Stop listening."""
        if self._updates is not None:
            self._updates.cancel()
        self._live.feed.close()
        await self._listener.stop()

    def _note_end(self, updates: "asyncio.Task[None]") -> None:
        if not updates.cancelled() and (error := updates.exception()):
            _log.error(
                "the live page has failed; restart the worker to see it again", exc_info=error
            )
            self._live.feed.close()

    async def _metrics(self, request: web.Request) -> web.Response:
        # In a thread: rendering thousands of series would delay the folding.
        accept = request.headers.get("Accept", "")
        # Scrapers name the version of the format that they accept; browsers do not.
        if "version=" in accept:
            self._live.pipeline.note_scrape()
        page, content_type = await asyncio.to_thread(self._exporter.render, accept)
        return web.Response(body=page, headers={"Content-Type": content_type})
