"""The numbers recounted from the sent bytes, in plain Python and without the product."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stream.counters import measures
from tests.faults.fleet import Fleet, Record
from tests.faults.stored import Counts, unaccounted

HORIZON_MS = (24 * 60 + 5) * 60_000
TIMEOUT_MS = 30 * 60_000
TYPES = {
    "page_view", "heartbeat", "impression", "click",
    "subscription_started", "subscription_changed", "subscription_ended",
}  # fmt: skip
PASSIVE = {"heartbeat", "subscription_ended"}

Event = dict[str, Any]


@dataclass
class Recount:
    """Every number that is compared."""

    outcomes: Counter[str] = field(default_factory=Counter)
    #: Measure → total
    totals: Counter[str] = field(default_factory=Counter)
    #: (measure, day, country or "") → count on that day
    days: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    #: (measure, day) → level at the end of the day
    levels: dict[tuple[str, int], int] = field(default_factory=dict)


def recount(records: Iterable[Record]) -> Recount:
    """Count everything that was sent, in the order of sending."""
    counted = Recount()
    events = _accepted(records, counted.outcomes)
    for event in events:
        _count(counted, measures.EVENTS, event)
        if event["type"] == "page_view":
            _count(counted, measures.PAGE_VIEWS, event)
        elif event["type"] == "impression":
            _count(counted, measures.IMPRESSIONS, event)
        elif event["type"] == "click" and "content_id" in event:
            _count(counted, measures.CLICKS, event)
    _people(counted, events)
    _sessions(counted, events)
    _customers(counted, events)
    return counted


def _accepted(records: Iterable[Record], outcomes: Counter[str]) -> list[Event]:
    clocks: dict[tuple[str, int], int] = defaultdict(int)
    seen: set[tuple[str, int, str]] = set()
    accepted = []
    for record in records:
        tp = (record.role, record.partition)
        event = _parsed(record.value)
        if event is None:
            outcomes["rejected"] += 1
            continue
        if (*tp, event["event_id"]) in seen:
            outcomes["duplicate"] += 1
            continue
        seen.add((*tp, event["event_id"]))
        clocks[tp] = max(clocks[tp], event["event_time"])
        if event["event_time"] < clocks[tp] - HORIZON_MS:
            outcomes["late"] += 1
            continue
        outcomes["applied"] += 1
        accepted.append(event)
    return accepted


def _parsed(raw: bytes | None) -> Event | None:
    try:
        event: Event = json.loads(raw or b"")
    except ValueError:
        return None
    is_event = event["type"] in TYPES and "event_time" in event and "visitor_id" in event
    return event if is_event else None


def _day(time_ms: int) -> int:
    return datetime.fromtimestamp(time_ms / 1000, UTC).toordinal()


def _who(event: Event) -> str:
    return str(event.get("user_id") or event["visitor_id"])


def _count(counted: Recount, measure: str, event: Event) -> None:
    day = _day(event["event_time"])
    counted.totals[measure] += 1
    counted.days[measure, day, ""] += 1
    counted.days[measure, day, event["context"]["country"]] += 1


def _people(counted: Recount, events: Iterable[Event]) -> None:
    active = {
        (_day(event["event_time"]), _who(event), event["context"]["country"])
        for event in events
        if event["type"] not in PASSIVE
    }
    for day, _, country in active:
        counted.days[measures.ACTIVE_DAY, day, ""] += 1
        counted.days[measures.ACTIVE_DAY, day, country] += 1
    weeks = {(day + ahead, who) for day, who, _ in active for ahead in range(7)}
    for day, _ in weeks:
        counted.days[measures.ACTIVE_7D, day, ""] += 1
    counted.totals[measures.NEW_ALL] = len({who for _, who, _ in active})


def _sessions(counted: Recount, events: Iterable[Event]) -> None:
    runs: dict[tuple[str, str | None], list[Event]] = defaultdict(list)
    for event in events:
        if not event["type"].startswith("subscription"):
            sid = event.get("session_id")
            runs[event["visitor_id"] if sid else _who(event), sid].append(event)
    sessions: list[list[Event]] = []
    for (_, sid), run in runs.items():
        run.sort(key=lambda event: event["event_time"])
        for event in run:
            before = sessions[-1][-1] if sessions and event is not run[0] else None
            gap = event["event_time"] - before["event_time"] if before else TIMEOUT_MS + 1
            if event is run[0] or (sid is None and gap > TIMEOUT_MS):
                sessions.append([])
            sessions[-1].append(event)
    for session in sessions:
        types = Counter(event["type"] for event in session)
        if set(types) == {"heartbeat"}:
            continue
        duration = session[-1]["event_time"] - session[0]["event_time"]
        bounced = types["page_view"] == 1 and not types["click"]
        for measure, worth in (
            (measures.SESSIONS, 1),
            (measures.SESSION_PAGE_VIEWS, types["page_view"]),
            (measures.SESSION_DURATION_MS, duration),
            (measures.VIEWED_SESSIONS, types["page_view"] > 0),
            (measures.BOUNCED_SESSIONS, bounced),
        ):
            counted.totals[measure] += worth
            counted.days[measure, _day(session[0]["event_time"]), ""] += worth


def _customers(counted: Recount, events: Iterable[Event]) -> None:
    """Count levels: every subscription has an owner and a start; at each midnight its last price holds."""
    days = [_day(event["event_time"]) for event in events]
    events_of_subscription: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        if event["type"].startswith("subscription"):
            events_of_subscription[_who(event), event["subscription_id"]].append(event)
    paid: Counter[int] = Counter()
    customers: dict[int, set[str]] = defaultdict(set)
    last_day = max(days)
    for (who, _), run in events_of_subscription.items():
        price: dict[int, int | None] = {}
        begun, live, amount = False, False, 0
        for event in sorted(run, key=lambda event: event["event_time"]):
            kind = event["type"]
            if kind == "subscription_started" or (kind == "subscription_changed" and not begun):
                begun, live = True, True  # A change begins one whose start did not come.
            if live and "mrr" in event:
                amount = round(event["mrr"] * 1_000_000)
            if kind == "subscription_ended":
                live = False
            price[_day(event["event_time"])] = amount if live else None
        now: int | None = None
        for day in range(min(price), last_day + 1):
            now = price.get(day, now)
            if now is not None:
                paid[day] += now
                customers[day].add(who)
    for day in range(min(days), last_day + 1):
        counted.levels[measures.MRR_CHANGE_MICROS, day] = paid[day]
        counted.levels[measures.CUSTOMERS_CHANGE, day] = len(customers[day])


def differences(fleet: Fleet, found: Counts, records: Iterable[Record]) -> list[str]:
    """Return one line for each wrong number, and for each shard that breaks the conservation law."""
    expected_counts = recount(records)
    wrong = [f"{tp} passed {n} records unaccounted for" for tp, n in unaccounted(fleet).items()]

    def compare(what: object, expected: int, got: int) -> None:
        if expected != got:
            wrong.append(f"{what}: {expected} were sent, {got} are counted")

    outcomes: Counter[str] = Counter()
    for shard in fleet.stored().values():
        for topic in shard.topics.values():
            outcomes.update(topic.counts)
    for outcome in {*expected_counts.outcomes, *outcomes}:
        compare(outcome, expected_counts.outcomes[outcome], outcomes[outcome])
    for measure, count in expected_counts.totals.items():
        if measure in _HAVE_TOTALS:
            compare(measure, count, found.total(measure))
    for (measure, day, country), count in expected_counts.days.items():
        compare((measure, day, country), count, found.on(measure, day, country))
    for (measure, day), level in expected_counts.levels.items():
        compare((measure, day), level, found.level(measure, day))
    return wrong


_HAVE_TOTALS = {
    measures.EVENTS, measures.PAGE_VIEWS, measures.CLICKS, measures.IMPRESSIONS, measures.SESSIONS,
    measures.VIEWED_SESSIONS, measures.BOUNCED_SESSIONS, measures.SESSION_PAGE_VIEWS,
    measures.SESSION_DURATION_MS, measures.NEW_ALL,
}  # fmt: skip
