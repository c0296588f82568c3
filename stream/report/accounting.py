"""Accounting of the lines of a report: lines read = counted + left out by each reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.rejection import Reason
from stream.counters import measures

#: Reason in an accounting → meaning, in the order in which they are printed.
LEFT_OUT: Mapping[str, str] = {
    "no event": "lines that hold no valid event",
    "duplicate": "events whose event_id was counted before",
    "late": "events that came too long after newer ones",
    "future": "events of a clock that is ahead",
    "other currency": "amounts in another currency than the setting currency",
    "bot": "events of programs, by [bots]",
    "excluded": "events of internal or test traffic, by [exclude]",
    "off scale": "answers outside the scale of their survey",
    "unmatched": "ends, renewals and refunds of something never seen",
}
#: Reasons of a rejection that is decided after parsing → the reason in an accounting.
_AFTER_PARSING: Mapping[str, str] = {
    Reason.DUPLICATE: "duplicate",
    Reason.LATE: "late",
    Reason.FUTURE: "future",
    Reason.CURRENCY: "other currency",
}
#: Reason in an accounting → measure of the applied events that no metric counts.
MEASURE_OF: Mapping[str, str] = {
    "bot": measures.BOT_EVENTS,
    "excluded": measures.EXCLUDED_EVENTS,
    "off scale": measures.OFF_SCALE_EVENTS,
    "unmatched": measures.UNMATCHED_EVENTS,
}


@dataclass(frozen=True, slots=True)
class Accounting:
    """Number of lines, split into `counted` and `left_out` by reason; reasons without lines are absent."""

    lines: int
    counted: int
    left_out: dict[str, int]
    #: Lines without an event, by the reason of their rejection.
    no_event: dict[str, int] = field(default_factory=dict)


def rejected(outcomes: Mapping[str, int], reasons: Mapping[str, int]) -> dict[str, int]:
    """Return the lines that a shard rejected, by reason.

    Late events without a dead letter are counted among the outcomes alone.
    """
    of_outcomes = {str(one): outcomes.get(one, 0) for one in (Reason.DUPLICATE, Reason.LATE)}
    return {str(reason): count for reason, count in reasons.items()} | of_outcomes


def accounting(applied: int, rejected: Mapping[str, int], counts: Mapping[str, int]) -> Accounting:
    """Account for `applied` events and the `rejected` ones by reason.

    `counts` holds the measures of applied events that no metric counts, summed over all sites.
    """
    found = dict.fromkeys(LEFT_OUT, 0)
    no_event: dict[str, int] = {}
    for reason, lines in rejected.items():
        name = _AFTER_PARSING.get(reason)
        if name is None:
            no_event[str(reason)] = lines
        found[name or "no event"] += lines
    for name, measure in MEASURE_OF.items():
        found[name] = counts.get(measure, 0)
    uncounted = sum(found[name] for name in MEASURE_OF)
    return Accounting(
        lines=applied + sum(rejected.values()),
        counted=applied - uncounted,
        left_out={name: lines for name, lines in found.items() if lines},
        no_event=no_event,
    )
