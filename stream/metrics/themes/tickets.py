"""Tickets: who asked for help, how long they waited, and for how long their tickets were open."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from schemas.events.feedback import TicketMessage, TicketOpened, TicketReopened, TicketResolved
from stream.counters.calendar import DAY_MS
from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.business_hours import BusinessHours
from stream.history.events import Contributions, HistoryEntry, at, on
from stream.metrics.counted_by import PERSON, CountedBy, When
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Has, Level, Quantile, Total
from stream.metrics.theme import Theme
from stream.sessions.session import sid_digest
from stream.settings.application import Settings

OPENED, RESOLVED, REOPENED = "tickets_opened", "tickets_resolved", "tickets_reopened"
#: Tickets whose last change of a day was to be resolved.
RESOLVED_NET = "tickets_resolved_net"
WAITING = "level_tickets_waiting"
#: How many were answered (resolved) and a histogram of how long that took; how long in all.
RESPONSES, RESOLUTIONS = "first_response", "resolution"
LASTED = {RESPONSES: "first_response_ms", RESOLUTIONS: "resolution_ms"}
_BOTS = ("support.exclude_bots", *PERSON)
_HOURS: tuple[str | When, ...] = (
    "support.business_hours",
    When("support.business_hours", ("support.business_days", "support.holidays")),
    "support.response_bucket",
)
COUNTED_BY: CountedBy = {
    OPENED: PERSON,
    RESOLVED: PERSON,
    REOPENED: PERSON,
    RESOLVED_NET: PERSON,
    WAITING: _BOTS,
    f"{RESPONSES}*": ("support.response_kind", *_HOURS, *_BOTS),
    f"{RESOLUTIONS}*": (*_HOURS, *PERSON),
}

#: What comes later after the opening of a ticket counts nowhere; who waited so long waits no more.
LIFE_DAYS = 365
_LIFE_MS = LIFE_DAYS * DAY_MS
_OPEN, _ASKED, _ANSWERED, _RESOLVE, _REOPEN = "o", "i", "a", "r", "u"


class Ticket(NamedTuple):
    """The course of one ticket; times are epoch ms."""

    opened: int
    segments: tuple[Segment, ...]
    #: (when something was asked that nobody had answered yet, when it was answered), in turns.
    replies: list[tuple[int, int]]
    #: (time, whether it was resolved or reopened), in turns.
    changes: list[tuple[int, bool]]
    #: [start, end) of waiting for a human or for the end.
    waits: list[tuple[int, int]]


class Tickets:
    """Tickets of a person, which belong to the segments in which they were opened.

    Of several openings the earliest counts; what came before it, or for a ticket that nobody
    opened, counts nowhere, nor does resolving what is resolved or reopening what is open. A message
    that goes out and is no bot's is a human's; bots are like humans where the settings say so.
    Support may open a ticket itself (outgoing): then the wait begins with the first message of the
    customer.
    """

    name = "tickets"
    types: Collection[str] = (
        "ticket_opened", "ticket_message", "ticket_resolved", "ticket_reopened",
    )  # fmt: skip
    keep_days = LIFE_DAYS + 1

    def __init__(self, settings: Settings) -> None:
        support = settings.support
        self._hours = BusinessHours(support)
        self._every = support.response_kind == "every"
        self._at_opening = support.response_bucket == "opened"
        self._bots_answer = not support.exclude_bots

    def entry(self, event: Any) -> Sequence[Any] | None:
        """What happened to which ticket."""
        kind = None
        if isinstance(event, TicketOpened):
            kind = _OPEN if event.direction != "outgoing" else _OPEN + _ANSWERED
        elif isinstance(event, TicketMessage):
            if event.direction == "incoming":
                kind = _ASKED
            elif event.author != "bot" or self._bots_answer:
                kind = _ANSWERED
        elif isinstance(event, TicketResolved):
            kind = _RESOLVE
        elif isinstance(event, TicketReopened):
            kind = _REOPEN
        return None if kind is None else (sid_digest(event.ticket_id), kind)

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Tickets when they change, waiting by day, durations when they end."""
        counts: Contributions = Contributions()
        for ticket in tickets(history, registry):
            for segment in ticket.segments:
                self._count(counts, segment, ticket)
        return counts

    def _count(self, counts: Contributions, segment: Segment, ticket: Ticket) -> None:
        at(counts, OPENED, segment, ticket.opened)
        day_of = segment.calendar.day_of
        last_of_day: dict[int, bool] = {}
        for time_ms, is_resolved in ticket.changes:
            at(counts, RESOLVED if is_resolved else REOPENED, segment, time_ms)
            last_of_day[day_of(time_ms)] = is_resolved
        for day, is_resolved in last_of_day.items():
            on(counts, RESOLVED_NET, segment, day, is_resolved)
        for start, end in ticket.waits:
            on(counts, WAITING, segment, day_of(start))
            on(counts, WAITING, segment, day_of(end), -1)
        lasted = [(RESPONSES, *reply) for reply in ticket.replies[: None if self._every else 1]]
        if ticket.changes:
            lasted.append((RESOLUTIONS, ticket.opened, ticket.changes[0][0]))
        for what, start, end in lasted:
            counted_at = ticket.opened if self._at_opening else end
            duration = self._hours.between(start, end, segment.calendar)
            at(counts, what, segment, counted_at)
            at(counts, LASTED[what], segment, counted_at, duration)
            bucket = duration_bucket(duration)
            at(counts, histogram_measure(what, bucket), segment, counted_at)


