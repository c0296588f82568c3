"""The pages of the intake: /metrics, /healthz, /readyz."""

from aiohttp import web

from stream.intake.telemetry import Telemetry
from stream.settings.service import WebSettings
from stream.web.listener import Listener


class Pages:
    """The HTTP server of one process, on loopback unless `web.host` says otherwise."""

    def __init__(self, settings: WebSettings, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._listener = Listener(settings, telemetry.checks)
        self._listener.app.router.add_get("/metrics", self._metrics)

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    async def _metrics(self, request: web.Request) -> web.Response:
        page, content_type = self._telemetry.render(request.headers.get("Accept", ""))
        return web.Response(body=page, headers={"Content-Type": content_type})
