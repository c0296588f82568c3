"""Metrics of support: tickets, how long customers wait for an answer, how long tickets are open."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from schemas.events.feedback import TicketMessage, TicketOpened, TicketReopened, TicketResolved
from stream.counters.calendar import DAY_MS
from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.business_hours import BusinessHours
from stream.history.events import Aggregate, Contributions, HistoryEntry, Index, at, on
from stream.history.recount import ByGroup
from stream.metrics.counted_by import PERSON, CountedBy, When
from stream.metrics.histogram_terms import Quantile
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Has, Level, Per, Total
from stream.metrics.theme import Theme
from stream.sessions.session import sid_digest
from stream.settings.application import Settings

OPENED, RESOLVED, REOPENED = "tickets_opened", "tickets_resolved", "tickets_reopened"
#: Tickets whose last change of a day is a resolution.
RESOLVED_NET = "tickets_resolved_net"
WAITING = "level_tickets_waiting"
#: Answered (resolved) tickets, and the histogram of the time it took; then the measures of its sum.
RESPONSES, RESOLUTIONS = "first_response", "resolution"
LASTED = {RESPONSES: "first_response_ms", RESOLUTIONS: "resolution_ms"}
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

LIFE_DAYS = 365  # From the opening. Later events do not count, and a customer waits no longer.
_OPEN, _ASKED, _ANSWERED, _RESOLVE, _REOPEN = "o", "i", "a", "r", "u"


class Ticket(NamedTuple):
    """One ticket from its opening on; times are epoch ms."""

    opened: int
    segments: tuple[Segment, ...]
    #: (earliest question without an answer, its answer), one after the other.
    replies: list[tuple[int, int]]
    #: (time, True: resolved, False: reopened), one after the other.
    changes: list[tuple[int, bool]]
    #: [start, end) of waiting for a human or for the resolution.
    waits: list[tuple[int, int]]


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
        self._hours = BusinessHours(support)
        self._every = support.response_kind == "every"
        self._at_opening = support.response_bucket == "opened"
        self._bots_answer = not support.exclude_bots
        self._skew_ms = support.clock_skew_seconds * 1000

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the ticket and what happened to it."""
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

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by ticket."""
        return ByGroup(self, registry, lambda entry: entry[2])

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Count tickets at their changes, waiting tickets by day, and durations at their end."""
        counts: Contributions = Contributions()
        for ticket in tickets(history, registry, self._skew_ms):
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


def tickets(
    history: Iterable[HistoryEntry], registry: SegmentRegistry, skew_ms: int
) -> Iterator[Ticket]:
    """Yield the tickets that were opened, from entries sorted by time.

    `skew_ms`: how long before the opening an event counts as one at the opening.
    """
    by_id: dict[bytes, list[HistoryEntry]] = {}
    for entry in history:
        by_id.setdefault(entry[2], []).append(entry)
    for entries in by_id.values():
        opening = next((entry for entry in entries if entry[3][0] == _OPEN), None)
        if opening is not None:
            yield _course(opening, entries, registry.by_id(opening[1]).segments, skew_ms)


def _course(
    opening: HistoryEntry,
    entries: Iterable[HistoryEntry],
    segments: tuple[Segment, ...],
    skew_ms: int,
) -> Ticket:
    opened, by_support = opening[0], opening[3] != _OPEN
    asked = unanswered = waits_since = None if by_support else opened
    replies: list[tuple[int, int]] = []
    resolved = False
    changes: list[tuple[int, bool]] = []
    waits: list[tuple[int, int]] = []
    # At one instant questions come first and reopenings last, whatever arrived first.
    ordered = sorted(entries, key=lambda entry: (entry[0], _TURN.get(entry[3], -1)))
    for given_ms, _, _, kind in ordered:
        if not opened - skew_ms <= given_ms < opened + LIFE_DAYS * DAY_MS or kind[0] == _OPEN:
            continue
        time_ms = max(given_ms, opened)
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
        waits.append((waits_since, opened + LIFE_DAYS * DAY_MS))
    return Ticket(opened, segments, replies, changes, waits)


_TURN = {_ASKED: 0, _ANSWERED: 1, _RESOLVE: 2, _REOPEN: 3}


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
