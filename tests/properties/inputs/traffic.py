"""Strategies for traffic at the edges: exact gaps, clock changes, ties, mixed identities."""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from tests.oracle.oracle import instant
from tests.properties.engine import Action, LogRecord

EventDict = dict[str, Any]
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
TOPICS = ("page-views", "clicks", "subscriptions")
#: Around these instants days have 23 or 25 hours, or a month ends; the zone is the site's.
MOMENTS = [
    ("UTC", "2024-12-31T22:30:00Z"),
    ("America/New_York", "2024-03-10T05:30:00Z"),
    ("America/New_York", "2024-11-03T03:30:00Z"),
    ("Asia/Kolkata", "2024-02-29T17:00:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T13:30:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T13:30:00Z"),
]


class Sent(NamedTuple):
    """Event with the account that decides its partition, its topic, and its delay."""

    event: EventDict
    account: str
    topic: str
    delay_ms: int


moments = st.sampled_from([(zone, instant(time)) for zone, time in MOMENTS])
#: Half hours and their neighbours: gaps of exactly the timeout, and a millisecond more or less.
times = st.builds(
    lambda half_hours, near: half_hours * 30 * MINUTE_MS + near,
    st.integers(0, 10),
    st.sampled_from([0, 0, 0, 1, -1, 59_999, MINUTE_MS, 4 * MINUTE_MS, 5 * MINUTE_MS + 1])
    | st.integers(0, 25 * MINUTE_MS),
)
contexts = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["DE", "FR", ""]),
        "device": st.just("phone"),
        "platform": st.sampled_from(["ios", "web"]),
        "campaign": st.sampled_from(["spring", "mail", "", None]),
    },
)
_urls = st.sampled_from([
    "/a", "/a?x=1", "https://A.example/b/", "https://b.example/b#c", "name",
    "/%61", "/a ", "https://b.example:443/a;jsessionid=9", "https://u:pw@b.example/a", "//a/b",
    "/caf%C3%A9", "/cafe\u0301", "/#/a", "https://b.example/#!/a/", "/?p=1", "/?q=2&p=1#/a",
    "app://a/b", "app://a", "/" + "x" * 300,
])  # fmt: skip
_views = st.fixed_dictionaries({}, optional={"page_view_id": st.sampled_from(["v1", "v2"])})
_page = st.just({"type": "page_view"}) | st.builds(
    lambda url, named: {"type": "page_view", "page_url": url, **named}, _urls, _views
)
_beats = st.fixed_dictionaries(
    {"type": st.just("heartbeat"), "page_url": _urls},
    optional={
        "engaged_ms": st.sampled_from([0, 1, 10_000, 45_678]),
        "page_view_id": st.sampled_from(["v1", "v2"]),
        "scroll_depth": st.sampled_from([0, 24.996, 25, 50, 74.99, 90, 100]) | st.floats(0, 100),
    },
)
_kinds = st.one_of(
    _page, _page, _page,
    _beats,
    st.sampled_from([{"type": "impression", "content_id": name} for name in "cd"]),
    st.sampled_from([{"type": "click", "content_id": "c"}, {"type": "click", "page_url": "/a"}]),
    st.builds(lambda yes: {"type": "custom", "name": "n", "interactive": yes}, st.booleans()),
    st.sampled_from([
        # session_start and session_end: see test_explicit_ends.py.
        {"type": "feature_used", "feature": "f"},
        {"type": "order", "order_id": "o"},
        {"type": "order", "order_id": "o", "currency": "eur"},
        {"type": "order", "order_id": "p", "currency": "Usd"},
        {"type": "ticket_message", "ticket_id": "t", "direction": "outgoing"},
        {"type": "ticket_message", "ticket_id": "t", "direction": "incoming"},
        {"type": "ticket_resolved", "ticket_id": "t"},
        {"type": "ticket_opened", "ticket_id": "t"},
        {"type": "ticket_opened", "ticket_id": "t", "direction": "outgoing", "author": "agent"},
        {"type": "ticket_opened", "ticket_id": "t", "author": "bot"},
        {"type": "ticket_opened", "ticket_id": "t", "direction": "incoming", "author": "agent"},
        {"type": "refund", "order_id": "o", "revenue": 1},
        {"type": "page_view", "is_bot": True},
        {"type": "social_impression", "post_id": "p"},
    ]),
)  # fmt: skip
#: Fields that trackers send although they hold nothing.
_empty = st.dictionaries(
    st.sampled_from(
        ["session_id", "site", "context", "is_bot", "user_id", "visitor_id", "page_url"]
    ),
    st.sampled_from([None, ""]),
    max_size=2,
)
_REASONS = ["payment_failed", "Payment Failed", "payment-failed ", "PAYMENT_FAILED", "other", ""]
_NOBODY = ["nobody", "nobody at all", "nobody's browser"]
_identities = st.sampled_from(["visitor", "visitor", "user", "both", "other visitor", *_NOBODY])


