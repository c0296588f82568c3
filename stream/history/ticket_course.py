"""Index of one ticket: its course from the opening on, counted change by change."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from stream.counters.calendar import DAY_MS
from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.history.business_hours import BusinessHours
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry, Index

OPENED, RESOLVED, REOPENED = "tickets_opened", "tickets_resolved", "tickets_reopened"
#: Tickets whose last change of a day is a resolution.
RESOLVED_NET = "tickets_resolved_net"
WAITING = "level_tickets_waiting"
#: Answered (resolved) tickets, and the histogram of the time it took; then the measures of its sum.
RESPONSES, RESOLUTIONS = "first_response", "resolution"
LASTED: Final = {RESPONSES: "first_response_ms", RESOLUTIONS: "resolution_ms"}

LIFE_DAYS = 365  # From the opening. Later events do not count, and a customer waits no longer.
#: Kinds of entries. An opening by support is an opening and an answer.
OPEN, ASKED, ANSWERED, RESOLVE, REOPEN = "o", "i", "a", "r", "u"
OPEN_BY_SUPPORT = OPEN + ANSWERED
#: At one instant openings come first, then questions; reopenings come last, whatever arrived first.
_TURN: Final = {ASKED: 0, ANSWERED: 1, RESOLVE: 2, REOPEN: 3}
#: Time of what has not happened.
_NEVER = -1


class TicketRules:
    """The changes of a ticket that count, and when."""

    __slots__ = ("every", "hours", "is_at_opening", "skew_ms")

    def __init__(
        self, hours: BusinessHours, every: bool, is_at_opening: bool, skew_ms: int
    ) -> None:
        self.hours = hours
        #: Whether every reply counts, not only the first one.
        self.every = every
        #: Whether durations count at the opening, not at their end.
        self.is_at_opening = is_at_opening
        #: How long before the opening an event counts as one at the opening.
        self.skew_ms = skew_ms


class TicketIndex(Index):
    """The entries of one ticket, and its course. An entry that comes last costs one step."""

    __slots__ = ("_course", "_entries", "_registry", "_rules")

    def __init__(self, rules: TicketRules, registry: SegmentRegistry) -> None:
        self._rules = rules
        self._registry = registry
        self._entries: list[HistoryEntry] = []
        self._course: _Course | None = None

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._entries = sorted(entries, key=self._key)
        self._course = self._run(1, None)

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count the change."""
        entries, course = self._entries, self._course
        place = len(entries)
        if place and entries[-1][0] >= entry[0]:
            place = bisect_left(entries, self._key(entry), key=self._key)
        if entry[3][0] == OPEN:
            is_next = course is not None and place == len(entries)
        else:
            is_next = course is None or place == len(entries)
        if is_next:
            entries.insert(place, entry)
            if course is not None:
                course.take(entry[0], entry[3], 1, counts)
            return
        self._run(-1, counts)
        entries.insert(place, entry)
        self._course = self._run(1, counts)

    def _run(self, by: int, counts: Contributions | None) -> "_Course | None":
        """Count the whole course, and return its end; None without an opening."""
        for opening in self._entries:
            if opening[3][0] == OPEN:
                break
        else:
            return None
        course = _Course(self._rules, opening[0], self._registry.by_id(opening[1]))
        course.begin(opening[3] == OPEN_BY_SUPPORT, by, counts)
        for entry in self._entries:
            course.take(entry[0], entry[3], by, counts)
        return course

    def _key(self, entry: HistoryEntry) -> tuple[Any, ...]:
        """Return the sort key of an entry: equal in every shard."""
        order = self._registry.by_id(entry[1]).order
        return entry[0], _TURN.get(entry[3], -1), repr(entry[2:]), order


