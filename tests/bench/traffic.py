"""Seeded page views by the contract: keyed by visitor, in order of event time."""

import random
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

import orjson

SEED = 20_250_602
START = datetime(2025, 6, 2, 9, tzinfo=UTC)  # long past, so that every clock is later
SPACING = timedelta(milliseconds=5)
VISITORS = 20_000
PAGES = 500
CHUNK = 10_000

COUNTRIES = {"US": 34, "DE": 14, "GB": 11, "IN": 11, "FR": 8, "BR": 7, "JP": 6, "ES": 5, "NL": 4}
DEVICES = {"mobile": 56, "desktop": 39, "tablet": 5}
CHANNEL_CHANGES = 0.05
CHANNELS = {"organic": 41, "direct": 24, "paid": 15, "email": 11, "social": 9}


class Record(NamedTuple):
    """Record as the producer sends it."""

    key: bytes
    value: bytes
    timestamp_ms: int


class _Weighted:
    """Values with fixed weights, drawn many at a time."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._values = list(weights)
        self._bounds = list(accumulate(weights.values()))

    def draw(self, rng: random.Random, count: int) -> list[str]:
        return rng.choices(self._values, cum_weights=self._bounds, k=count)


def _zipf(names: list[str], exponent: float) -> _Weighted:
    """Return weights by which a few names are drawn often and most rarely, as on a real site."""
    return _Weighted({name: 1 / rank**exponent for rank, name in enumerate(names, 1)})


def page_views(count: int, seed: int = SEED) -> Iterator[Record]:
    """Yield the same `count` records for the same seed, two hundred for each second of event time."""
    rng = random.Random(seed)
    visitors = _zipf([f"visitor-{number:06d}" for number in range(VISITORS)], 0.8)
    pages = _zipf([f"/articles/{number:04d}" for number in range(PAGES)], 1.1)
    # A person keeps a country and a device; the channel changes now and then.
    homes = {
        f"visitor-{number:06d}": home
        for number, home in enumerate(
            zip(
                _Weighted(COUNTRIES).draw(rng, VISITORS),
                _Weighted(DEVICES).draw(rng, VISITORS),
                _Weighted(CHANNELS).draw(rng, VISITORS),
                strict=True,
            )
        )
    }
    channels = _Weighted(CHANNELS)
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        rows = zip(
            visitors.draw(rng, size),
            pages.draw(rng, size),
            channels.draw(rng, size),
            strict=True,
        )
        for number, (visitor, page, other) in enumerate(rows, first):
            country, device, channel = homes[visitor]
            channel = other if rng.random() < CHANNEL_CHANGES else channel
            moment = START + number * SPACING
            event = {
                "type": "page_view",
                "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                "event_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "visitor_id": visitor,
                "page_url": f"https://www.example.com{page}",
                "context": {"country": country, "device": device, "channel": channel},
            }
            yield Record(visitor.encode(), orjson.dumps(event), int(moment.timestamp() * 1000))
