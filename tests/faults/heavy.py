"""Heavy traffic: valid events in the worst shapes, such as one person who sends nearly all of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from zlib import crc32

from tests.faults.fleet import PARTITIONS, Record

START_MS = 1_740_787_200_000
KIOSK = "kiosk-of-the-north-hall"
VALUES_MAX = 200
_ROLES = {
    "page_view": "page_views",
    "heartbeat": "page_views",
    "impression": "clicks",
    "click": "clicks",
}
_ROLES |= {"feature_used": "clicks", "custom": "clicks", "social_engagement": "social"}
#: Makes the fields of an event from its number.
Fields = Callable[[int], dict[str, Any]]


class Traffic(NamedTuple):
    """One input: its events, their distance in time, and the settings that make it heavy."""

    fields: Fields
    spacing_ms: float
    settings: Mapping[str, str] = {}
    #: Partition of an event; None: by its key.
    partition: Callable[[int], int | None] = lambda n: None

    def records(self, number: int) -> Iterator[Record]:
        """Yield `number` records, keyed by their person."""
        for n in range(number):
            fields = self.fields(n)
            event = {
                "event_id": f"e{n}",
                "event_time": START_MS + int(n * self.spacing_ms),
                **fields,
            }
            key = str(fields["user_id"]).encode()
            partition = self.partition(n)
            if partition is None:
                partition = crc32(key) % PARTITIONS
            role = _ROLES.get(fields["type"], "orders")
            yield Record(role, partition, key, json.dumps(event).encode())


def _view(user: str, n: int, **more: Any) -> dict[str, Any]:
    page = f"https://shop.example/{n % 50}"
    return {"type": "page_view", "user_id": user, "page_url": page, **more}


def _of_kiosk(kinds: Callable[[int], dict[str, Any]]) -> Fields:
    """Let the kiosk send nine events of ten; the tenth is a page view of one of 500 people."""
    return lambda n: (
        _view(f"p{n // 10 % 500}", n) if n % 10 == 0 else {"user_id": KIOSK, **kinds(n)}
    )


def _by_session_id(n: int) -> dict[str, Any]:
    """Look, wait and click in sessions of 200 events."""
    kind = ("page_view", "heartbeat", "impression", "click")[n % 4]
    fields: dict[str, Any] = {"type": kind, "session_id": f"s{n // 200}"}
    return fields | ({"content_id": f"c{n % 20}"} if n % 4 > 1 else {"page_url": f"/{n % 50}"})


def _without_session_id(n: int) -> dict[str, Any]:
    fields = _by_session_id(n)
    del fields["session_id"]
    return fields


def _placed(n: int) -> dict[str, Any]:
    """Fill carts and buy them, with and without a session id, between page views."""
    kind = ("page_view", "add_to_cart", "order", "goal")[n % 4]
    own = {
        "page_view": {"page_url": f"/{n % 50}"},
        "add_to_cart": {"cart_id": f"c{n // 8}"},
        "order": {"order_id": f"o{n}", "cart_id": f"c{n // 8}", "revenue": 1},
        "goal": {"name": f"goal-{n % 5}"},
    }[kind]
    return {"type": kind, **own} | ({"session_id": f"s{n // 200}"} if n // 8 % 2 else {})


def _one_time_visitor(n: int) -> dict[str, Any]:
    return _view(f"v{n}", n, **({"session_id": f"s{n}"} if n % 2 else {}))


def _of_one_shard(n: int) -> dict[str, Any]:
    return _view(f"elsewhere-{n // 10 % 500}" if n % 10 == 0 else f"p{n % 5_000}", n)


def _in_funnel(n: int) -> dict[str, Any]:
    """View pages, a tenth of them by one reader, and buy now and then."""
    user = "reader" if n % 10 == 0 else f"p{n % 2_000}"
    if n % 50 == 1:
        return {"type": "order", "user_id": user, "order_id": f"o{n}", "revenue": 1}
    return _view(user, n)


def _at_caps(n: int) -> dict[str, Any]:
    """Name values that are all beyond the cap of their dimension, or soon will be."""
    context = {name: f"{name}-{n * 7 % 1_000}" for name in ("country", "device", "channel")}
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "page_view", "page_url": f"/{n}"},
        {"type": "impression", "content_id": f"c{n % 3_000}"},
        {"type": "click", "content_id": f"c{n % 3_000}"},
        {"type": "feature_used", "feature": f"f{n % 3_000}"},
        {"type": "goal", "name": f"g{n % 3_000}"},
        {"type": "social_engagement", "post_id": f"o{n % 3_000}", "network": f"n{n % 3_000}", "kind": "like"},
    )  # fmt: skip
    return {**kinds[n % len(kinds)], "user_id": f"p{n % 2_000}", "context": context}


_MINUTE_OF_100_000 = 0.6
_FUNNEL = [{"type": "page_view"}, {"type": "page_view"}, {"type": "order"}]
#: Name of an input → its traffic.
HEAVY: Mapping[str, Traffic] = {
    "one person, by session id": Traffic(_of_kiosk(_by_session_id), _MINUTE_OF_100_000),
    "one person, by gaps": Traffic(_of_kiosk(_without_session_id), _MINUTE_OF_100_000),
    "one person, orders and carts": Traffic(_of_kiosk(_placed), _MINUTE_OF_100_000),
    "one-time visitors": Traffic(_one_time_visitor, 5),
    "one shard": Traffic(_of_one_shard, 5, partition=lambda n: None if n % 10 == 0 else 0),
    "funnel over every page view": Traffic(
        _in_funnel, 5, {"FUNNELS": json.dumps({"read": {"steps": _FUNNEL}})}
    ),
    "values at their cap": Traffic(_at_caps, 5, {"DIMENSION_VALUES_MAX": str(VALUES_MAX)}),
}
