"""Events of weeks for every kind of number: simulated sessions, and each type of event in turn."""

import heapq
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from agents.simulation.traffic import Traffic
from tests.properties.engine import LogRecord

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
#: An afternoon, when simulated people are awake.
NOW_MS = 1_749_654_000_000
WEEK_MS = 7 * DAY_MS
DAYS = 40
Spans = tuple[tuple[int, int], tuple[int, int]]
#: (first moment, last moment) with enough traffic for usual values to be valid.
BUSY: Spans = (
    (NOW_MS - WEEK_MS - 52 * MINUTE_MS, NOW_MS - WEEK_MS + 36 * MINUTE_MS),
    (NOW_MS - 36 * MINUTE_MS, NOW_MS),
)
#: Events a second in the busy spans, and in the rest of the week.
BUSY_RATE, QUIET_RATE = 3.0, 0.02
_CAMPAIGNS, _VARIANTS = ("spring", "autumn"), ("control", "treatment")


def log(
    busy: Spans = BUSY, rate: float = BUSY_RATE, spike_at_ms: int | None = None
) -> list[LogRecord]:
    """Return everything in its order of arrival in Kafka; a spike is one of bounces."""
    past_to = NOW_MS - 8 * DAY_MS
    quiet = Traffic(1, QUIET_RATE)
    sources = [
        _sent(quiet.history(DAYS - 8, past_to, events_max=8_000)),
        _sent(quiet.between(past_to, NOW_MS)),
        _rare_events(),
    ]
    spike: Any = {"spike": "bounce", "spike_at_ms": spike_at_ms} if spike_at_ms else {}
    for seed, (start_ms, end_ms) in enumerate(busy, start=2):
        sources.append(_sent(Traffic(seed, rate, **spike).between(start_ms, end_ms)))
    merged = heapq.merge(*sources, key=lambda event: event[0])
    return [LogRecord(offset, time_ms, raw) for offset, (time_ms, raw) in enumerate(merged)]


def _sent(records: Any) -> Iterator[tuple[int, bytes]]:
    """Yield (arrival, bytes): sessions also belong to a campaign and see a variant."""
    arrival_ms = 0
    for record in records:
        try:
            event = msgspec.json.decode(record.raw)
            arrival_ms = max(arrival_ms, event["event_time"])
        except (msgspec.DecodeError, ValueError, KeyError):
            yield arrival_ms, record.raw  # Spoiled on purpose.
            continue
        number = sum(event["visitor_id"].encode())
        event["context"] |= {
            "campaign": _CAMPAIGNS[number % 2],
            "variant": _VARIANTS[number // 2 % 2],
        }
        yield arrival_ms, msgspec.json.encode(event)


def _rare_events() -> Iterator[tuple[int, bytes]]:
    """Yield types that sessions rarely or never have: each day some people send all of them."""
    rng = random.Random(7)
    for day in range(DAYS):
        start_ms = NOW_MS - (DAYS - day) * DAY_MS + 30 * MINUTE_MS
        # Also in each of the last hours, so that the current hour has them.
        for hour in range(0, 24, 1 if day == DAYS - 1 else 6):
            for number in range(2):
                yield from _errand(rng, start_ms + hour * HOUR_MS, f"{day}-{hour}-{number}", number)


def _errand(
    rng: random.Random, start_ms: int, name: str, person: int
) -> Iterator[tuple[int, bytes]]:
    """Yield one person's purchase, survey, ticket and post, ten seconds apart."""
    cart, order, ticket = f"c-{name}", f"o-{name}", f"t-{name}"
    url = "https://default.example/pricing"
    abandons = rng.random() < 0.5
    steps: list[dict[str, Any]] = [
        {"type": "page_view", "page_url": url},
        {"type": "heartbeat", "page_url": url, "engaged_ms": 8_000, "scroll_depth": 80},
        {"type": "page_view", "page_url": "https://default.example/cart"},
        {"type": "impression", "content_id": "teaser-1"},
        {"type": "click", "content_id": "teaser-1", "page_url": url},
        {"type": "custom", "name": "video_played"},
        {"type": "feature_used", "feature": "search"},
        {"type": "add_to_cart", "cart_id": cart, "revenue": 20},
        {"type": "checkout_started", "cart_id": cart, "revenue": 20},
    ]
    if not abandons:
        steps.append({"type": "order", "order_id": order, "cart_id": cart, "revenue": 20})
        steps.append({"type": "goal", "name": "signup", "value": 1})
        steps.append({"type": "refund", "order_id": order, "revenue": 2})
    steps += [
        {"type": "survey_response", "survey": "nps", "score": rng.choice((10, 9, 8, 3))},
        {"type": "survey_response", "survey": "csat", "score": rng.choice((5, 4, 2))},
        {"type": "survey_response", "survey": "ces", "score": rng.choice((5, 4, 2))},
        {"type": "survey_response", "survey": "rating", "score": rng.choice((5, 4, 2))},
        {"type": "survey_dismissed", "survey": "nps"},
        {"type": "ticket_opened", "ticket_id": ticket},
        {"type": "ticket_message", "ticket_id": ticket, "direction": "incoming"},
        {"type": "ticket_message", "ticket_id": ticket, "direction": "outgoing", "author": "agent"},
        {"type": "ticket_resolved", "ticket_id": ticket},
        {"type": "ticket_reopened", "ticket_id": ticket},
        {"type": "ticket_resolved", "ticket_id": ticket},
        {"type": "social_impression", "post_id": "post-1", "network": "mastodon"},
        {"type": "social_engagement", "post_id": "post-1", "network": "mastodon", "kind": "like"},
        {"type": "marketing_spend", "channel": "paid", "amount": 5, "campaign": "spring"},
        {"type": "subscription_started", "subscription_id": f"s-{name}", "plan": "pro", "mrr": 20},
        {"type": "subscription_changed", "subscription_id": f"s-{name}", "plan": "pro", "mrr": 30},
    ]
    if person:
        steps.append({"type": "subscription_ended", "subscription_id": f"s-{name}"})
    context = {
        "country": "DE", "device": "mobile", "channel": "paid",
        "campaign": _CAMPAIGNS[person], "variant": _VARIANTS[person],
    }  # fmt: skip
    for number, fields in enumerate(steps):
        time_ms = start_ms + number * 10_000
        common = {
            "event_id": f"{name}-{number}",
            "event_time": time_ms,
            "visitor_id": f"v-{name}",
            "user_id": f"u-{name}",
            "context": context,
        }
        yield time_ms, msgspec.json.encode(fields | common)
