"""Two months of an invented shop: visits, orders, answers, subscriptions and tickets, from a seed."""

import json
import random
from collections.abc import Iterator
from typing import Any

DAYS, DAY_MS, MINUTE_MS = 60, 86_400_000, 60_000
#: 2025-04-07, a Monday.
BEGIN_MS = 1_743_984_000_000
#: Share of a weekday's visits on each day of the week.
_WEEK = (1.0, 1.05, 1.02, 0.98, 0.9, 0.6, 0.7)
_PAGES = ("/", "/shoes", "/coats", "/sale", "/help", "/shoes/trail-runner", "/coats/parka")
_COUNTRIES = ("DE", "FR", "NL", "PL", "SE")
_DEVICES, _CAMPAIGNS = ("phone", "desktop", "tablet"), ("spring", "newsletter", "search")


def shop() -> list[str]:
    """Return the events as lines, in the order of their times."""
    rng = random.Random(11)
    events = [event for day in range(DAYS) for event in _day(rng, day)]
    events.sort(key=lambda event: event["event_time"])
    return [json.dumps(event | {"event_id": f"e{n}"}) for n, event in enumerate(events)]


def _day(rng: random.Random, day: int) -> Iterator[dict[str, Any]]:
    visits = round((90 + 1.5 * day) * _WEEK[day % 7] * rng.uniform(0.92, 1.08))
    for number in range(visits):
        # Some visitors are new, others come back from the last weeks.
        oldest = max(0, 40 * (day - 20))
        person = rng.randint(oldest, 40 * (day + 1))
        time_ms = BEGIN_MS + day * DAY_MS + round(rng.gauss(14, 3.5) % 24 * 60) * MINUTE_MS
        yield from _visit(rng, f"v{person}", time_ms, f"{day}-{number}")


def _visit(rng: random.Random, who: str, time_ms: int, name: str) -> Iterator[dict[str, Any]]:
    number = int(who[1:])
    context = {
        "country": _COUNTRIES[min(number % 11, 4)], "device": _DEVICES[min(number % 5 // 2, 2)],
        "campaign": _CAMPAIGNS[number % 7 % 3],
    }  # fmt: skip

    def event(kind: str, after_s: float, **fields: Any) -> dict[str, Any]:
        about = {"type": kind, "visitor_id": who, "context": context}
        return about | {"event_time": time_ms + round(after_s * 1000)} | fields

    views = 1 if rng.random() < 0.35 else rng.randint(2, 8)
    for view in range(views):
        yield event("page_view", 40 * view, page_url=rng.choice(_PAGES))
    end = 40 * views
    if views > 2 and rng.random() < 0.3:
        yield event("add_to_cart", end, cart_id=name, item_id="shoe")
        if rng.random() < 0.4:
            revenue = round(rng.lognormvariate(4, 0.4), 2)
            yield event("order", end + 60, order_id=name, cart_id=name, revenue=revenue)
    if rng.random() < 0.03:
        score = rng.choice((10, 9, 9, 8, 7, 5, 10))
        yield event("survey_response", end + 90, survey="nps", score=score)
    if rng.random() < 0.02:
        yield event("ticket_opened", end + 10, ticket_id=name)
        yield event("ticket_resolved", end + 10 + rng.expovariate(1 / 20_000), ticket_id=name)
    if rng.random() < 0.02:
        yield event("subscription_started", end + 20, subscription_id=name, mrr=19)
