"""Listens for HTTP and answers /healthz and /readyz, for every kind of process."""

import ssl
from collections.abc import Callable

from aiohttp import web

from stream.settings.service import WebSettings

#: Returns what is wrong by check; an empty text if nothing is.
Checks = Callable[[], dict[str, str]]
_STOP_SECONDS = 2.0


class Listener:
    """A server of some routes, on loopback unless `web.host` says otherwise."""

    def __init__(self, settings: WebSettings, ready: Checks) -> None:
        self._settings = settings
        self._ready = ready
        self._runner: web.AppRunner | None = None
        self.app = web.Application()
        self.app.router.add_get("/healthz", self._healthz)
        self.app.router.add_get("/readyz", self._readyz)

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=_STOP_SECONDS)
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
        # With a password: without one, OpenSSL asks for that of an encrypted key on the terminal.
        files = self._settings.tls_certfile, self._settings.tls_keyfile or None
        context.load_cert_chain(*files, password="")
        return context

    async def _healthz(self, _: web.Request) -> web.Response:
        """Answer while the event loop runs: trouble with a server must not restart the process."""
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        checks = self._ready()
        ready = not any(checks.values())
        body = {"ready": ready, "checks": {name: text or "ok" for name, text in checks.items()}}
        return web.json_response(body, status=200 if ready else 503)
