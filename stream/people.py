"""What is kept about a person on a site: active days and minutes, sessions, subscription events."""

from collections.abc import Mapping
from typing import Any

import msgspec

from stream.marks import Mark, trim
from stream.names import Profile
from stream.sessions import Session

#: Days kept in a mark before the oldest acceptable event: the calendar month before its month.
MARK_DAYS = 61

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_WIDE = 63


class Person:
    """One person of one site. All marks are by the id of the profile that the events carried."""

    __slots__ = (
        "active", "active_profile", "active_slot", "clicked", "first", "key", "live",
        "live_minute", "live_profile", "sessions", "subscriptions", "tail",
    )  # fmt: skip

    def __init__(self, key: str) -> None:
        self.key = key
        #: Profile id → first active day.
        self.first: dict[int, int] = {}
        self.active: dict[int, Mark] = {}
        self.clicked: dict[int, Mark] = {}
        self.live: dict[int, Mark] = {}
        self.sessions: list[Session] = []
        self.subscriptions: list[tuple[Any, ...]] = []
        # What the last event already marked: lets the usual event skip the marks. Not stored.
        self.active_slot = -1
        self.active_profile: Profile | None = None
        self.live_minute = -1
        self.live_profile: Profile | None = None
        #: The session touched last. Not stored.
        self.tail: Session | None = None


def pack(person: Person, oldest_day: int, oldest_minute: int, oldest_session_ms: int) -> bytes:
    """A person as msgpack, without what no acceptable event can touch any more.

    `oldest_day` and `oldest_minute` bound the marks; sessions closed with an end before
    `oldest_session_ms` are left out.
    """
    kept = [s for s in person.sessions if not s.closed or s.end >= oldest_session_ms]
    if len(kept) != len(person.sessions):
        person.sessions = kept
        if person.tail not in kept:
            person.tail = None
    live = {p: trim(m, oldest_minute) for p, m in person.live.items() if m[0] >= oldest_minute}
    person.live = live
    if not live:
        person.live_profile = None
    fields = [
        [_numbers(p, f, *trim(person.active[p], oldest_day)) for p, f in person.first.items()],
        [_numbers(p, *m) for p, m in live.items()],
        [s.pack() for s in kept],
        [_numbers(p, *trim(m, oldest_day)) for p, m in person.clicked.items()],
        person.subscriptions,
    ]
    while fields and not fields[-1]:
        fields.pop()
    return _encode(fields)


def unpack(key: str, raw: bytes) -> Person:
    """The person that `pack` wrote. Raises msgspec.DecodeError on anything else."""
    person = Person(key)
    fields = _decode(raw)
    active, live, sessions, clicked, subscriptions = (*fields, *([()] * (5 - len(fields))))
    for profile_id, first, top, mask in active:
        person.first[profile_id] = first
        person.active[profile_id] = (top, _mask(mask))
    person.live = {profile_id: (top, _mask(mask)) for profile_id, top, mask in live}
    person.clicked = {profile_id: (top, _mask(mask)) for profile_id, top, mask in clicked}
    person.sessions = [Session.unpack(fields) for fields in sessions]
    person.subscriptions = [tuple(event) for event in subscriptions]
    return person


def _numbers(*numbers: int) -> tuple[int | bytes, ...]:
    # msgpack's integers end at 64 bits; a longer mask (a wide skew between topics) goes as bytes.
    *head, mask = numbers
    if mask.bit_length() <= _WIDE:
        return numbers
    return (*head, mask.to_bytes((mask.bit_length() + 7) // 8, "big"))


def _mask(stored: int | bytes) -> int:
    return stored if isinstance(stored, int) else int.from_bytes(stored, "big")


class PeopleCache:
    """People in memory: two generations, of which the older is dropped when the younger is full.

    A person whose changes are not in Redis yet is held by `dirty` (changed since the last cut) or
    `in_flight` (in the cut under way) and so is never lost by an eviction.
    """

    def __init__(self, cached_max: int) -> None:
        self._half = max(cached_max // 2, 1)
        self.young: dict[str, Person] = {}
        self.old: dict[str, Person] = {}
        self.dirty: dict[str, Person] = {}
        self.in_flight: Mapping[str, Person] = {}
        self.evictions = 0

    def get(self, key: str) -> Person | None:
        """A person in memory, now among the young; None when they must be read (or are new)."""
        person = self.young.get(key)
        if person is None:
            person = self.old.get(key) or self.dirty.get(key) or self.in_flight.get(key)
            if person is not None:
                self.put(person)
        return person

    def put(self, person: Person) -> None:
        """Take a person in. What was read must never replace what is here: ask `get` first."""
        self.young[person.key] = person

    def settle(self) -> None:
        """Evict, if it is time: between batches only, so that no one admitted for a batch goes missing."""
        if len(self.young) > self._half:
            self.evictions += len(self.old)
            self.old, self.young = self.young, {}
