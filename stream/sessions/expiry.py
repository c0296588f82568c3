"""Expiry of open sessions: people with sessions to close, and how far every session has closed.

A person is stored when an event changes them, and not again when their session closes: whether it has
closed follows from its expiry and `closed_to_ms`. So people who come once are written once.
"""

import heapq
from collections.abc import Mapping


class SessionExpiry:
    """Index of people by the expiry of their open sessions. An entry may be early, never late."""

    def __init__(self) -> None:
        #: (time in epoch ms from which a session may close, key of its person).
        self._heap: list[tuple[int, str]] = []
        #: People taken from the heap whose sessions are not closed yet: key → expiry.
        self._taken: dict[str, int] = {}
        #: People whose closed session `closed_to_ms` must cover: key → expiry.
        self._implied: dict[str, int] = {}
        #: Every session with an earlier expiry has closed, except OVERDUE ones. Never goes back.
        self.closed_to_ms = 0

    def load(self, opened: Mapping[str, tuple[int, int]], closed_to_ms: int) -> None:
        """Restore the expiry of each person with open sessions."""
        for key, (expires_ms, _) in opened.items():
            heapq.heappush(self._heap, (expires_ms, key))
        self.closed_to_ms = closed_to_ms

    def track(self, key: str, expires_ms: int) -> None:
        """Add the expiry of a session of a person."""
        heapq.heappush(self._heap, (expires_ms, key))

    def take_due(self, watermark_ms: int, limit: int) -> list[str]:
        """Take up to `limit` people with a session that may close by the watermark, the earliest first."""
        keys: list[str] = []
        heap, taken = self._heap, self._taken
        while heap and heap[0][0] < watermark_ms and len(keys) < limit:
            expires_ms, key = heapq.heappop(heap)
            keys.append(key)
            taken[key] = min(expires_ms, taken.get(key, expires_ms))
        return keys

    def is_done(self, key: str) -> None:
        """Note that the sessions of a taken person are closed, as far as they are due."""
        self._taken.pop(key, None)

    def imply(self, key: str, expires_ms: int) -> None:
        """Note a session that has closed, and whose person is not stored again for that."""
        self._implied[key] = expires_ms

    def move_on(self, watermark_ms: int) -> list[str]:
        """Move `closed_to_ms` as far as every session has closed.

        Return the people with a closed session beyond it, who must be stored.
        """
        reached_ms = watermark_ms
        if self._heap:
            reached_ms = min(reached_ms, self._heap[0][0])
        if self._taken:
            reached_ms = min(reached_ms, *self._taken.values())
        self.closed_to_ms = closed_to_ms = max(reached_ms, self.closed_to_ms)
        beyond = [key for key, expires in self._implied.items() if expires >= closed_to_ms]
        self._implied = {}
        return beyond
