"""The limit on dead letters: a bad deployment must not drain a topic into the ledger."""

import logging
from collections.abc import Sequence

from schemas.codec import RejectedEvent
from stream.engine.record import Decoded
from stream.settings.intake import LedgerSettings

_log = logging.getLogger(__name__)


class RejectionLimit:
    """Halts topics of one shard whose records are nearly all rejected.

    Each verdict is on the next `min_events` records of a topic.
    """

    def __init__(self, partition: int, settings: LedgerSettings) -> None:
        self._partition = partition
        self._settings = settings
        #: Topic → records and rejected records since the last verdict.
        self._seen: dict[str, tuple[int, int]] = {}
        #: Topics that are not read any further.
        self.halted: set[str] = set()
        #: Message about the topic halted last; empty if none is.
        self.problem = ""

    def note(self, topic: str, decoded: Sequence[Decoded]) -> None:
        """Count the records of a batch; halt the topic beyond the limit."""
        settings = self._settings
        records, rejected = self._seen.get(topic, (0, 0))
        records += len(decoded)
        rejected += len([None for item in decoded if item.__class__ is RejectedEvent])
        if records < settings.min_events:
            self._seen[topic] = records, rejected
            return
        self._seen[topic] = 0, 0
        if rejected > settings.max_ratio * records:
            self._halt(topic)

    def _halt(self, topic: str) -> None:
        self.halted.add(topic)
        self.problem = (
            f"{topic}[{self._partition}]: more than {self._settings.max_ratio:.0%} of the last "
            f"{self._settings.min_events} records were rejected, reading has stopped. Look up the "
            "reasons in the ledger topic; fix the producer or raise ledger.max_ratio, then restart"
        )
        _log.error(
            "%s[%d]: nearly all records are rejected, reading has stopped; look up the reasons in "
            "the ledger topic, fix the producer, then restart",
            topic, self._partition,
        )  # fmt: skip
