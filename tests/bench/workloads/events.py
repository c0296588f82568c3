"""Events of a workload as records: seeded, in order of event time, keyed by person."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any

import orjson

from schemas.events import EVENT_TYPES
from tests.bench.traffic import Record
from tests.bench.workloads.people import Shape

SEED = 7
START_MS = 1_748_854_800_000  # long past, so that every clock is later
SPACING_MS = 5
PAGES = 500
CONTENTS = 50
COUNTRIES = ("US", "DE", "GB", "IN", "FR", "BR", "JP")
DEVICES = ("mobile", "desktop", "tablet")
CHANNELS = ("organic", "direct", "paid", "email")

#: Makes an event's own fields from its number, its person and a random number below 1.
Fields = Callable[[int, int, float], dict[str, Any]]


def _page(chance: float) -> str:
    return f"https://shop.example/articles/{int(chance * PAGES):04d}"


FIELDS: Mapping[str, Fields] = {
    "page_view": lambda n, person, chance: {"page_url": _page(chance)},
    "heartbeat": lambda n, person, chance: {
        "page_url": _page(chance), "engaged_ms": 5000, "scroll_depth": 40,
    },
    "impression": lambda n, person, chance: {"content_id": f"c{int(chance * CONTENTS)}"},
    "click": lambda n, person, chance: {"content_id": f"c{int(chance * CONTENTS)}"},
    "custom": lambda n, person, chance: {"name": f"n{n % 10}"},
    "feature_used": lambda n, person, chance: {"feature": f"f{n % 20}"},
    "session_start": lambda n, person, chance: {},
    "session_end": lambda n, person, chance: {},
    "subscription_started": lambda n, person, chance: {
        "subscription_id": f"s{n}", "mrr": 10, "plan": "pro",
    },
    "subscription_changed": lambda n, person, chance: {
        "subscription_id": f"s{person}", "mrr": 10 + n % 5,
    },
    "subscription_renewed": lambda n, person, chance: {"subscription_id": f"s{person}"},
    "subscription_cancelled": lambda n, person, chance: {"subscription_id": f"s{person}"},
    "subscription_ended": lambda n, person, chance: {"subscription_id": f"s{person}"},
    "add_to_cart": lambda n, person, chance: {"cart_id": f"k{person}"},
    "remove_from_cart": lambda n, person, chance: {"cart_id": f"k{person}"},
    "checkout_started": lambda n, person, chance: {"cart_id": f"k{person}"},
    "order": lambda n, person, chance: {
        "order_id": f"o{n}", "revenue": 20.5, "cart_id": f"k{person}",
    },
    "refund": lambda n, person, chance: {"order_id": f"o{n}", "revenue": 20.5},
    "goal": lambda n, person, chance: {"name": f"g{n % 5}"},
    "survey_response": lambda n, person, chance: {
        "survey": "nps", "score": int(chance * 11), "response_id": f"r{n}",
    },
    "survey_dismissed": lambda n, person, chance: {"survey": "nps"},
    "ticket_opened": lambda n, person, chance: {"ticket_id": f"t{n}"},
    "ticket_message": lambda n, person, chance: {
        "ticket_id": f"t{person}", "direction": "outgoing" if n % 2 else "incoming",
    },
    "ticket_resolved": lambda n, person, chance: {"ticket_id": f"t{person}"},
    "ticket_reopened": lambda n, person, chance: {"ticket_id": f"t{person}"},
    "social_impression": lambda n, person, chance: {"post_id": f"p{n % 30}", "network": "x"},
    "social_engagement": lambda n, person, chance: {
        "post_id": f"p{n % 30}", "network": "x", "kind": "like",
    },
    "social_reach": lambda n, person, chance: {"post_id": f"p{n % 30}", "network": "x"},
    "social_followers": lambda n, person, chance: {"network": "x", "count": n % 1000},
    "marketing_spend": lambda n, person, chance: {"channel": "ads", "amount": 3.5},
}  # fmt: skip


@lru_cache(maxsize=420)  # all combinations
def _context(country: int, device: int, channel: int) -> dict[str, str]:
    return {
        "country": COUNTRIES[country], "device": DEVICES[device], "channel": CHANNELS[channel],
    }  # fmt: skip


def records(shape: Shape, events: int, seed: int = SEED) -> Iterator[tuple[str, Record]]:
    """Yield the role of the topic and the record of each event: the same bytes for the same seed."""
    rng = Random(seed)
    chance, dumps = rng.random, orjson.dumps
    roles = {name: one.role for name, one in EVENT_TYPES.items()}
    personless = {name for name, one in EVENT_TYPES.items() if not one.has_person}
    for number, (person, event_type) in enumerate(islice(shape(rng, events), events)):
        moment_ms = START_MS + number * SPACING_MS
        visitor = f"visitor-{person:08d}"
        event = {
            "type": event_type,
            "event_id": f"workload-{number:09d}-0000-4000-8000",
            "event_time": moment_ms,
            "visitor_id": visitor,
            "site": "shop",
            "context": _context(person % 7, person % 3, person % 4),
            **FIELDS[event_type](number, person, chance()),
        }
        if event_type in personless:
            del event["visitor_id"]
        yield roles[event_type], Record(visitor.encode(), dumps(event), moment_ms)
