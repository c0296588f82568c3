"""The alerts that Prometheus has pending or firing, asked for now and then, for the live page."""

import asyncio
from typing import Any

import aiohttp
import msgspec

from schemas.rejection import printable

LOOK_SECONDS = 5.0
TIMEOUT_SECONDS = 3.0
ANSWER_MAX_BYTES = 2 * 1024 * 1024
ALERTS_MAX = 50
TEXT_MAX = 300
#: Every rule of ours has it; a Prometheus may hold other people's alerts as well.
OWN_LABEL = "signal"


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    state: str
    annotations: dict[str, str] = {}
    activeAt: str = ""  # noqa: N815  Prometheus' name


class _Alerts(msgspec.Struct):
    alerts: list[_Alert] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Alerts = msgspec.field(default_factory=_Alerts)


class AlertWatch:
    """Asks the Prometheus of the settings; without one it knows nothing and says so."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.alerts: list[dict[str, str]] = []
        #: Why there is no answer; empty while there is one.
        self.problem = ""
        self._is_known = False

    def report(self) -> dict[str, Any]:
        """As the page shows it."""
        return {
            "configured": bool(self._url),
            "known": self._is_known,
            "problem": self.problem,
            "alerts": self.alerts,
        }

    async def run(self) -> None:
        """For ever. A Prometheus that does not answer is told, and asked again."""
        if not self._url:
            return
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self.look(session)
                await asyncio.sleep(LOOK_SECONDS)

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Ask once."""
        try:
            async with session.get(f"{self._url}/api/v1/alerts") as response:
                response.raise_for_status()
                body = await response.content.read(ANSWER_MAX_BYTES)
                while (more := await response.content.read(ANSWER_MAX_BYTES)) and (
                    len(body) < ANSWER_MAX_BYTES
                ):
                    body += more
            found = msgspec.json.decode(body, type=_Answer).data.alerts
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = printable(str(error), TEXT_MAX) or type(error).__name__
            # Old alerts would look like live ones.
            self.alerts, self._is_known = [], False
            self.problem = f"Prometheus does not answer ({reason}); look at web.prometheus_url"
            return
        self.problem, self._is_known = "", True
        own = [alert for alert in found if OWN_LABEL in alert.labels]
        own = [alert for alert in own if alert.labels.get("severity") != "none"]
        own.sort(key=lambda alert: (alert.state != "firing", alert.labels.get("alertname", "")))
        self.alerts = [_shown(alert) for alert in own[:ALERTS_MAX]]


def _shown(alert: _Alert) -> dict[str, str]:
    texts = {
        "name": alert.labels.get("alertname", ""),
        "state": alert.state,
        "severity": alert.labels.get("severity", ""),
        "site": alert.labels.get("site", ""),
        "summary": alert.annotations.get("summary", ""),
        "since": alert.activeAt,
    }
    return {name: printable(text, TEXT_MAX) for name, text in texts.items()}
