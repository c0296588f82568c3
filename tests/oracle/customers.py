"""Customers by brute force: replay a subscription up to an instant and see whether it pays."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tests.oracle.time import Wall

EventDict = dict[str, Any]
_ENDINGS = ("subscription_ended", "subscription_cancelled")


class Period(NamedTuple):
    """Period [start, end) in which a subscription pays `micros` a month; end None: still paying."""

    start_ms: int
    end_ms: int | None
    micros: int


class Stay(NamedTuple):
    """Days on which a person is a customer: from `start` to the day before `end`."""

    start: int
    end: int | None


#: A renewal without a price knows that of a subscription that ended this long ago at most.
KNOWN_MS = 400 * 86_400_000


def paid_periods(events: Sequence[EventDict], *, free: bool = True) -> list[Period]:
    """Return the paid periods of one subscription, checked at every instant that may change it.

    `free`: whether a plan of 0 a month counts as paid.
    """
    ordered = sorted(events, key=_in_time)
    moments = {event["ms"] for event in ordered}
    moments |= {ms for event in ordered if (ms := _effective(event)) is not None}
    instants = sorted(moments)
    periods: list[Period] = []
    for start, end in zip(instants, [*instants[1:], None], strict=True):
        micros = _at(ordered, start).pays
        if micros is not None and (micros or free):
            periods.append(Period(start, end, micros))
    return periods


def beginning(events: Iterable[EventDict]) -> EventDict | None:
    """Return the event with which a subscription begins: the first one that gives it a price."""
    ordered = sorted(events, key=_in_time)
    return next(
        (e for e in ordered if e["type"] not in _ENDINGS and e.get("mrr") is not None), None
    )


def lives(events: Iterable[EventDict]) -> list[list[EventDict]]:
    """Divide the events of one subscription: what comes 400 days after its end begins a new one."""
    found: list[list[EventDict]] = [[]]
    for event in sorted(events, key=_in_time):
        over_ms = _at(found[-1], event["ms"]).over_ms
        if over_ms is not None and event["ms"] - over_ms > KNOWN_MS:
            found.append([])
        found[-1].append(event)
    return found


def unmatched(events: Iterable[EventDict]) -> list[EventDict]:
    """Return the ends, and the renewals without a price, before the subscription has begun."""
    found = []
    for life in lives(events):
        first = beginning(life)
        found += [event for event in life if first is None or _in_time(event) < _in_time(first)]
    return found


class _Known(NamedTuple):
    """State of a subscription at an instant."""

    #: Micro-units a month; None without a paid subscription ("Trials never count").
    pays: int | None
    #: When it ended; None before its beginning and while it runs.
    over_ms: int | None


def _at(ordered: Iterable[EventDict], at_ms: int) -> _Known:
    begun, live, trial, price, ends_ms = False, False, False, 0, None
    leaving, over_ms = False, None
    for event in ordered:
        if event["ms"] > at_ms:
            break
        if live and ends_ms is not None and ends_ms <= event["ms"]:
            live, over_ms = False, ends_ms
        kind = event["type"]
        if kind == "subscription_started":
            begun, live, trial, ends_ms = True, True, bool(event.get("trial")), None
            leaving = False
            price = _micros(event)
        elif kind == "subscription_changed":
            if not begun:
                begun = live = True
            price, trial = _micros(event), event.get("trial", trial)
        elif kind == "subscription_renewed":
            if not begun and event.get("mrr") is None:
                continue
            begun, live, trial, ends_ms, leaving = True, True, False, None, False
            price = price if event.get("mrr") is None else _micros(event)
        elif live:
            # Churn at the end of the paid period ("effective end"), or at once.
            later = _effective(event)
            ends_ms = later if later is not None and later > event["ms"] else event["ms"]
            # Who has left does not come back by leaving a second time.
            leaving = leaving or bool(event.get("at_once"))
            if ends_ms == event["ms"]:
                live, over_ms = False, ends_ms
    if live and ends_ms is not None and ends_ms <= at_ms:
        live, over_ms = False, ends_ms
    pays = price if live and not trial and not leaving else None
    return _Known(pays, over_ms if begun and not live else None)


def stays(periods: Iterable[Period], wall: Wall) -> list[Stay]:
    """Return the runs of days as a customer, over all subscriptions of one person.

    "A customer churns when ALL subscriptions are cancelled"; "Ending and restarting the same day is
    upgrade/downgrade, not churn": periods that share a day belong to one stay.
    """
    joined: list[Stay] = []
    for period in sorted(periods, key=lambda period: period.start_ms):
        start = wall.day(period.start_ms)
        end = None if period.end_ms is None else wall.day(period.end_ms)
        touching = [stay for stay in joined if stay.end is None or start <= stay.end]
        joined = [stay for stay in joined if stay not in touching]
        ends = [stay.end for stay in touching] + [end]
        last = None if None in ends else max(e for e in ends if e is not None)
        joined.append(Stay(min([start, *(stay.start for stay in touching)]), last))
    # Who is a customer at the end of no day never was one.
    return [stay for stay in joined if stay.end is None or stay.end > stay.start]


def is_customer(stay: Stay, day: int) -> bool:
    """Return whether the person is a customer at the end of the day."""
    return stay.start <= day and (stay.end is None or stay.end > day)


def is_lost(stay: Stay, first: int, last: int) -> bool:
    """Return whether a customer "who was there at the start" is lost in the days first … last."""
    return is_customer(stay, first - 1) and stay.end is not None and stay.end <= last


def daily_churn(all_stays: Sequence[Stay], first: int, last: int) -> tuple[float, int]:
    """metrics.md: "sum of daily rates", over 1; over 0 if no day begins with customers."""
    rates = []
    for day in range(first, last + 1):
        there = sum(is_customer(stay, day - 1) for stay in all_stays)
        if there:
            rates.append(sum(stay.end == day for stay in all_stays) / there)
    return sum(rates), 1 if rates else 0


def with_grace(
    event: EventDict, grace_ms: int, involuntary: Collection[str], at_request: bool
) -> EventDict:
    """metrics.md: "past_due days before churn": involuntary churn is delayed by the grace period.

    Churn "at the end of the paid period (option at request time)": a renewal cancels the request.
    """
    at_once = at_request and event["type"] == "subscription_cancelled"
    if not grace_ms or event.get("reason") not in involuntary:
        return {**event, "at_once": at_once}
    ends = max(event["ms"], 0 if at_once else _effective(event) or 0) + grace_ms
    return {**event, "type": "subscription_cancelled", "effective_at": ends}


def micros_at_end_of(periods: Iterable[Period], day: int, wall: Wall) -> int:
    """Monthly recurring revenue at the end of a day."""
    last_ms = wall.midnight(day + 1) - 1
    return sum(
        period.micros
        for period in periods
        if period.start_ms <= last_ms and (period.end_ms is None or period.end_ms > last_ms)
    )


def _in_time(event: EventDict) -> tuple[int, int]:
    # At the same instant the end sorts first, so that the restart holds; then its changes.
    turns = ("subscription_started", "subscription_changed", "subscription_renewed")
    kind = event["type"]
    return event["ms"], -1 if kind in _ENDINGS else turns.index(kind)


def _micros(event: EventDict) -> int:
    amount: float = event["mrr"]
    return round(amount * 1_000_000)


def _effective(event: EventDict) -> int | None:
    given = event.get("effective_at")
    if given is None or isinstance(given, int):
        return given
    return int(datetime.fromisoformat(given).timestamp() * 1000)
