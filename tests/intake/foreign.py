"""Invented records of the shape of Segment's calls, from a seed."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

T0 = 1_764_000_000_000


def call(kind: str, number: int, at_ms: int, person: str, **fields: Any) -> bytes:
    """Return a call; `number` makes its id."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    body = {
        "type": kind,
        "messageId": f"m-{number}",
        "anonymousId": person,
        "timestamp": moment.replace("+00:00", "Z"),
        "context": {"userAgent": "Mozilla/5.0", "library": {"name": "analytics.js"}},
        "properties": {"url": f"https://shop.test/p/{number % 50}", "title": "a page"},
        **fields,
    }
    return json.dumps(body).encode()


def page(number: int, at_ms: int, person: str) -> bytes:
    """Return a page call."""
    return call("page", number, at_ms, person)


def order(number: int, at_ms: int, person: str) -> bytes:
    """Return a completed order."""
    properties = {"order_id": f"o-{number}", "revenue": 10 + number % 7, "currency": "EUR"}
    return call("track", number, at_ms, person, event="Order Completed", properties=properties)


def calls(count: int, seed: int, *, begin_ms: int = T0, step_ms: int = 200) -> Iterator[bytes]:
    """Yield calls in the order of their times: pages, some orders, identify calls, 1 % broken ones."""
    chance = random.Random(seed)
    for number in range(count):
        at_ms = begin_ms + number * step_ms
        person = f"visitor-{chance.randrange(max(count // 20, 5))}"
        roll = chance.random()
        if roll < 0.01:
            yield b'{"type": "page", "messageId": "broken-%d", ' % number
        elif roll < 0.06:
            yield call("identify", number, at_ms, person)
        elif roll < 0.12:
            yield order(number, at_ms, person)
        else:
            yield page(number, at_ms, person)
