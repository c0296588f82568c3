"""Keys that keep the events of one person, and of people who share sessions, in one job."""

from collections.abc import Iterable

from schemas.events import PERSONLESS, Event
from stream.engine.rules import Rules

_KNOWN_MAX = 200_000
#: Links that a job keeps; with more of them one job counts everybody.
LINKS_MAX = 2_000_000
NOBODY = bytes(8)
#: Shares of people at most.
SHARES_MAX = 256


class PersonKeys:
    """Key of each event's person: 8 bytes, equal in all jobs, which run with one hash seed.

    Somebody's session goes on in the record of their visitor_id when they log in. So two ids on one
    event are linked.
    """

    def __init__(self, rules: Rules) -> None:
        self._by_user = rules.identity_is_user
        self._is_placeholder = rules.placeholder_ids.has
        #: (user_id, visitor_id) → key
        self._known: dict[tuple[str | None, str | None], bytes] = {}
        self.links: set[tuple[bytes, bytes]] = set()

    def of(self, event: Event) -> bytes:
        """Return the key of an event's person."""
        if type(event) in PERSONLESS:
            return NOBODY
        ids = event.user_id, event.visitor_id
        found = self._known.get(ids)
        if found is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            found = self._known[ids] = self._key(*ids)
        return found

    def _key(self, user: str | None, visitor: str | None) -> bytes:
        if user is not None and self._is_placeholder(user):
            user = None
        if visitor is not None and self._is_placeholder(visitor):
            visitor = None
        who = (user or visitor) if self._by_user else (visitor or user)
        if who is None:
            return NOBODY
        is_linked = self._by_user and user and visitor and user != visitor
        if is_linked and len(self.links) <= LINKS_MAX:
            self.links.add((_hashed(user or ""), _hashed(visitor or "")))
        return _hashed(who)


def _hashed(who: str) -> bytes:
    return hash(who).to_bytes(8, "little", signed=True)


def share_of(key: bytes, shares: int) -> int:
    """Return the usual share of a key."""
    return key[0] % shares


def moved_keys(links: Iterable[tuple[bytes, bytes]], shares: int) -> dict[bytes, int]:
    """Return the keys that leave their usual share, so that all linked ones are in one."""
    heads: dict[bytes, bytes] = {}

    def head(key: bytes) -> bytes:
        path = []
        while (above := heads.setdefault(key, key)) != key:
            path.append(key)
            key = above
        for one in path:
            heads[one] = key
        return key

    for one, other in links:
        heads[head(one)] = head(other)
    return {
        key: share
        for key in heads
        if (share := share_of(head(key), shares)) != share_of(key, shares)
    }