def tickets(history: Iterable[HistoryEntry], registry: SegmentRegistry) -> Iterator[Ticket]:
    """The tickets that were opened, from facts sorted by time."""
    by_id: dict[bytes, list[HistoryEntry]] = {}
    for entry in history:
        by_id.setdefault(entry[2], []).append(entry)
    for theirs in by_id.values():
        opening = next((entry for entry in theirs if entry[3][0] == _OPEN), None)
        if opening is not None:
            yield _course(opening, theirs, registry.by_id(opening[1]).segments)


def _course(
    opening: HistoryEntry, theirs: Iterable[HistoryEntry], segments: tuple[Segment, ...]
) -> Ticket:
    opened, by_support = opening[0], opening[3] != _OPEN
    asked = unanswered = waits_since = None if by_support else opened
    replies: list[tuple[int, int]] = []
    resolved = False
    changes: list[tuple[int, bool]] = []
    waits: list[tuple[int, int]] = []
    # Of one instant, questions come first and reopenings last: by these letters, not by arrival.
    ordered = sorted(theirs, key=lambda entry: (entry[0], _TURN.get(entry[3], -1)))
    for time_ms, _, _, kind in ordered:
        if time_ms < opened or time_ms >= opened + _LIFE_MS or kind[0] == _OPEN:
            continue
        if kind == _ASKED and asked is None:
            asked = waits_since = time_ms
        if kind == _ASKED and unanswered is None:
            unanswered = time_ms
        if kind == _ANSWERED and unanswered is not None:
            replies.append((unanswered, time_ms))
            unanswered = None
        if kind in (_RESOLVE, _REOPEN) and resolved != (kind == _RESOLVE):
            resolved = not resolved
            changes.append((time_ms, resolved))
            if not resolved:
                waits_since = time_ms
        if waits_since is not None and (kind == _ANSWERED or resolved):
            waits.append((waits_since, time_ms))
            waits_since = None
    if waits_since is not None:
        waits.append((waits_since, opened + _LIFE_MS))
    return Ticket(opened, segments, replies, changes, waits)


_TURN = {_ASKED: 0, _ANSWERED: 1, _RESOLVE: 2, _REOPEN: 3}


def metrics(settings: Settings) -> Iterator[Metric]:
    """Counts of tickets, and how long customers waited."""
    support = settings.support
    yield from _counts()
    yield _waiting(settings)
    who = "a human" if support.exclude_bots else "support"
    reply = f"first reply of {who} − ticket opened"
    if support.response_kind == "every":
        reply = f"each reply of {who} − earliest message that was not yet answered"
    yield from _durations(
        settings, "first_response_time", RESPONSES, "a question that was answered", reply
    )
    yield from _durations(
        settings, "resolution_time", RESOLUTIONS, "a ticket that was resolved",
        "first time resolved − ticket opened",
    )  # fmt: skip


def _durations(settings: Settings, name: str, what: str, ends: str, words: str) -> Iterator[Metric]:
    """The mean and two percentiles of how long it took."""
    open_hours = ", business hours only" if settings.support.business_hours else ""
    window = "in the window"
    if settings.support.response_bucket == "opened":
        window = "of a ticket opened in the window"
    shared: dict[str, Any] = {"unit": "seconds", "windows": ("day", "trailing_30d")}
    yield Metric(
        name=name,
        help=f"Mean time of {ends} {window}{open_hours}.",
        formula=f"mean of {words}{open_hours}",
        numerator=Total(LASTED[what], scale=1 / 1000),
        denominator=Total(what),
        gauge=f"{name}_mean_seconds",
        example=Example("waits of 60, 120 and 360 s", 540, 3, 180),
        **shared,
    )
    for percent in (50, 90):
        yield Metric(
            name=f"{name}_p{percent}",
            help=f"Time that {percent} % do not exceed, of what ended {window}{open_hours}.",
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
         Example("two people ask, one of them twice", 3, None, 3)),
        ("resolved_gross", "Times that a ticket was resolved.", "number of resolutions", RESOLVED,
         Example("4 tickets, one of them twice", 5, None, 5)),
        ("reopened", "Times that a resolved ticket was opened again.", "number of reopenings",
         REOPENED, Example("one of 5 resolved tickets comes back", 1, None, 1)),
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
        help="Tickets whose last change of the day was to be resolved: net of those reopened.",
        unit="tickets",
        formula="distinct tickets that are resolved after their last change of the day",
        numerator=Total(RESOLVED_NET),
        windows=("day",),
        gauge="tickets_resolved",
        example=Example("5 resolved, 1 reopened", 4, None, 4),
    )


def _waiting(settings: Settings) -> Metric:
    who = "a human" if settings.support.exclude_bots else "a reply"
    return Metric(
        name="tickets_waiting",
        help=f"Tickets that wait for {who} or for their end; after a year they wait no more.",
        unit="tickets",
        formula="tickets opened or reopened, less those that were answered or resolved since",
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
