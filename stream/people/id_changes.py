"""Sessions and carts that go on under another person: seen by their ids, at the cost of a look-up each.

Somebody logs in, and their events carry a user_id from then on. A log keyed by persons then has the parts
of the session in two shards. A shard sees only the changes whose parts both come to it, so its count is a
lower bound: of N partitions about one change in N is seen.
"""

from typing import NamedTuple

from stream.people.keys import split_key

#: Ids known at least; twice as many at most.
IDS_MAX = 10_000
#: Stands for the person of an id that has been counted.
COUNTED = ""


class IdChangeCounts(NamedTuple):
    """Sessions and carts with events of more than one person."""

    sessions: int
    carts: int


class IdOwners:
    """The person of each id of late: session id or cart id → person key."""

    def __init__(self, ids_max: int) -> None:
        self._ids_max = ids_max
        #: The hot loop looks here first, and calls `note` if another person or none stands here.
        self.young: dict[str, str] = {}
        self._old: dict[str, str] = {}
        self.changes = 0

    def note(self, one: str, key: str) -> None:
        """Note an event of an id by a person; count the id once if it was another's before."""
        known = self.young.get(one)
        if known is None:
            known = self._old.get(one)
        if known == COUNTED:
            key = COUNTED
        elif known is not None and known != key and split_key(known)[0] == split_key(key)[0]:
            self.changes += 1
            key = COUNTED
        self.young[one] = key
        if len(self.young) >= self._ids_max:
            self._old, self.young = self.young, {}

    def known(self) -> dict[str, str]:
        """Return the person key of each id of late, or COUNTED."""
        return {**self._old, **self.young}


class IdChanges:
    """The changes of a shard, or of all shards of a report. Not stored: a restart forgets the ids."""

    def __init__(self, ids_max: int = IDS_MAX) -> None:
        self.sessions = IdOwners(ids_max)
        self.carts = IdOwners(ids_max)

    def take_counts(self) -> IdChangeCounts:
        """Give up the counts since the last call."""
        counts = IdChangeCounts(self.sessions.changes, self.carts.changes)
        self.sessions.changes = self.carts.changes = 0
        return counts
