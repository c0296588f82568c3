"""The worker's own pages: /metrics for Prometheus, /healthz and /readyz for whoever keeps it running."""

import asyncio
import ssl
from collections.abc import Callable

from aiohttp import web

from stream.exporter import Exporter
from stream.settings import Settings

#: Check → what is wrong; empty text when nothing is.
Checks = Callable[[], dict[str, str]]


class Web:
    """A small HTTP server, on loopback unless the settings say otherwise."""

    def __init__(self, settings: Settings, exporter: Exporter, ready: Checks) -> None:
        self._settings = settings.web
        self._exporter = exporter
        self._ready = ready
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._settings.host, self._settings.port, ssl_context=self._tls()
        )
        await site.start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _tls(self) -> ssl.SSLContext | None:
        if not self._settings.tls_certfile:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._settings.tls_certfile, self._settings.tls_keyfile or None)
        return context

    async def _metrics(self, request: web.Request) -> web.Response:
        # In a thread: rendering thousands of series would hold up the folding.
        accept = request.headers.get("Accept", "")
        page, content_type = await asyncio.to_thread(self._exporter.render, accept)
        return web.Response(body=page, headers={"Content-Type": content_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        """The event loop answers; nothing else is asked, so that Redis' trouble restarts no worker."""
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        checks = self._ready()
        ready = not any(checks.values())
        body = {"ready": ready, "checks": {name: text or "ok" for name, text in checks.items()}}
        return web.json_response(body, status=200 if ready else 503)
