"""The limit on dead letters: a bad deployment must not drain a topic into the ledger."""

from dataclasses import dataclass


@dataclass(slots=True)
class RejectionLimit:
    """Judges the last `min_events` records of one topic partition at a time."""

    max_ratio: float
    min_events: int
    _records: int = 0
    _rejected: int = 0

    def passed(self, records: int, rejected: int) -> bool:
        """Note that so many records were passed, so many of them rejected. False: beyond the limit."""
        self._records += records
        self._rejected += rejected
        if self._records < self.min_events:
            return True
        within = self._rejected <= self.max_ratio * self._records
        self._records = self._rejected = 0
        return within
