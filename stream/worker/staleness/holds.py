"""Reasons why numbers are not live: held while they last, said once in the log at both ends."""

import logging

from stream.publish.staleness import OVER, Stale, StaleReason
from stream.worker.clock import now_ms

_log = logging.getLogger(__name__)


class Holds:
    """The reasons that one part of a worker has found."""

    def __init__(self) -> None:
        self._held: dict[StaleReason, Stale] = {}

    def __contains__(self, reason: StaleReason) -> bool:
        """Return whether a reason holds."""
        return reason in self._held

    def text(self, reason: StaleReason) -> str:
        """Return the text of a reason; empty if it does not hold."""
        held = self._held.get(reason)
        return held.text if held else ""

    @property
    def stale(self) -> list[Stale]:
        """The reasons, with their texts and times."""
        return list(self._held.values())

    def hold(self, reason: StaleReason, text: str, since_ms: int = 0) -> None:
        """Note that the numbers are not live until `release`; `text` says why, and how to mend it.

        `since_ms` is given if the cause began before it was noticed.
        """
        known = self._held.get(reason)
        if known is None and reason is not StaleReason.STARTING:
            _log.warning("numbers are not live: %s", text, extra={"reason": str(reason)})
        since_ms = known.since_ms if known else since_ms or now_ms()
        self._held[reason] = Stale(str(reason), since_ms, text)

    def release(self, reason: StaleReason) -> None:
        """Note that a reason of `hold` is over."""
        known = self._held.pop(reason, None)
        if known is not None and reason is not StaleReason.STARTING:
            seconds = max(now_ms() - known.since_ms, 0) / 1000
            _log.info("%s after %.1f s", OVER[reason], seconds, extra={"reason": str(reason)})

    def note(self, reason: StaleReason, text: str, since_ms: int = 0) -> None:
        """Hold a reason if there is a text, else release it."""
        if text:
            self.hold(reason, text, since_ms)
        else:
            self.release(reason)
