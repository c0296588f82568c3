"""Orders and reach by brute force: recount each person's events in every window.

Shares no code with the engine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.oracle.terms import Answer, Answers, EventDict, Key, Segment
from tests.oracle.time import Wall, Window

SITE = "default"
#: (segment, person, event time, amount)
Item = tuple[Segment, str, int, float]
YEAR = 365


class Purchase(NamedTuple):
    """One order and its refunds: (time, micro-units)."""

    person: str
    event: EventDict
    micros: int
    refunds: list[tuple[int, int]]


def person_of(event: EventDict) -> str:
    return str(event["user_id"])


def segments_of(event: EventDict, dimensions: Iterable[str]) -> list[Segment]:
    """Return the whole site, and the event's value of each dimension."""
    context = event.get("context") or {}
    values = [(SITE, name, context[name]) for name in dimensions if context.get(name)]
    return [(SITE, "", ""), *values]


def micros(amount: float | None) -> int:
    return round((amount or 0) * 1_000_000)


def purchases(events: Iterable[EventDict]) -> list[Purchase]:
    """Return the earliest order of each order id of a person; refunds never exceed the remaining money."""
    found: list[Purchase] = []
    ordered = sorted(events, key=lambda event: event["ms"])
    for event in ordered:
        known = [(one.person, one.event["order_id"]) for one in found]
        if event["type"] == "order" and (person_of(event), event["order_id"]) not in known:
            found.append(Purchase(person_of(event), event, micros(event.get("revenue")), []))
    for event in ordered:
        for one in found:
            same = one.person == person_of(event) and one.event["order_id"] == event.get("order_id")
            if event["type"] == "refund" and same:
                left = one.micros - sum(amount for _, amount in one.refunds)
                given = min(micros(event["revenue"]), left)
                one.refunds.append((max(event["ms"], one.event["ms"]), given))
    return found


