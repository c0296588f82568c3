"""Finds the person who sends most of a shard's events, from a sample of bounded size."""

from collections import Counter
from collections.abc import Sequence
from random import Random

from stream.people.person import Person, person_field
from stream.publish.snapshot import HeavyPerson

#: A sample stands for one to two of these: for longer than scrapes are apart.
_KEPT_MS = 60_000
#: Most events kept of each of two samples.
_KEPT_MAX = 1_000
#: Fewer events say nothing about shares.
_EVENTS_MIN = 50
#: Share of a shard's events from which a person is heavy.
HEAVY_RATIO = 0.1
#: Hexadecimal digits of a digest: enough to tell the people of a shard apart.
_DIGITS = 16
#: Stands for events without a person.
_NOBODY = ""


class Sample:
    """Keys of the people of some events of a stream, each event equally likely."""

    def __init__(self, began_ms: int) -> None:
        self.began_ms = began_ms
        #: All events, also those that were not kept.
        self.events = 0
        self.keys: list[str] = []
        #: Mean distance of two kept events. It doubles when the sample is full.
        self._every = 1
        #: Events to pass before the next one is kept.
        self._passed = 0
        self._random = Random(1)

    def note(self, people: Sequence[Person | None]) -> None:
        """Keep some of a slice's events: a step for each kept one, none for the others."""
        place = self._passed
        while place < len(people):
            person = people[place]
            self.keys.append(person.key if person is not None else _NOBODY)
            if len(self.keys) >= _KEPT_MAX:
                self.keys = self.keys[::2]
                self._every *= 2
            # Not at equal distances: people who send in turn would be missed, or be all there is.
            place += self._random.randint(1, 2 * self._every - 1)
        self._passed = place - len(people)
        self.events += len(people)


class HeaviestPerson:
    """Two samples of a shard's events: of the time before, and of the present."""

    def __init__(self) -> None:
        self._before = Sample(0)
        self._now = Sample(0)

    def note(self, people: Sequence[Person | None], now_ms: int) -> None:
        """Note the people of a slice, as it is counted."""
        if now_ms - self._now.began_ms >= _KEPT_MS:
            is_gap = now_ms - self._now.began_ms >= 2 * _KEPT_MS
            self._before = Sample(now_ms) if is_gap else self._now
            self._now = Sample(now_ms)
        self._now.note(people)

    def find(self, partition: int, now_ms: int) -> HeavyPerson | None:
        """Return the person with the most events; None without people, or after few events."""
        if now_ms - self._now.began_ms >= 2 * _KEPT_MS:
            return None
        samples = [sample for sample in (self._before, self._now) if sample.keys]
        events = sum(sample.events for sample in samples)
        shares: dict[str, float] = {}
        for sample in samples:
            weight = sample.events / len(sample.keys) / max(events, 1)
            for key, times in Counter(sample.keys).items():
                shares[key] = shares.get(key, 0.0) + times * weight
        shares.pop(_NOBODY, None)
        if events < _EVENTS_MIN or not shares:
            return None
        key, ratio = max(shares.items(), key=lambda share: share[1])
        seconds = max(now_ms - min(sample.began_ms for sample in samples), 1_000) / 1_000
        return HeavyPerson(partition, person_digest(key), ratio, ratio * events / seconds)


def person_digest(key: str) -> str:
    """Return the digest of a person's key that operators see instead of the id."""
    return person_field(key).hex()[:_DIGITS]