@st.composite
def site_events(draw: st.DrawFn, base_ms: int, number: int, days: Sequence[int] = (0,)) -> Sent:
    """Draw one event of a person on the site, `number` in the list."""
    account = draw(st.sampled_from("abc"))
    event = dict(draw(_kinds))
    event["event_id"] = f"e{number}"
    event["event_time"] = base_ms + draw(st.sampled_from(days)) * DAY_MS + draw(times)
    event |= _names(account, draw(_identities))
    session_id = draw(st.sampled_from([None, None, "s1", "s2", "NULL"]))
    context, site = draw(contexts), draw(st.sampled_from(["default", "default", "shop"]))
    if site == "shop":
        event["event_id"] = f"e{number - 1}"  # An id of one site may be known on another.
    given = {"session_id": session_id, "context": context, "site": site}
    event |= {name: value for name, value in given.items() if value is not None}
    event = draw(_empty) | event
    return Sent(event, account, draw(st.sampled_from(TOPICS[:2])), 0)


def _names(account: str, identity: str) -> dict[str, str]:
    if identity == "user":
        return {"user_id": f"user-{account}"}
    if identity == "nobody":
        return {"user_id": "Undefined ", "visitor_id": f"visitor-{account}"}
    if identity == "nobody at all":
        return {"user_id": "null", "visitor_id": "GUEST"}
    if identity == "nobody's browser":
        return {"user_id": f"user-{account}", "visitor_id": "undefined"}
    if identity == "both":
        return {"user_id": f"user-{account}", "visitor_id": f"visitor-{account}"}
    return {"visitor_id": f"visitor-{account}{'2' if identity != 'visitor' else ''}"}


@st.composite
def subscriptions_of(draw: st.DrawFn, base_ms: int, number: int, days: Sequence[int]) -> Sent:
    """Draw one event of one of a customer's two subscriptions, at an instant of its own."""
    account = draw(st.sampled_from("ab"))
    event: EventDict = {
        "type": "subscription_" + draw(st.sampled_from(
            ["started", "started", "changed", "renewed", "cancelled", "ended"]
        )),
        "event_id": f"s{number}",
        "subscription_id": draw(st.sampled_from(["one", "two"])),
        # The number in the last digits keeps instants apart.
        "event_time": base_ms
        + draw(st.sampled_from(days)) * DAY_MS + draw(times) // 1000 * 1000 + number,
    }  # fmt: skip
    if event["type"] in ("subscription_started", "subscription_changed"):
        event["mrr"] = draw(st.sampled_from([0, 9.99, 20, 30.5]))
    if event["type"] == "subscription_renewed":
        event |= draw(st.sampled_from([{}, {}, {"mrr": 0}, {"mrr": 15}]))
    if event["type"] == "subscription_started":
        event["trial"] = draw(st.booleans())
    if event["type"] == "subscription_changed":
        event |= draw(st.sampled_from([{}, {}, {"trial": True}, {"trial": False}]))
    if event["type"] == "subscription_cancelled":
        later = draw(st.sampled_from([None, -DAY_MS, 0, HOUR_MS, DAY_MS, 20 * DAY_MS]))
        if later is not None:
            event["effective_at"] = event["event_time"] + later
    if event["type"] in ("subscription_cancelled", "subscription_ended") and draw(st.booleans()):
        event["reason"] = draw(st.sampled_from(_REASONS))
    context = draw(contexts)
    if context:
        event["context"] = context
    return Sent(event | {"user_id": f"user-{account}"}, account, TOPICS[2], 0)


@st.composite
def traffic(
    draw: st.DrawFn, base_ms: int, *, days: Sequence[int] = (0,), delay_ms: int = 0, most: int = 30
) -> list[Sent]:
    """Draw a few events of a few people; each arrives at most `delay_ms` after it happened."""
    count = draw(st.integers(1, most))
    sent = []
    for number in range(count):
        kind = subscriptions_of if draw(st.integers(0, 4)) == 0 else site_events
        one = draw(kind(base_ms, number, days))
        sent.append(one._replace(delay_ms=draw(st.integers(0, delay_ms)) if delay_ms else 0))
    return sent


def logs_of(sent: Sequence[Sent], partitions: int) -> list[dict[str, list[LogRecord]]]:
    """Return the log of every topic of every partition, each in the order of arrival."""
    logs: list[dict[str, list[LogRecord]]] = [{t: [] for t in TOPICS} for _ in range(partitions)]
    for one in sorted(sent, key=lambda one: one.event["event_time"] + one.delay_ms):
        log = logs[zlib.crc32(one.account.encode()) % partitions][one.topic]
        arrived_ms = one.event["event_time"] + one.delay_ms
        log.append(LogRecord(len(log), arrived_ms, msgspec.json.encode(one.event)))
    return logs


_reads = st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 6))
_others = st.tuples(
    st.sampled_from(["checkpoint", "lost", "crash", "close"]), st.just(0), st.just(0)
)
#: Batches of any size in any interleaving of topics, with checkpoints, crashes and closing between.
schedules: st.SearchStrategy[list[Action]] = st.lists(_reads | _reads | _others, max_size=25)
