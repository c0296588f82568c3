"""Simulated traffic: a stream of sessions; the same seed gives the same bytes."""

import heapq
import math
import random
import uuid
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from agents.simulation.people import Population
from agents.simulation.session import Planned, SimulatedSession, cancellation, subscription
from schemas.events import EVENT_TYPES
from stream.counters.calendar import DAY_MS, HOUR_MS

Spike = Literal["bounce", "churn"]

# Measured over many sessions; converts a number of events into a number of sessions.
EVENTS_PER_SESSION = 8.5
EVENTS_PER_PAST_SESSION = 7.1
BOUNCE_SHARE = 0.38
SPIKE_BOUNCE_SHARE = 0.85
WAVE_SHARE = 0.35
NEW_SHARE = 0.45
# Sessions begin this long before the simulation, or its first minute would be too quiet.
WARM_UP_MS = 60_000
DUPLICATE_SHARE, LATE_SHARE, MALFORMED_SHARE = 0.01, 0.005, 0.002


class Trouble(NamedTuple):
    """Kind of the spike, its delay and its length."""

    kind: Spike
    after_seconds: float
    seconds: float


class Sent(NamedTuple):
    """One record for Kafka: the role of its topic, its key, its bytes and its flaw."""

    role: str
    key: bytes
    raw: bytes
    flaw: Literal["", "duplicate", "late", "malformed"] = ""