class Windows:
    """Sums and distinct people over all windows of a site's calendar."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall

    def sums(
        self, items: Iterable[Item], kinds: Sequence[str], scale: float = 1
    ) -> dict[tuple[Segment, Window], float]:
        """Return the sum of the amounts in each window."""
        whole: dict[tuple[Segment, Window], int] = {}
        for segment, _, time_ms, amount in items:
            for kind in kinds:
                for window in self.wall.windows(kind, time_ms):
                    key = segment, window
                    whole[key] = whole.get(key, 0) + int(amount)
        return {key: total * scale if scale != 1 else total for key, total in whole.items()}

    def distinct(
        self, items: Iterable[Item], kinds: Sequence[str]
    ) -> dict[tuple[Segment, Window], float]:
        """Return how many people have an item in each window."""
        people: dict[tuple[Segment, Window], set[str]] = {}
        for segment, person, time_ms, _ in items:
            for kind in kinds:
                for window in self.wall.windows(kind, time_ms):
                    people.setdefault((segment, window), set()).add(person)
        return {key: len(found) for key, found in people.items()}


def answers_of(
    metric: str,
    top: dict[tuple[Segment, Window], float],
    bottom: dict[tuple[Segment, Window], float] | None = None,
) -> Iterator[tuple[Key, Answer]]:
    """Yield the answers of a count, or of a ratio."""
    for segment, window in {*top, *(bottom or {})}:
        below = None if bottom is None else bottom.get((segment, window), 0)
        yield Key(metric, segment, window), Answer(top.get((segment, window), 0), below)


def orders(events: Sequence[EventDict], wall: Wall, dimensions: Sequence[str]) -> Answers:
    """Orders, buyers, revenue, and the metrics derived from them in the same windows."""
    bought, windows = purchases(events), Windows(wall)

    def items(worth: Callable[[Purchase], int]) -> list[Item]:
        return [
            (segment, one.person, one.event["ms"], worth(one))
            for one in bought
            for segment in segments_of(one.event, dimensions)
        ]

    back = [
        (segment, one.person, time_ms, amount)
        for one in bought
        for segment in segments_of(one.event, dimensions)
        for time_ms, amount in one.refunds
    ]
    paid, number = items(lambda one: one.micros), items(lambda _: 1)
    first = [min(i for i in number if i[:2] == who) for who in {i[:2] for i in number}]
    net = [*paid, *((segment, who, ms, -amount) for segment, who, ms, amount in back)]
    kinds = ("day", "trailing_28d", "month", "all")
    money = windows.sums(paid, kinds, 1e-6)
    buyers = windows.distinct(number, kinds)
    counted = windows.sums(number, kinds)
    often = {key: n for key, n in counted.items() if key[1].kind != "day"}
    return dict((
        *answers_of("orders", windows.sums(number, ("hour", *kinds))),
        *answers_of("buyers", buyers),
        *answers_of("new_buyers", windows.sums(first, ("day", "month", "all"))),
        *answers_of("revenue", windows.sums(net, ("hour", *kinds), 1e-6)),
        *answers_of("refunds", windows.sums(back, kinds, 1e-6)),
        *answers_of("average_order_value", money, counted),
        *answers_of(
            "purchase_frequency", often, {key: n for key, n in buyers.items() if key in often}
        ),
        *answers_of(
            "customer_lifetime_value_historic",
            windows.sums(net, ("all",), 1e-6),
            windows.distinct(number, ("all",)),
        ),
    ))  # fmt: skip


def years(
    events: Sequence[EventDict], wall: Wall, dimensions: Sequence[str], last_days: Iterable[int]
) -> Answers:
    """Return the 365-day spending of buyers, and the number in the highest tenth or tied with it."""
    bought, found = purchases(events), {}
    segments = {s for one in bought for s in segments_of(one.event, dimensions)}
    for last in last_days:
        window = wall.day_windows("trailing_365d", last)[0]
        for segment in segments:
            spent: dict[str, int] = {}
            for one in bought:
                inside = last - YEAR < wall.day(one.event["ms"]) <= last
                if inside and segment in segments_of(one.event, dimensions):
                    gone = sum(amount for ms, amount in one.refunds if wall.day(ms) <= last)
                    spent[one.person] = spent.get(one.person, 0) + one.micros - gone
            value = Answer(sum(spent.values()) * 1e-6, len(spent))
            found[Key("customer_lifetime_value_simple", segment, window)] = value
            ranks = sorted((_rank(amount) for amount in spent.values()), reverse=True)
            tenth = [rank for rank in ranks if rank >= ranks[(len(ranks) - 1) // 10]]
            found[Key("high_value_customers", segment, window)] = Answer(len(tenth))
    return found


def _rank(amount: int) -> int:
    """Return the rank of an amount in cents: a step is the eighth root of 2."""
    cents, rank = amount // 10_000, 0
    while cents and 2**rank <= cents**8:
        rank += 1
    return rank


def reach(
    events: Iterable[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    per: str = "impression",
    weights: Mapping[str, float] = MappingProxyType({}),
) -> Answers:
    """Reactions per impression, also by post and network; money spent, also by its own channel."""
    windows = Windows(wall)

    def items(kind: str, field: str, times: int = 1) -> list[Item]:
        return [
            (segment, "", event["ms"], round(event.get(field, 1) * times * weight(event)))
            for event in events
            if event["type"] == kind and event.get("kind") != "save"
            for segment in _own_segments(event, dimensions)
        ]

    def weight(event: EventDict) -> float:
        return weights.get(event.get("kind", ""), 1) if "engagement" in event["type"] else 1

    kinds = ("day", "trailing_7d")
    engaged = items("social_engagement", "count", 1_000)
    spend = items("marketing_spend", "amount", 1_000_000)
    return dict((
        *answers_of(
            "social_engagement_rate",
            windows.sums(engaged, kinds, 1e-3),
            windows.sums(items(f"social_{per}", "count"), kinds),
        ),
        *answers_of("marketing_spend", windows.sums(spend, ("day", "trailing_28d", "month"), 1e-6)),
    ))  # fmt: skip


def followed(
    events: Sequence[EventDict],
    wall: Wall,
    dimensions: Sequence[str],
    days: Iterable[int],
    weights: Mapping[str, float],
) -> Answers:
    """Reactions per follower of all accounts, in the windows that end on the given days."""
    levels = [event for event in events if event["type"] == "social_followers"]
    reactions = reach(events, wall, dimensions, "impression", weights)
    segments = {s for e in events if e["type"] != "marketing_spend"
                for s in _own_segments(e, dimensions) if s[1] != "post"}  # fmt: skip
    found: Answers = {}
    for day in days:
        now: dict[tuple[str, str | None], EventDict] = {}
        for event in sorted(levels, key=lambda event: event["ms"]):
            if wall.day(event["ms"]) <= day:
                now[person_of(event), event.get("network")] = event
        for kind in ("day", "trailing_7d"):
            window = next(
                w for w in wall.day_windows(kind, day) if w.end_ms == wall.midnight(day + 1)
            )
            for segment in segments:
                key = Key("social_engagement_rate", segment, window)
                of = [e["count"] for e in now.values() if segment in _own_segments(e, dimensions)]
                found[key] = Answer(reactions[key][0] if key in reactions else 0, sum(of))
    spent = {key: answer for key, answer in reactions.items() if key.metric == "marketing_spend"}
    return found | spent


def _own_segments(event: EventDict, dimensions: Sequence[str]) -> list[Segment]:
    found = segments_of(event, dimensions)
    if event["type"] == "marketing_spend":
        own = (SITE, "channel", event["channel"])
        has_one = any(segment[1] == "channel" for segment in found)
        return found if has_one or "channel" not in dimensions else [*found, own]
    values = [("post", event.get("post_id")), ("network", event.get("network"))]
    whole = [(SITE, name, value) for name, value in values if value]
    return [*found, *whole]


def instants(events: Iterable[dict[str, Any]]) -> list[EventDict]:
    """Return the events with their times in epoch ms."""
    return [{**event, "ms": _ms(event["event_time"])} for event in events]


def _ms(time: str | int) -> int:
    return time if isinstance(time, int) else int(datetime.fromisoformat(time).timestamp() * 1000)
