"""Metrics of support: tickets, how long customers wait for an answer, how long tickets are open."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from schemas.events.feedback import TicketMessage, TicketOpened, TicketReopened, TicketResolved
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.business_hours import BusinessHours
from stream.history.events import HistoryEntry, Index
from stream.history.recount import ByGroup
from stream.history.ticket_course import (
    ANSWERED,
    ASKED,
    LASTED,
    LIFE_DAYS,
    OPEN,
    OPEN_BY_SUPPORT,
    OPENED,
    REOPEN,
    REOPENED,
    RESOLUTIONS,
    RESOLVE,
    RESOLVED,
    RESOLVED_NET,
    RESPONSES,
    WAITING,
    TicketIndex,
    TicketRules,
)
from stream.metrics.counted_by import PERSON, CountedBy, When
from stream.metrics.histogram_terms import Quantile
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Has, Level, Per, Total
from stream.metrics.theme import Theme
from stream.sessions.session import sid_digest
from stream.settings.application import Settings

_SKEW = ("support.clock_skew_seconds", *PERSON)
_BOTS = ("support.exclude_bots", *_SKEW)
_HOURS: tuple[str | When, ...] = (
    "support.business_hours",
    When("support.business_hours", ("support.business_days", "support.holidays")),
    "support.response_bucket",
)
COUNTED_BY: CountedBy = {
    OPENED: PERSON,
    RESOLVED: _SKEW,
    REOPENED: _SKEW,
    RESOLVED_NET: _SKEW,
    WAITING: _BOTS,
    f"{RESPONSES}*": ("support.response_kind", *_HOURS, *_BOTS),
    f"{RESOLUTIONS}*": (*_HOURS, *_SKEW),
}


class Tickets(Aggregate):
    """Aggregate of a person's tickets, which belong to the segments in which they were opened.

    Of several openings the earliest counts. Events at most `support.clock_skew_seconds` before it count
    at the opening, in their order. Earlier ones, or those without any opening, do not count.
    Resolving a resolved ticket changes nothing, nor does reopening an open one. An outgoing message of
    an agent is an answer; one of a bot is an answer only if the settings say so. Support may open a
    ticket itself (outgoing): then the wait begins with the first message of the customer.
    """

    name = "tickets"
    types: Collection[str] = (
        "ticket_opened", "ticket_message", "ticket_resolved", "ticket_reopened",
    )  # fmt: skip
    keep_days = LIFE_DAYS + 1

    def __init__(self, settings: Settings) -> None:
        support = settings.support
        self._rules = TicketRules(
            BusinessHours(support),
            support.response_kind == "every",
            support.response_bucket == "opened",
            support.clock_skew_seconds * 1000,
        )
        self._bots_answer = not support.exclude_bots

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the ticket and what happened to it."""
        kind = None
        if isinstance(event, TicketOpened):
            kind = OPEN if event.direction != "outgoing" else OPEN_BY_SUPPORT
        elif isinstance(event, TicketMessage):
            if event.direction == "incoming":
                kind = ASKED
            elif event.author != "bot" or self._bots_answer:
                kind = ANSWERED
        elif isinstance(event, TicketResolved):
            kind = RESOLVE
        elif isinstance(event, TicketReopened):
            kind = REOPEN
        return None if kind is None else (sid_digest(event.ticket_id), kind)

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by ticket."""
        return ByGroup(lambda: TicketIndex(self._rules, registry), _ticket_of)


def _ticket_of(entry: HistoryEntry) -> bytes:
    ticket: bytes = entry[2]
    return ticket


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the counts of tickets, and the times that customers wait."""
    support = settings.support
    yield from _counts()
    yield _waiting(settings)
    who = "a human" if support.exclude_bots else "support"
    reply = f"first reply of {who} − ticket opened"
    if support.response_kind == "every":
        reply = f"each reply of {who} − earliest message without an answer"
    yield from _durations(
        settings, "first_response_time", RESPONSES, "a question that was answered", reply
    )
    yield from _durations(
        settings, "resolution_time", RESOLUTIONS, "a ticket that was resolved",
        "first time resolved − ticket opened",
    )  # fmt: skip


def _durations(settings: Settings, name: str, what: str, ends: str, words: str) -> Iterator[Metric]:
    """Yield the mean and two percentiles of a duration."""
    open_hours = ", business hours only" if settings.support.business_hours else ""
    window = "in the window"
    if settings.support.response_bucket == "opened":
        window = "of a ticket opened in the window"
    shared: dict[str, Any] = {"unit": "seconds", "windows": ("day", "trailing_30d")}
    yield Metric(
        name=name,
        help=f"Mean time of {ends} {window}{open_hours}.",
        formula=f"mean of {words}{open_hours}",
        numerator=Per(Total(LASTED[what]), 1_000),
        denominator=Total(what),
        gauge=f"{name}_mean_seconds",
        example=Example("waits of 60, 120 and 360 s", 540, 3, 180),
        **shared,
    )
    for percent in (50, 90):
        yield Metric(
            name=f"{name}_p{percent}",
            help=f"Time that {percent} % of them do not exceed, for {ends} {window}{open_hours}.",
            formula=f"{percent}th percentile of {words}{open_hours}",
            numerator=Quantile(what, percent / 100),
            denominator=Has(Total(what)),
            gauge=f"{name}_p{percent}_seconds",
            approximate=True,
            example=Example(f"{percent} of 100 take 60 s or less", 60, 1, 60),
            **shared,
        )


def _counts() -> Iterator[Metric]:
    for name, text, formula, numerator, example in (
        ("opened", "Tickets opened.", "number of tickets opened", OPENED,
         Example("two people open tickets, one of them two", 3, None, 3)),
        ("resolved_gross", "Times that a ticket was resolved.", "number of resolutions", RESOLVED,
         Example("4 tickets are resolved, one of them twice", 5, None, 5)),
        ("reopened", "Times that a resolved ticket was reopened.", "number of reopenings",
         REOPENED, Example("one of 5 resolved tickets is reopened", 1, None, 1)),
    ):  # fmt: skip
        yield Metric(
            name=f"tickets_{name}",
            help=text,
            unit="tickets",
            formula=formula,
            numerator=Total(numerator),
            windows=("day", "trailing_30d"),
            gauge=f"tickets_{name}",
            example=example,
        )
    yield Metric(
        name="tickets_resolved",
        own_window=True,
        help="Tickets whose last change of the day is a resolution; reopened ones do not count.",
        unit="tickets",
        formula="distinct tickets resolved by their last change of the day",
        numerator=Total(RESOLVED_NET),
        windows=("day",),
        gauge="tickets_resolved",
        example=Example("5 resolved, 1 reopened", 4, None, 4),
    )


def _waiting(settings: Settings) -> Metric:
    who = "a human" if settings.support.exclude_bots else "a reply"
    return Metric(
        name="tickets_waiting",
        help=f"Tickets that wait for {who} or for their resolution, for a year at most.",
        unit="tickets",
        formula="tickets opened or reopened, less those answered or resolved since",
        numerator=Level(WAITING),
        windows=("day",),
        gauge="tickets_waiting",
        example=Example("5 opened, 2 answered, 1 resolved unanswered", 2, None, 2),
        level=True,
    )


THEME = Theme(
    title="Support",
    text="Tickets, how long customers wait for an answer, and how long their tickets are open.",
    metrics=metrics,
    aggregates=lambda settings: (Tickets(settings),),
    counted_by=COUNTED_BY,
)
