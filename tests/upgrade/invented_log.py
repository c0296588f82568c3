"""Invent the log of a small shop: seven weeks of nearly every event type, from a seed.

The module imports nothing of the project, so `write_state.py` can use it beside the code of any commit.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
#: In the weeks from here on, both time zones of the shop leave summer time.
START_MS = round(datetime(2025, 9, 18, tzinfo=UTC).timestamp() * 1_000)
DAYS = 46
#: The old worker stops here, in the middle of sessions, hours before Berlin's day of 25 hours.
HALF_MS = START_MS + 37 * DAY_MS + 18 * HOUR_MS + 40 * MINUTE_MS
STEP_MS = 8 * HOUR_MS
PARTITIONS = 2

TOPICS = {
    "page-views": ("page_view", "heartbeat"),
    "clicks": ("impression", "click", "custom", "feature_used"),
    "sessions": ("session_start", "session_end"),
    "subscriptions": ("subscription",),
    "orders": ("add_to_cart", "remove_from_cart", "checkout_started", "order", "refund", "goal"),
    "feedback": ("survey", "ticket"),
    "social": ("social", "marketing"),
}  # fmt: skip
#: Ids as producers send them: many scripts, separators of formats, very long ones.
IDS = (
    "u-1", "Zoë 李 😀", "a b\tc", "{u}:1", "7;3", "quote\"\\back", "ü" * 100, "x" * 256, "per%cent",
    " edges ", "u,1=2", "null", "0", "line\nbreak", "\x1e\x1d",
)  # fmt: skip
PAGES = ("/", "/shoes", "/shoes?size=42", "https://shop.example/hats", "https://b.example/hats#top")
PLATFORMS = ("ios", "web")


class Logged(NamedTuple):
    """Record of a partition. The text is the bytes as Latin-1."""

    topic: str
    partition: int
    timestamp: int
    #: 1: by the broker, 0: by the producer.
    timestamp_type: int
    key: str | None
    text: str


class Account(NamedTuple):
    """Customer: ids, site, and the days on which they visit."""

    number: int
    user: str | None
    visitor: str
    site: str
    context: dict[str, str]
    days: tuple[int, ...]

    @property
    def partition(self) -> int:
        """Partition of all events of the customer."""
        return self.number % PARTITIONS


def steps(seed: int) -> list[list[Logged]]:
    """Return the log in the order of arrival, a list for each of `step_ends`."""
    arrived = sorted(_Shop(seed).all(), key=lambda record: record.timestamp)
    found = []
    for end in step_ends():
        step = [record for record in arrived if record.timestamp < end]
        arrived = arrived[len(step) :]
        found.append(step)
    assert not arrived
    return found


def step_ends() -> list[int]:
    """Return the end of each step in epoch ms. One of them is HALF_MS."""
    ends = [START_MS + n * STEP_MS for n in range(1, DAYS * DAY_MS // STEP_MS + 12)]
    return sorted([*ends, HALF_MS])


class _Shop:
    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._number = 0
        self._records: list[Logged] = []

    def all(self) -> list[Logged]:
        """Invent all records."""
        for account in self._accounts():
            for day in account.days:
                self._visit(account, self._moment(day), self._rng.randrange(1, 4))
            self._business(account)
            if account.number < 10:
                self._across_half(account)
        for day in range(0, DAYS, 5):
            self._of_no_person(day)
        return self._records

    def _accounts(self) -> Iterator[Account]:
        rng = self._rng
        for number, name in enumerate(IDS):
            context = {
                "country": ("DE", "FR", "US", "JP", "BR")[number // 2 % 5],
                "plan": rng.choice(["free", "team"]),
                "platform": rng.choice(PLATFORMS),
            }
            first, every = rng.randrange(0, 14), rng.choice([2, 3, 5, 7])
            last = rng.choice([DAYS, DAYS, 20])
            days = tuple(range(first, max(first + 1, last), every))
            site = "shop" if number % 5 == 4 else "default"
            yield Account(
                number, name if number % 4 else None, f"v {name}"[:256], site, context, days
            )

    def _moment(self, day: int) -> int:
        return START_MS + day * DAY_MS + self._rng.randrange(DAY_MS)

    # ---- events

    def _visit(self, who: Account, start_ms: int, pages: int) -> None:
        rng, at_ms = self._rng, start_ms
        sid = f"s;{who.number}-{start_ms}" if who.number % 3 else None
        campaign = rng.choice([None, None, "spring", "mail"])
        more: dict[str, Any] = {} if sid is None else {"session_id": sid}
        if campaign:
            more["context"] = who.context | {"campaign": campaign}
        for page in range(pages):
            url, view = rng.choice(PAGES), f"pv{self._number}"
            self._send(who, at_ms, "page_view", page_url=url, page_view_id=view, **more)
            if page % 2:
                self._send(who, at_ms + 300, "impression", content_id=rng.choice("abc"), **more)
            at_ms += rng.randrange(5 * SECOND_MS, 4 * MINUTE_MS)
            if rng.random() < 0.4:
                self._send(
                    who, at_ms, "heartbeat", page_url=url, page_view_id=view, engaged_ms=10_000,
                    scroll_depth=rng.choice([10, 50, 74.99, 100]), **more,
                )  # fmt: skip
            if rng.random() < 0.2:
                self._send(who, at_ms + 1, "click", content_id=rng.choice("abc"), **more)
        self._deed(who, at_ms + SECOND_MS, more)

    def _deed(self, who: Account, at_ms: int, more: dict[str, Any]) -> None:
        """Add a purchase, a search or the like to some visits."""
        number = self._number
        name = self._rng.choice([*_DEEDS, *[""] * 12])
        for after, (kind, fields) in enumerate(_DEEDS.get(name, ())):
            filled = {k: v.format(number) if isinstance(v, str) else v for k, v in fields.items()}
            self._send(who, at_ms + after * 7 * SECOND_MS, kind, **filled, **more)

    def _business(self, who: Account) -> None:
        """Add subscriptions and a ticket, some of which go on after HALF_MS."""
        begin = who.days[0]
        last = begin
        for day, kind, fields in _SUBSCRIPTIONS[who.number % len(_SUBSCRIPTIONS)]:
            last = begin + day
            given = dict(fields)
            if "effective_days" in given:
                given["effective_at"] = self._moment(last + given.pop("effective_days"))
            name = f"sub;{who.number}"
            self._send(who, self._moment(last), kind, subscription_id=name, **given)
        if who.number % 3 == 0:
            opened, ticket = self._moment(begin + 2), f"t{who.number}"
            self._send(who, opened, "ticket_opened", ticket_id=ticket)
            for days, kind, fields in (
                (1, "ticket_message", {"direction": "outgoing", "author": "bot"}),
                (2, "ticket_message", {"direction": "outgoing"}),
                (9, "ticket_resolved", {}),
                (33 - begin, "ticket_reopened", {}),
                (38 - begin, "ticket_message", {"direction": "outgoing"}),
            ):
                self._send(who, opened + days * DAY_MS, kind, ticket_id=ticket, **fields)

    def _across_half(self, who: Account) -> None:
        """Add sessions that are open at HALF_MS, and events of before that arrive after it."""
        for minute in range(-14, 12, 4):
            self._visit(who, HALF_MS + minute * MINUTE_MS - who.number * SECOND_MS, 1)
        self._send(who, HALF_MS + 20 * MINUTE_MS, "page_view", page_url="/")
        # A late event joins two sessions by gaps.
        apart = HALF_MS - 5 * HOUR_MS
        for minute, arrives_ms in ((0, 0), (50, 0), (25, HALF_MS + 15 * MINUTE_MS)):
            self._send(
                who, apart + minute * MINUTE_MS, "page_view", arrives_ms=arrives_ms, page_url="/"
            )

    def _of_no_person(self, day: int) -> None:
        post = {"post_id": "p;1", "network": "mastodon"}
        for kind, fields in (
            ("social_impression", post | {"count": 400}),
            ("social_engagement", post | {"kind": "like", "count": 7}),
            ("social_reach", post | {"count": 90}),
            ("marketing_spend", {"channel": "mail", "amount": 12.5}),
        ):
            self._write(0, self._moment(day), None, {"type": kind, **fields})
        for text in ('{"type":"page_view","eve', "", "\xff\xfe", '{"type":"no_such"}'):
            self._add("page-views", day % PARTITIONS, self._moment(day), None, text)

    # ---- records

    def _send(
        self, who: Account, at_ms: int, kind: str, *, arrives_ms: int = 0, **fields: Any
    ) -> None:
        """Send an event of a customer: sometimes late, twice, or with a wrong clock."""
        rng = self._rng
        event = {"type": kind, "visitor_id": who.visitor, "context": who.context, **fields}
        if who.user is not None and rng.random() < 0.8:
            event["user_id"] = who.user
        if who.site != "default":
            event["site"] = who.site
        luck = rng.random()
        delay = rng.randrange(20, 900)
        if luck < 0.03:
            delay = rng.choice([3 * MINUTE_MS, 9 * MINUTE_MS, 11 * HOUR_MS, 3 * DAY_MS])
        elif luck < 0.035:
            delay = -2 * HOUR_MS
        elif luck < 0.04:
            event["is_bot"] = True
        arrives_ms = arrives_ms or at_ms + delay
        record = self._write(who.partition, at_ms, who.visitor, event, arrives_ms)
        if luck > 0.9:
            again_ms = arrives_ms + rng.randrange(1, 9) * MINUTE_MS
            self._records.append(record._replace(timestamp=again_ms))

    def _write(
        self, partition: int, at_ms: int, key: str | None, event: dict[str, Any],
        arrives_ms: int = 0,
    ) -> Logged:  # fmt: skip
        self._number += 1
        event |= {"event_id": f"e{self._number}", "event_time": at_ms}
        topic = next(t for t, kinds in TOPICS.items() if event["type"].startswith(kinds))
        text = json.dumps(event, ensure_ascii=False).encode().decode("latin-1")
        return self._add(topic, partition, arrives_ms or at_ms, key, text)

    def _add(
        self, topic: str, partition: int, timestamp: int, key: str | None, text: str
    ) -> Logged:
        kind = int(topic != "feedback")
        record = Logged(topic, partition, timestamp, kind, key, text)
        self._records.append(record)
        return record


_DEEDS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "buys": (
        ("add_to_cart", {"cart_id": "c{}", "revenue": 30.5}),
        ("checkout_started", {"cart_id": "c{}", "revenue": 30.5}),
        ("order", {"order_id": "o{}", "cart_id": "c{}", "revenue": 30.5, "currency": "EUR"}),
    ),
    "leaves the cart": (
        ("add_to_cart", {"revenue": 8}), ("remove_from_cart", {}), ("add_to_cart", {"revenue": 9}),
    ),
    "pays in dollars": (("order", {"order_id": "o{}", "revenue": 5, "currency": "USD"}),),
    "returns": (("order", {"order_id": "r{}"}), ("refund", {"order_id": "r{}", "revenue": 4}),),
    "searches": (("custom", {"name": "search"}), ("feature_used", {"feature": "export"})),
    "signs up": (("goal", {"name": "newsletter", "value": 1.5}),),
    "scores": (("survey_response", {"survey": "nps", "score": 9}),),
    "rates": (("survey_response", {"survey": "csat", "score": 4}), ("survey_dismissed", {})),
    "follows": (("social_followers", {"network": "mastodon", "count": 12}),),
    "starts and ends": (("session_start", {}), ("session_end", {})),
}  # fmt: skip
_STARTED = {"mrr": 20, "plan": "team", "currency": "EUR"}
#: By customer: (days after the first one, type, fields).
_SUBSCRIPTIONS: tuple[tuple[tuple[int, str, dict[str, Any]], ...], ...] = (
    (),
    ((1, "subscription_started", _STARTED), (20, "subscription_changed", {"mrr": 30.5})),
    (
        (0, "subscription_started", _STARTED | {"trial": True}),
        (9, "subscription_changed", {"mrr": 9.99}),
        (24, "subscription_cancelled", {"effective_days": 16, "reason": "too expensive"}),
    ),
    (
        (2, "subscription_started", _STARTED),
        (28, "subscription_ended", {"reason": "payment_failed"}),
        (31, "subscription_renewed", {}),
    ),
)
