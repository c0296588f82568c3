"""Events with any time and any number of people, made fast enough to be sent at a rate."""

import random
from zlib import crc32

from tests.faults.fleet import PARTITIONS, Record

SITE = "shop"
PAGES, CONTENTS = 500, 50
_CONTEXTS = [
    f'{{"country":"{country}","device":"{device}","channel":"{channel}"}}'
    for country in ("US", "DE", "GB", "IN", "FR", "BR", "JP", "ES", "NL")
    for device in ("mobile", "desktop", "tablet")
    for channel in ("organic", "direct", "paid", "email", "social")
]
#: Shares of the types in mixed traffic, added up, each with the role of its topic.
_MIXED = (
    (0.60, "page_views", "page_view"),
    (0.75, "clicks", "impression"),
    (0.83, "clicks", "click"),
    (0.93, "page_views", "heartbeat"),
    (0.97, "orders", "add_to_cart"),
    (0.99, "orders", "order"),
    (1.00, "feedback", "survey_response"),
)


def visitor(number: int) -> str:
    """Return the id of a person."""
    return f"visitor-{number:08d}"


def partition_of(key: bytes) -> int:
    """Return the partition of a key."""
    return crc32(key) % PARTITIONS


def page_view(event_id: str, person: int, time_ms: int, site: str = SITE) -> Record:
    """Return a page view of a person."""
    return _event(event_id, person, time_ms, "page_views", "page_view", site)


class Visits:
    """People who come, stay for five events on average, and leave; then others come.

    `people` are all there are; `at_once` of them are on the site.
    """

    def __init__(self, people: int, at_once: int, *, mixed: bool = False, seed: int = 7) -> None:
        self._rng = random.Random(seed)
        self._people, self._is_mixed, self._seed = people, mixed, seed
        self._here = [self._rng.randrange(people) for _ in range(min(at_once, people))]
        self._sent = 0

    def next(self, time_ms: int) -> Record:
        """Return the next event."""
        chance = self._rng.random
        place = int(chance() * len(self._here))
        person = self._here[place]
        if chance() < 0.2:
            self._here[place] = int(chance() * self._people)
        self._sent += 1
        role, kind = "page_views", "page_view"
        if self._is_mixed:
            drawn = chance()
            role, kind = next((role, kind) for share, role, kind in _MIXED if drawn < share)
        return _event(f"{self._seed}-{self._sent:010d}", person, time_ms, role, kind, SITE)


def _event(event_id: str, person: int, time_ms: int, role: str, kind: str, site: str) -> Record:
    who = visitor(person)
    key = who.encode()
    value = (
        f'{{"type":"{kind}","event_id":"{event_id}","event_time":{time_ms},"visitor_id":"{who}",'
        f'"site":"{site}","context":{_CONTEXTS[person % len(_CONTEXTS)]}{_fields(kind, event_id, person)}}}'
    )
    return Record(role, partition_of(key), key, value.encode())


def _fields(kind: str, event_id: str, person: int) -> str:
    """Return the fields of a type, as JSON that follows the envelope."""
    number = crc32(event_id.encode())
    page = f',"page_url":"https://shop.example/articles/{number % PAGES:04d}"'
    if kind == "page_view":
        return page
    if kind in ("impression", "click"):
        return f',"content_id":"c{number % CONTENTS}"'
    if kind == "heartbeat":
        return f'{page},"engaged_ms":5000,"scroll_depth":40'
    if kind == "add_to_cart":
        return f',"cart_id":"k{person}"'
    if kind == "order":
        return f',"order_id":"o{event_id}","revenue":20.5,"cart_id":"k{person}"'
    return f',"survey":"nps","score":{number % 11},"response_id":"r{event_id}"'
