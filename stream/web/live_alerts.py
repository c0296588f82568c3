"""Asks Prometheus for pending and firing alerts, for the live page."""

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
#: Prometheus forgets a resolved alert at once; the page shows it for this long.
RESOLVED_SECONDS = 600.0
#: Label of every rule of this product; a Prometheus may hold other alerts as well.
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
    """Holds the alerts of the Prometheus at `web.prometheus_url`; none if that is not set."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self.alerts: list[dict[str, str]] = []
        #: Labels → alert that was firing at the last look.
        self._firing: dict[_Labels, dict[str, str]] = {}
        #: Labels → when an alert was resolved, and the alert.
        self._resolved: dict[_Labels, tuple[float, dict[str, str]]] = {}
        #: Why Prometheus gave no answer; empty if it did.
        self.problem = ""
        self._is_known = False

    def report(self) -> dict[str, Any]:
        """Return the alerts and the state of the connection, for the page."""
        return {
            "configured": bool(self._url),
            "known": self._is_known,
            "problem": self.problem,
            "alerts": self.alerts,
        }

    async def run(self) -> None:
        """Look every few seconds, for ever; an unanswered look sets `problem`."""
        if not self._url:
            return
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self.look(session)
                await asyncio.sleep(LOOK_SECONDS)

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Ask Prometheus once."""
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
            # Drop the old alerts: they would look like live ones.
            self.alerts, self._is_known = [], False
            self.problem = f"Prometheus does not answer ({reason}); check web.prometheus_url"
            return
        self.problem, self._is_known = "", True
        own = [alert for alert in found if OWN_LABEL in alert.labels]
        own = [alert for alert in own if alert.labels.get("severity") != "none"]
        own.sort(key=lambda alert: (alert.state != "firing", alert.labels.get("alertname", "")))
        shown = [_shown(alert) for alert in own[:ALERTS_MAX]]
        self.alerts = (shown + self._recently_resolved(own))[:ALERTS_MAX]

    def _recently_resolved(self, active: Sequence[_Alert]) -> list[dict[str, str]]:
        """Return the alerts resolved a short time ago, the newest first."""
        now, labels = self._clock(), {_key(alert) for alert in active}
        ended = {key: shown for key, shown in self._firing.items() if key not in labels}
        self._resolved |= {
            key: (now, shown | {"state": "resolved"}) for key, shown in ended.items()
        }
        self._firing = {_key(alert): _shown(alert) for alert in active if alert.state == "firing"}
        # An alert that becomes pending and then inactive stays a resolved one.
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
