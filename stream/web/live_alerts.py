"""The alerts that Prometheus has pending or firing, asked for now and then, for the live page."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import msgspec

from schemas.rejection import printable

LOOK_SECONDS = 2.0
TIMEOUT_SECONDS = 3.0
ANSWER_MAX_BYTES = 2 * 1024 * 1024
ALERTS_MAX = 50
TEXT_MAX = 300
#: Prometheus forgets an alert at once when it is over; whoever looks a little later wants to know.
RESOLVED_SECONDS = 600.0
#: Every rule of ours has it; a Prometheus may hold other people's alerts as well.
OWN_LABEL = "signal"


_Labels = frozenset[tuple[str, str]]


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

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self.alerts: list[dict[str, str]] = []
        #: Labels → what fired when it was last asked, and what has ceased to: (since when, alert).
        self._firing: dict[_Labels, dict[str, str]] = {}
        self._resolved: dict[_Labels, tuple[float, dict[str, str]]] = {}
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
        shown = [_shown(alert) for alert in own[:ALERTS_MAX]]
        self.alerts = (shown + self._over(own))[:ALERTS_MAX]

    def _over(self, active: Sequence[_Alert]) -> list[dict[str, str]]:
        """Those that fired a while ago and are over, the newest first."""
        now, labels = self._clock(), {_key(alert) for alert in active}
        over = {key: shown for key, shown in self._firing.items() if key not in labels}
        self._resolved |= {key: (now, shown | {"state": "resolved"}) for key, shown in over.items()}
        self._firing = {_key(alert): _shown(alert) for alert in active if alert.state == "firing"}
        # One that is pending again, and then is not, is still one that was resolved.
        self._resolved = {
            key: (since, shown)
            for key, (since, shown) in self._resolved.items()
            if key not in self._firing and now - since < RESOLVED_SECONDS
        }
        newest = sorted(self._resolved.items(), key=lambda entry: -entry[1][0])
        return [shown for key, (_, shown) in newest if key not in labels]


def _key(alert: _Alert) -> _Labels:
    return frozenset(alert.labels.items())


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