class _Course:
    """One ticket after some of its events. Times are epoch ms."""

    __slots__ = (
        "_asked", "_changed_day", "_is_answered", "_is_changed", "_opened", "_resolved", "_rules",
        "_segment_set", "_unanswered", "_waits_since",
    )  # fmt: skip

    def __init__(self, rules: TicketRules, opened: int, segment_set: SegmentSet) -> None:
        self._rules = rules
        self._opened = opened
        #: The ticket counts where it was opened.
        self._segment_set = segment_set
        #: Whether the customer has asked anything.
        self._asked = False
        #: Earliest question without an answer.
        self._unanswered = _NEVER
        #: Since when the customer waits for a human, or for the resolution.
        self._waits_since = _NEVER
        self._is_answered = False
        self._resolved = False
        self._is_changed = False
        #: Day of the last change.
        self._changed_day = 0

    def begin(self, by_support: bool, by: int, counts: Contributions | None) -> None:
        """Open the ticket. Of one that support opens, the wait begins with the customer's first message."""
        if counts is not None:
            counts.at(OPENED, self._segment_set, self._opened, by)
        if not by_support:
            self._asked = True
            self._unanswered = self._opened
            self._wait(self._opened, by, counts)

    def take(self, given_ms: int, kind: str, by: int, counts: Contributions | None) -> None:
        """Take the event that comes next, and count what it changes; `by` −1: take that away."""
        opened = self._opened
        if kind[0] == OPEN or not is_of_ticket(given_ms, opened, self._rules.skew_ms):
            return
        time_ms = max(given_ms, opened)
        if kind == ASKED:
            if not self._asked:
                self._asked = True
                self._wait(time_ms, by, counts)
            if self._unanswered == _NEVER:
                self._unanswered = time_ms
        elif kind == ANSWERED:
            if self._unanswered != _NEVER:
                if self._rules.every or not self._is_answered:
                    self._count_lasted(RESPONSES, self._unanswered, time_ms, by, counts)
                self._is_answered = True
                self._unanswered = _NEVER
        elif self._resolved != (kind == RESOLVE):
            self._change(time_ms, by, counts)
        if self._waits_since != _NEVER and (kind == ANSWERED or self._resolved):
            self._count_waiting(opened + LIFE_DAYS * DAY_MS, by, counts)
            self._count_waiting(time_ms, -by, counts)
            self._waits_since = _NEVER

    def _change(self, time_ms: int, by: int, counts: Contributions | None) -> None:
        """Resolve the ticket, or reopen it."""
        was_resolved = self._resolved
        self._resolved = not was_resolved
        day = self._segment_set.calendar.day_of(time_ms)
        if counts is not None:
            counts.at(REOPENED if was_resolved else RESOLVED, self._segment_set, time_ms, by)
            # The last change of a day counts: a reopening takes back the resolution of its day.
            if not was_resolved:
                counts.on(RESOLVED_NET, self._segment_set, day, by)
            elif self._changed_day == day:
                counts.on(RESOLVED_NET, self._segment_set, day, -by)
        if not self._is_changed:
            self._is_changed = True
            self._count_lasted(RESOLUTIONS, self._opened, time_ms, by, counts)
        self._changed_day = day
        if was_resolved:
            self._wait(time_ms, by, counts)

    def _wait(self, time_ms: int, by: int, counts: Contributions | None) -> None:
        """Let the customer wait from an instant on, at most for the life of the ticket."""
        if self._waits_since != _NEVER:
            self._count_waiting(self._waits_since, -by, counts)
        else:
            self._count_waiting(self._opened + LIFE_DAYS * DAY_MS, -by, counts)
        self._count_waiting(time_ms, by, counts)
        self._waits_since = time_ms

    def _count_waiting(self, time_ms: int, by: int, counts: Contributions | None) -> None:
        if counts is not None:
            segment_set = self._segment_set
            counts.on(WAITING, segment_set, segment_set.calendar.day_of(time_ms), by)

    def _count_lasted(
        self, what: str, start: int, end: int, by: int, counts: Contributions | None
    ) -> None:
        """Count a duration at its end or at the opening, and in the histogram."""
        if counts is None:
            return
        segment_set = self._segment_set
        at_ms = self._opened if self._rules.is_at_opening else end
        duration = self._rules.hours.between(start, end, segment_set.calendar)
        counts.at(what, segment_set, at_ms, by)
        counts.at(LASTED[what], segment_set, at_ms, by * duration)
        bucket = duration_bucket(duration)
        counts.at(histogram_measure(what, bucket), segment_set, at_ms, by)


def is_of_ticket(time_ms: int, opened: int, skew_ms: int) -> bool:
    """Return whether an instant is in the life of a ticket, or `skew_ms` at most before it."""
    return opened - skew_ms <= time_ms < opened + LIFE_DAYS * DAY_MS
