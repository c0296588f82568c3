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


def paid_periods(events: Sequence[EventDict]) -> list[Period]:
    """Return the paid periods of one subscription, checked at every instant that may change it."""
    ordered = sorted(events, key=_in_time)
    moments = {event["ms"] for event in ordered}
    moments |= {ms for event in ordered if (ms := _effective(event)) is not None}
    instants = sorted(moments)
    periods: list[Period] = []
    for start, end in zip(instants, [*instants[1:], None], strict=True):
        micros = _pays_at(ordered, start)
        if micros is not None:
            periods.append(Period(start, end, micros))
    return periods


def _pays_at(ordered: Sequence[EventDict], at_ms: int) -> int | None:
    """Micro-units a month at an instant; None without a paid subscription ("Trials never count")."""
    live, trial, price, ends_ms = False, False, 0, None
    leaving = False
    for event in ordered:
        if event["ms"] > at_ms:
            break
        if ends_ms is not None and ends_ms <= event["ms"]:
            live, ends_ms = False, None
        kind = event["type"]
        if kind == "subscription_started":
            live, trial, ends_ms = True, bool(event.get("trial")), None
            leaving = False
            price = _micros(event)
        elif not live:
            continue
        elif kind == "subscription_changed":
            trial, price = False, _micros(event)
        elif kind == "subscription_renewed":
            trial, ends_ms, leaving = False, None, False
        else:
            # Churn at the end of the paid period ("effective end"), or at once.
            later = _effective(event)
            ends_ms = later if later is not None and later > event["ms"] else event["ms"]
            leaving = bool(event.get("at_once"))
    if ends_ms is not None and ends_ms <= at_ms:
        live = False
    return price if live and not trial and not leaving else None


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
    return joined


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


def _in_time(event: EventDict) -> tuple[int, bool]:
    # At the same instant the end sorts first, so that the restart holds.
    return event["ms"], event["type"] not in _ENDINGS


def _micros(event: EventDict) -> int:
    amount: float = event["mrr"]
    return round(amount * 1_000_000)


def _effective(event: EventDict) -> int | None:
    given = event.get("effective_at")
    if given is None or isinstance(given, int):
        return given
    return int(datetime.fromisoformat(given).timestamp() * 1000)
