"""Outcome of each record of a partition, decided only by the records before it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

EventDict = dict[str, Any]


class Verdict(NamedTuple):
    """Outcome of one record, and whether it came within the allowed lateness."""

    event: EventDict
    outcome: str
    timely: bool


def judge(
    log: Iterable[tuple[EventDict, int]],
    *,
    lateness_ms: int,
    correction_ms: int,
    skew_ms: int,
    dedupe_ms: int,
    currency: str | None = None,
) -> list[Verdict]:
    """Return the verdicts on (event, Kafka timestamp) pairs in log order. Each event has its time as `ms`.

    Valid for inputs whose duplicates come within one dedupe window or not at all. Between one and
    two windows the engine may or may not remember an id ("by event_id within a window of event
    time").
    """
    verdicts: list[Verdict] = []
    newest = 0
    #: "an event_id is one site's"
    seen: dict[tuple[str, str], int] = {}
    for event, timestamp in log:
        time_ms = event["ms"]
        if time_ms > timestamp + skew_ms:
            verdicts.append(Verdict(event, "future", False))
            continue
        # "currency in letters of any case"
        if currency is not None and event.get("currency", currency).upper() != currency:
            verdicts.append(Verdict(event, "currency", False))
            continue
        key = (event.get("site", "default"), event["event_id"])
        if key in seen and newest - seen[key] <= dedupe_ms:
            verdicts.append(Verdict(event, "duplicate", False))
            continue
        newest = max(newest, time_ms)
        seen[key] = newest
        # design.md, section 4: final when the watermark (newest − lateness) has passed; corrected
        # inside the correction window after that; "later than that: ledger".
        is_late = time_ms < newest - lateness_ms - correction_ms
        timely = time_ms >= newest - lateness_ms
        verdicts.append(Verdict(event, "late" if is_late else "applied", timely))
    return verdicts


def accepted(verdicts: Sequence[Verdict]) -> list[EventDict]:
    """Return the events that count."""
    return [verdict.event for verdict in verdicts if verdict.outcome == "applied"]


def untimely(verdicts: Sequence[Verdict]) -> set[tuple[str, str]]:
    """Return (site, id) of events that count but came too late for live numbers."""
    return {
        (v.event.get("site", "default"), v.event["event_id"])
        for v in verdicts
        if v.outcome == "applied" and not v.timely
    }
