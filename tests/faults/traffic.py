"""Seeded traffic of one site: sessions, clicks, customers; some records are repeated, too late, or invalid."""

import json
import random
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from tests.faults.fleet import PARTITIONS, Record

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
#: Repeats follow within this time of their partition: well within every dedupe window.
REPEAT_WITHIN_MS = 4 * HOUR_MS
#: Setting for Fleet.
DEDUPE_SECONDS = "21600"
COUNTRIES = ("DE", "FR", "IN", "US")
MALFORMED = (
    b"", b"{", b'{"type":"page_view","event_id":"x"}', b'{"type":"nonsense","event_id":"y"}',
    b'{"type":"click","event_id":"z","event_time":1700000000000}', b"\xff\xfe\x00",
)  # fmt: skip
REPEATED, LATE, BROKEN, OUT_OF_ORDER = 0.02, 0.004, 0.01, 0.2

Event = dict[str, Any]


def views_now(name: str, key: bytes = b"k") -> list[Record]:
    """Return a current page view for every partition; `name` makes their ids unique."""
    now_ms = time.time_ns() // 1_000_000
    found = []
    for partition in range(PARTITIONS):
        event = {"type": "page_view", "page_url": "/", "event_id": f"{name}-{partition}",
                 "event_time": now_ms, "visitor_id": f"v{partition}"}  # fmt: skip
        found.append(Record("page_views", partition, key, json.dumps(event).encode()))
    return found


class Traffic:
    """`count` records whose event times spread over `days` days from `start_ms`."""

    def __init__(
        self, seed: int, count: int, start_ms: int, days: int, people: int = 2_000
    ) -> None:
        self._rng = random.Random(seed)
        self._count, self._start_ms, self._length_ms = count, start_ms, days * DAY_MS
        self._people = people
        #: People on the site now, each with the id of the session.
        self._here = [self._arrival(number) for number in range(40)]
        self._subscribed: dict[int, str] = {}
        self._clock: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._recent: defaultdict[tuple[str, int], deque[tuple[int, Record]]] = defaultdict(
            lambda: deque(maxlen=20)
        )

    def records(self) -> Iterator[Record]:
        """Yield all records, in the order of sending."""
        rng = self._rng
        for number in range(self._count):
            now_ms = self._start_ms + self._length_ms * number // self._count
            if rng.random() < BROKEN:
                role = rng.choice(("page_views", "clicks", "subscriptions"))
                yield Record(role, rng.randrange(PARTITIONS), None, rng.choice(MALFORMED))
            elif rng.random() < REPEATED and (again := self._repeat()):
                yield again
            else:
                yield self._fresh(number, now_ms)

    def _fresh(self, number: int, now_ms: int) -> Record:
        rng = self._rng
        place = rng.randrange(len(self._here))
        if rng.random() < 0.1:
            self._here[place] = self._arrival(number)
        person, session_id = self._here[place]
        role, fields = self._what(person, number)
        event: Event = {**fields, "event_id": f"e{number}", "event_time": self._when(now_ms)}
        event |= self._who(person)
        if session_id is not None and role != "subscriptions":
            event["session_id"] = session_id
        key = event.get("user_id") or event["visitor_id"]
        partition = zlib.crc32(key.encode()) % PARTITIONS
        if rng.random() < LATE and (clock := self._clock[role, partition]):
            event["event_time"] = clock - DAY_MS - rng.randrange(6, 300) * MINUTE_MS
        record = Record(role, partition, key.encode(), json.dumps(event).encode())
        clock = self._clock[role, partition] = max(
            self._clock[role, partition], event["event_time"]
        )
        self._recent[role, partition].append((clock, record))
        return record

    def _arrival(self, number: int) -> tuple[int, str | None]:
        person = int(self._people * self._rng.random() ** 1.5)
        return person, f"s{number}" if person % 4 == 0 else None

    def _when(self, now_ms: int) -> int:
        if self._rng.random() < OUT_OF_ORDER:
            return now_ms - self._rng.randrange(30 * MINUTE_MS)
        return now_ms

    def _who(self, person: int) -> Event:
        who = {"visitor_id": f"v{person}", "context": {"country": COUNTRIES[person % 4]}}
        return who if person % 2 else {**who, "user_id": f"u{person}"}

    def _what(self, person: int, number: int) -> tuple[str, Event]:
        chance = self._rng.random()
        if chance < 0.55:
            return "page_views", {"type": "page_view", "page_url": f"/{number % 50}"}
        if chance < 0.60:
            return "page_views", {"type": "heartbeat", "page_url": "/"}
        if chance < 0.80:
            return "clicks", {"type": "impression", "content_id": f"c{number % 20}"}
        if chance < 0.90:
            return "clicks", {"type": "click", "content_id": f"c{number % 20}"}
        if chance < 0.94:
            return "clicks", {"type": "click", "page_url": "/"}
        return "subscriptions", self._subscription(person, number)

    def _subscription(self, person: int, number: int) -> Event:
        rng = self._rng
        current = self._subscribed.get(person)
        mrr = rng.choice((9.99, 20, 49.5))
        if current is None:
            current = self._subscribed[person] = f"sub{number}"
            return {"type": "subscription_started", "subscription_id": current, "mrr": mrr}
        if rng.random() < 0.5:
            return {"type": "subscription_changed", "subscription_id": current, "mrr": mrr}
        del self._subscribed[person]
        return {"type": "subscription_ended", "subscription_id": current}

    def _repeat(self) -> Record | None:
        tp = self._rng.choice(list(self._recent) or [("", 0)])
        fresh = [r for clock, r in self._recent[tp] if self._clock[tp] - clock < REPEAT_WITHIN_MS]
        return self._rng.choice(fresh) if fresh else None