class Traffic:
    """Stream of sessions. The caller passes the time, in epoch ms.

    `rate_per_second` is the mean number of events over a day: more by day, fewer by night. A `spike`
    begins at `spike_at_ms` and lasts `spike_seconds`. bounce: 85 % of the new sessions bounce.
    churn: a third of the customers leave.
    """

    def __init__(
        self,
        seed: int,
        rate_per_second: float,
        sites: tuple[str, ...] = ("default",),
        *,
        spike: Spike | None = None,
        spike_at_ms: int = 0,
        spike_seconds: float = 300.0,
        identity: Literal["user", "visitor"] = "user",
    ) -> None:
        self._rng = random.Random(seed)
        self._sessions_per_ms = rate_per_second / EVENTS_PER_SESSION / 1000
        self._spike = spike
        self._spike_from_ms = spike_at_ms
        self._spike_to_ms = spike_at_ms + int(spike_seconds * 1000)
        self._wave_is_over = spike != "churn"
        self._identity = identity
        self._people = Population(sites, NEW_SHARE, size_max=200_000)
        self._next_session_ms: float | None = None
        # (arrival, tie-breaker, record): a late event arrives long after its time.
        self._coming: list[tuple[int, int, Sent]] = []
        self._planned = 0

    def between(self, start_ms: int, end_ms: int) -> Iterator[Sent]:
        """Yield the records that reach Kafka in [start_ms, end_ms); slices must follow one another."""
        if self._next_session_ms is None:
            self._next_session_ms = float(start_ms - WARM_UP_MS)
        while self._next_session_ms < end_ms:
            self._begin(int(self._next_session_ms))
            # Thinning: candidates come at the busiest hour's rate, and other hours drop some.
            self._next_session_ms += self._rng.expovariate(self._sessions_per_ms * BUSIEST)
        while self._coming and self._coming[0][0] < end_ms:
            yield heapq.heappop(self._coming)[2]

    def history(self, days: int, end_ms: int, events_max: int = 30_000) -> Iterator[Sent]:
        """Yield `days` days of events up to `end_ms`, for numbers that look back.

        Call it before `between`, with the same moment. Its events are in order and without flaws.
        """
        rng = self._rng
        start_ms = end_ms - days * DAY_MS
        # The live slices fill the last minutes, so that the past never runs ahead of them.
        last_ms = end_ms - 10 * WARM_UP_MS
        planned = list(self._past_customers(start_ms, last_ms))
        sessions = int((events_max - len(planned)) / EVENTS_PER_PAST_SESSION * 0.95)
        starts = sorted(int(rng.uniform(start_ms, last_ms)) for _ in range(sessions))
        for start in starts:
            bounces = rng.random() < BOUNCE_SHARE
            person = self._people.pick(rng)
            session = SimulatedSession(
                person, self._people, rng, start, bounces=bounces, heartbeats=False
            )
            planned.extend(session.events())
        planned.sort(key=lambda event: event.time_ms)
        for event in planned[:events_max]:
            yield self._record(event)

    def _past_customers(self, start_ms: int, end_ms: int) -> Iterator[Planned]:
        """Yield customers from the first days on, so that churn has a start to compare with."""
        rng = self._rng
        for _ in range(400):
            person = self._people.newcomer(rng)
            person.user_id = person.user_id or f"u-{person.visitor_id[2:]}"
            begin_ms = int(rng.uniform(start_ms, start_ms + 3 * DAY_MS))
            yield subscription(begin_ms, person, self._people, rng)
            if rng.random() < 0.045:
                leave_ms = int(rng.uniform(begin_ms + 2 * DAY_MS, end_ms))
                yield cancellation(leave_ms, person, self._people)

    def _begin(self, time_ms: int) -> None:
        rng = self._rng
        if not self._wave_is_over and time_ms >= self._spike_from_ms:
            self._wave_is_over = True
            self._wave()
        if rng.random() * BUSIEST > rhythm(time_ms):
            return
        in_spike = self._spike == "bounce" and self._spike_from_ms <= time_ms < self._spike_to_ms
        bounces = rng.random() < (SPIKE_BOUNCE_SHARE if in_spike else BOUNCE_SHARE)
        person = self._people.pick(rng)
        session = SimulatedSession(
            person, self._people, rng, time_ms, bounces=bounces, heartbeats=True
        )
        for event in session.events():
            self._plan(event)

    def _wave(self) -> None:
        """Plan that a third of the customers leave, one after the other, until the spike ends."""
        leaving = list(self._people.customers)
        self._rng.shuffle(leaving)
        leaving = leaving[: math.ceil(len(leaving) * WAVE_SHARE)]
        step_ms = (self._spike_to_ms - self._spike_from_ms) / max(1, len(leaving))
        for number, person in enumerate(leaving):
            time_ms = self._spike_from_ms + int(number * step_ms)
            self._plan(cancellation(time_ms, person, self._people))

    def _plan(self, event: Planned) -> None:
        """Choose arrival and flaw of an event; most arrive at once and without one."""
        rng, record = self._rng, self._record(event)
        luck = rng.random()
        if luck < MALFORMED_SHARE:
            broken = record._replace(raw=_broken(record.raw, rng), flaw="malformed")
            self._push(event.time_ms, broken)
            return
        luck -= MALFORMED_SHARE
        if luck < LATE_SHARE:
            self._push(event.time_ms + rng.randrange(60_000, 240_000), record._replace(flaw="late"))
            return
        self._push(event.time_ms, record)
        if luck - LATE_SHARE < DUPLICATE_SHARE:
            again = event.time_ms + rng.randrange(100, 5_000)
            self._push(again, record._replace(flaw="duplicate"))

    def _push(self, arrival_ms: int, record: Sent) -> None:
        self._planned += 1
        heapq.heappush(self._coming, (arrival_ms, self._planned, record))

    def _record(self, event: Planned) -> Sent:
        person = event.person
        fields = {
            "type": event.type,
            "event_id": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "event_time": event.time_ms,
            "visitor_id": person.visitor_id,
            "site": person.site,
            "context": person.context,
        }
        if person.user_id is not None:
            fields["user_id"] = person.user_id
        if event.session_id is not None:
            fields["session_id"] = event.session_id
        by_user = self._identity == "user" and person.user_id is not None
        key = person.user_id if by_user and person.user_id else person.visitor_id
        role = EVENT_TYPES[event.type].role
        return Sent(role, key.encode(), msgspec.json.encode(fields | event.fields))


def rhythm(time_ms: int) -> float:
    """Return traffic relative to the mean of the day: 1.6 in the afternoon, 0.4 at night (UTC)."""
    hour = time_ms % DAY_MS / HOUR_MS
    return 1 + 0.6 * math.sin((hour - 9) / 24 * 2 * math.pi)


BUSIEST = 1.6


def _broken(raw: bytes, rng: random.Random) -> bytes:
    """Return the bytes as a broken producer would send them."""
    ways = (
        raw[: rng.randrange(1, len(raw) - 1)],
        raw.replace(b'"event_time"', b'"time"'),
        raw.replace(b'"type":"', b'"type":"no_such_', 1),
        raw.replace(b'"site":"', b'"site":"\xff', 1),
        b"",
    )
    return ways[rng.randrange(len(ways))]
