"""Log of a few people in which every setting that changes a count has an effect."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.properties.engine import LogRecord

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
#: Friday evening in UTC and early Saturday in Asia; the month ends in the third week.
START_MS = 1_760_742_000_000
PEOPLE = 5
_SUFFIXES = ("", "?p=1", "#/x")
_AGENTS = (
    "Mozilla/5.0 Firefox/130",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "probe/1",
    "okhttp/4",
)
_DAYS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 13, 20, 34, 62),
    (0, 2, 6, 7, 8, 29, 30, 31),
    (0, 3, 28, 57),
    (1, 8, 15, 27, 43),
    (2, 3, 10, 33),
)


def varied_log(seed: int = 3) -> list[LogRecord]:
    """Return the records of one topic in the order in which they arrive."""
    arriving = sorted(_Log(seed).all(), key=lambda pair: pair[0])
    return [
        LogRecord(offset, arrives_ms, json.dumps(event).encode())
        for offset, (arrives_ms, event) in enumerate(arriving)
    ]


class _Log:
    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._number = 0

    def all(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (arrival, event), of one person after the other."""
        for person in range(PEOPLE):
            for session_number, day in enumerate(_DAYS[person]):
                at_ms = START_MS + day * DAY_MS + self._rng.randrange(6 * HOUR_MS)
                yield from self._session(person, session_number, at_ms)
            yield from self._business(person)
        yield from self._scenes()
        yield from self._without_person()

    def _session(
        self, person: int, session_number: int, at_ms: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        rng = self._rng
        who: dict[str, Any] = {"visitor_id": f"v{person}-{session_number % 2}"}
        if session_number % 3:
            who["user_id"] = f"u{person}"
        context = {
            "country": "DE" if person % 2 else "FR",
            "variant": "control" if session_number % 2 else "b",
            "platform": "ios" if person % 2 else "web",
            "os": "web" if person % 2 else "ios",
            "campaign": "spring" if session_number % 2 else "mail",
            "user_agent": _AGENTS[0] if session_number != 2 else _AGENTS[1 + person % 3],
            "staff": "yes" if session_number == 3 and person else "no",
        }
        if session_number % 4 == 3:
            who["session_id"] = f"s{person}-{session_number}"
        session = who | {"context": context}
        for step, (pause_ms, event) in enumerate(self._steps(person, session_number)):
            at_ms += pause_ms
            if step == 2 and session_number % 3 == 0:
                session = session | {"context": context | {"campaign": "other"}}
            yield self._sent(at_ms, session | event, rng)

    def _steps(self, person: int, session_number: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (pause before it, event) of one session."""
        rng = self._rng
        page = f"https://{'ab'[session_number % 2]}.example/p{rng.randrange(3)}"
        view = {"page_url": page, "page_view_id": f"w{person}-{session_number}"}
        yield 0, {"type": "page_view", **view}
        if session_number % 4 == 1:
            return
        yield 4_700, {"type": "heartbeat", **view, "scroll_depth": rng.choice([10, 30, 60, 80, 95])}
        yield 9_900, {"type": "heartbeat", **view, "scroll_depth": 20.0}
        if session_number % 4 == 2:
            yield 600_000, {"type": "heartbeat", **view, "engaged_ms": 3_000}
            return
        kinds = _DEEDS[(person + session_number) % len(_DEEDS)]
        for kind, fields in kinds:
            filled = {
                k: v.format(person, session_number) if isinstance(v, str) else v
                for k, v in fields.items()
            }
            yield rng.choice([6_300, 60_000, 1_800_000]), {"type": kind, **filled}
        yield (
            rng.choice([30_000, 1_800_001, 400_000]),
            {
                "type": "page_view",
                "page_url": f"https://a.example/p9{_SUFFIXES[person % 3]}",
                "page_view_id": f"x{person}-{session_number}",
            },
        )
        if session_number % 4 == 0:
            yield (
                5_000,
                {
                    "type": "page_view",
                    "page_url": page,
                    "page_view_id": f"y{person}-{session_number}",
                },
            )
            yield 90_000, {"type": "custom", "name": "search", "value": 2.5}

    def _business(self, person: int) -> Iterator[tuple[int, dict[str, Any]]]:
        for day, event in _BUSINESS[person % len(_BUSINESS)]:
            filled: dict[str, Any] = {
                k: v.format(person) if isinstance(v, str) else v for k, v in event.items()
            }
            at_ms = START_MS + round(day * DAY_MS)
            if "effective_days" in filled:
                filled["effective_at"] = at_ms + filled.pop("effective_days") * DAY_MS
            who = {"visitor_id": f"v{person}-0", "user_id": f"u{person}"}
            yield self._sent(at_ms, who | filled, None)

    def _scenes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for day, seconds, visitor, event in _SCENES:
            at_ms = START_MS + day * DAY_MS + seconds * SECOND_MS
            yield self._sent(at_ms, {"visitor_id": visitor, **event}, None)

    def _without_person(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for day in (1, 9, 30):
            for kind, fields in _SOCIAL:
                yield self._sent(START_MS + day * DAY_MS, {"type": kind, **fields}, None)

    def _sent(
        self, at_ms: int, event: dict[str, Any], rng: Random | None
    ) -> tuple[int, dict[str, Any]]:
        """Return (arrival, event): sometimes late, sometimes an hour early, sometimes a duplicate."""
        self._number += 1
        luck = self._number % 23 if rng is not None else 1
        event_id = f"e{self._number - 4 * (luck == 7)}"
        delay_ms = {11: 4 * MINUTE_MS, 13: 3 * HOUR_MS, 17: 30 * HOUR_MS, 19: -4 * MINUTE_MS}
        return at_ms + delay_ms.get(luck, 0), {"event_id": event_id, "event_time": at_ms, **event}


_DEEDS: tuple[tuple[tuple[str, dict[str, Any]], ...], ...] = (
    (
        ("impression", {"content_id": "c"}),
        ("click", {"content_id": "c"}),
        ("feature_used", {"feature": "export"}),
    ),
    (
        ("add_to_cart", {"cart_id": "k{0}-{1}", "revenue": 10}),
        ("checkout_started", {"cart_id": "k{0}-{1}"}),
        (
            "order",
            {"order_id": "o{0}-{1}", "cart_id": "k{0}-{1}", "revenue": 10, "currency": "EUR"},
        ),
    ),
    (
        ("impression", {"content_id": "d"}),
        ("add_to_cart", {"cart_id": "l{0}-{1}", "revenue": 5}),
        ("custom", {"name": "export", "interactive": False}),
    ),
    (
        ("goal", {"name": "signup"}),
        ("goal", {"name": "signup"}),
        ("order", {"order_id": "q{0}-{1}", "revenue": 7, "currency": "USD"}),
    ),
    (
        ("survey_response", {"survey": "nps", "score": 9}),
        ("survey_response", {"survey": "csat", "score": 4}),
        ("survey_response", {"survey": "ces", "score": 5}),
        ("survey_response", {"survey": "rating", "score": 5}),
        ("survey_dismissed", {"survey": "nps"}),
    ),
)
_BUSINESS: tuple[tuple[tuple[float, dict[str, Any]], ...], ...] = (
    (
        (
            0.1,
            {
                "type": "subscription_started",
                "subscription_id": "m{0}",
                "mrr": 20,
                "currency": "EUR",
            },
        ),
        (5.2, {"type": "subscription_changed", "subscription_id": "m{0}", "mrr": 30}),
        (8.1, {"type": "subscription_cancelled", "subscription_id": "m{0}", "effective_days": 25}),
        (45.0, {"type": "subscription_started", "subscription_id": "n{0}", "mrr": 10}),
    ),
    (
        (0.3, {"type": "subscription_started", "subscription_id": "m{0}", "mrr": 9}),
        (
            31.2,
            {"type": "subscription_ended", "subscription_id": "m{0}", "reason": "payment_failed"},
        ),
        (33.4, {"type": "subscription_renewed", "subscription_id": "m{0}"}),
        (40.0, {"type": "subscription_changed", "subscription_id": "m{0}", "mrr": 0}),
        (44.0, {"type": "subscription_changed", "subscription_id": "m{0}", "mrr": 9}),
        (60.0, {"type": "subscription_ended", "subscription_id": "m{0}", "reason": "too dear"}),
    ),
    (
        (0.5, {"type": "ticket_opened", "ticket_id": "t{0}"}),
        (
            0.6,
            {
                "type": "ticket_message",
                "ticket_id": "t{0}",
                "direction": "outgoing",
                "author": "bot",
            },
        ),
        (1.7, {"type": "ticket_message", "ticket_id": "t{0}", "direction": "outgoing"}),
        (2.1, {"type": "ticket_message", "ticket_id": "t{0}", "direction": "incoming"}),
        (5.9, {"type": "ticket_message", "ticket_id": "t{0}", "direction": "outgoing"}),
        (6.4, {"type": "ticket_resolved", "ticket_id": "t{0}"}),
        (9.0, {"type": "ticket_reopened", "ticket_id": "t{0}"}),
    ),
    (
        (0.2, {"type": "survey_response", "survey": "csat", "score": 4}),
        (9.2, {"type": "survey_response", "survey": "csat", "score": 2, "scale_max": 7}),
        (9.3, {"type": "survey_response", "survey": "ces", "score": 7}),
        (9.4, {"type": "survey_response", "survey": "nps", "score": 3}),
        (9.5, {"type": "survey_response", "survey": "rating", "score": 6}),
        (40.0, {"type": "order", "order_id": "z{0}", "revenue": 3}),
        (41.0, {"type": "refund", "order_id": "z{0}", "revenue": 2}),
    ),
)
_A = {"type": "page_view", "page_url": "https://a.example/p1"}
#: (day, seconds into it, visitor, event): cases that the sessions above lack.
_SCENES: tuple[tuple[int, int, str, dict[str, Any]], ...] = (
    (3, 0, "bounded", {"type": "page_view", "page_url": "/a"}),
    (3, 60, "bounded", {"type": "session_end"}),
    (3, 120, "bounded", {"type": "page_view", "page_url": "/b"}),
    (3, 180, "bounded", {"type": "session_start"}),
    (3, 181, "bounded", {"type": "order", "order_id": "bounded", "currency": "EUR"}),
    (3, 182, "bounded", {"type": "heartbeat", "page_url": "/b", "scroll_depth": 60}),
    # Two visitors share a session id; one id is used for two days; two views within seconds.
    (10, 0, "x", _A | {"session_id": "shared"}),
    (10, 60, "y", _A | {"session_id": "shared"}),
    (50, 0, "x", _A | {"session_id": "long"}),
    (50, 72_000, "x", _A | {"session_id": "long"}),
    (51, 57_600, "x", _A | {"session_id": "long"}),
    (11, 0, "y", _A),
    (11, 3, "y", _A),
    # One page view is sent twice, another only by its heartbeats; a page is read in two views.
    (12, 0, "x", _A | {"page_view_id": "once"}),
    (12, 2, "x", _A | {"page_view_id": "once"}),
    (12, 9, "x", {"type": "heartbeat", "page_url": "/p", "page_view_id": "u", "scroll_depth": 30}),
    (12, 15, "x", {"type": "heartbeat", "page_url": "/p", "page_view_id": "v", "scroll_depth": 90}),
    # A ticket is answered, resolved and reopened by a clock that is behind the one that opened it.
    (12, 100, "y", {"type": "ticket_message", "ticket_id": "k", "direction": "outgoing"}),
    (12, 110, "y", {"type": "ticket_resolved", "ticket_id": "k"}),
    (12, 112, "y", {"type": "ticket_reopened", "ticket_id": "k"}),
    (12, 114, "y", {"type": "ticket_resolved", "ticket_id": "k"}),
    (12, 120, "y", {"type": "ticket_opened", "ticket_id": "k"}),
    # A score above the scale, and two carts at a time.
    (13, 0, "y", {"type": "survey_response", "survey": "csat", "score": 7}),
    (14, 0, "y", {"type": "add_to_cart", "cart_id": "one"}),
    (14, 60, "y", {"type": "add_to_cart", "cart_id": "two"}),
)
_SOCIAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("social_impression", {"post_id": "p", "network": "x", "count": 100}),
    ("social_reach", {"post_id": "p", "network": "x", "count": 40}),
    ("social_engagement", {"post_id": "p", "network": "x", "kind": "like", "count": 5}),
    ("social_engagement", {"post_id": "p", "network": "x", "kind": "share", "count": 2}),
    ("social_followers", {"network": "x", "count": 90}),
    ("marketing_spend", {"channel": "ads", "amount": 12.5}),
)
