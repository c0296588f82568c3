"""The HTTP server of a worker: pages for people and programs, /metrics for Prometheus, /healthz and /readyz."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from aiohttp import web

from stream.settings.application import Settings
from stream.web.exporter import Exporter
from stream.web.live_routes import LivePages
from stream.web.query_routes import QueryPage

_log = logging.getLogger(__name__)
#: Returns what is wrong by check; an empty text if nothing is.
Checks = Callable[[], dict[str, str]]
_STOP_SECONDS = 2.0


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
        self._settings = settings.web
        self._exporter = exporter
        self._ready = ready
        self._live = live
        self._queries = queries
        self._runner: web.AppRunner | None = None
        self._updates: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._live.add_routes(app.router)
        if self._queries is not None:
            self._queries.add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._settings.host, self._settings.port, ssl_context=self._tls()
        )
        await site.start()
        # Not among the worker's own tasks: a failure of the page must not end the counting.
        self._updates = asyncio.create_task(self._live.run(), name="live")
        self._updates.add_done_callback(self._note_end)

    async def stop(self) -> None:
        """Stop listening."""
        if self._updates is not None:
            self._updates.cancel()
        self._live.feed.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _note_end(self, updates: "asyncio.Task[None]") -> None:
        if not updates.cancelled() and (error := updates.exception()):
            _log.error(
                "the live page has failed; restart the worker to see it again", exc_info=error
            )
            self._live.feed.close()

    def _tls(self) -> ssl.SSLContext | None:
        if not self._settings.tls_certfile:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # With a password: without one, OpenSSL asks for that of an encrypted key on the terminal.
        files = self._settings.tls_certfile, self._settings.tls_keyfile or None
        context.load_cert_chain(*files, password="")
        return context

    async def _metrics(self, request: web.Request) -> web.Response:
        # In a thread: rendering thousands of series would delay the folding.
        accept = request.headers.get("Accept", "")
        # Scrapers name the version of the format that they accept; browsers do not.
        if "version=" in accept:
            self._live.pipeline.note_scrape()
        page, content_type = await asyncio.to_thread(self._exporter.render, accept)
        return web.Response(body=page, headers={"Content-Type": content_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        """Answer while the event loop runs: trouble with Redis must not restart the worker."""
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        checks = self._ready()
        ready = not any(checks.values())
        body = {"ready": ready, "checks": {name: text or "ok" for name, text in checks.items()}}
        return web.json_response(body, status=200 if ready else 503)
