"""Index of a person's answers to surveys: the last of each response, or the newest of the person."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from stream.counters.measures import MICROS, OFF_SCALE_EVENTS
from stream.counters.segments import Group, SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.events import EachEntry, HistoryEntry
from stream.history.groups import Groups, GroupState

#: Answers that are on their scale, and those that are not.
ANSWERS = "answers"
OFF_SCALE = "answers_off_scale"
#: Each kind of survey counts "<kind>_answers", "<kind>_dismissed" and measures of its own.
PROMOTERS, DETRACTORS = "nps_promoters", "nps_detractors"
SATISFIED = "csat_satisfied"
CES_MICROS, RATING_MICROS = "ces_micros", "rating_micros"
#: Answers in the three easiest scores of the scale.
CES_EASY = "ces_easy"
#: Score of an answer off its scale.
OFF = -1
_PROMOTER, _PASSIVE = 9 * MICROS, 7 * MICROS
_FAR = 1_000_000

#: Time, kind of survey and score of an answer. The score is in millionths, on the scale that the settings
#: give its kind.
Answer = tuple[int, str, int]


def answered(kind: str) -> str:
    """Name the measure of the answers to a kind of survey."""
    return f"{kind}_answers"


def dismissed(kind: str) -> str:
    """Name the measure of the surveys of a kind that were closed without an answer."""
    return f"{kind}_dismissed"


def newest(measure: str, days: int) -> str:
    """Name the measure of each person's newest answer in `days` days, counted on the last of them."""
    return f"{measure}_{days}d"


class AnswerRules:
    """The measures that an answer counts."""

    __slots__ = ("_days", "_easiest", "_satisfied", "is_latest")

    def __init__(
        self, satisfied: int, easiest: tuple[int, int] | None, days: int, is_latest: bool
    ) -> None:
        """`easiest`: the lowest and highest score that is easy; None: the sum of scores counts."""
        self._satisfied = satisfied
        self._easiest = easiest
        self._days = days
        #: Whether only the newest answer of a person counts.
        self.is_latest = is_latest

    def counted(self, kind: str, micros: int) -> list[tuple[str, int]]:
        """Return (measure, count) of an answer."""
        found = [(ANSWERS, 1), (answered(kind), 1)]
        if kind == "nps":
            if micros >= _PROMOTER:
                found.append((PROMOTERS, 1))
            elif micros < _PASSIVE:
                found.append((DETRACTORS, 1))
        elif kind == "csat":
            if micros >= self._satisfied:
                found.append((SATISFIED, 1))
        elif kind == "ces" and self._easiest is not None:
            low, high = self._easiest
            if low <= micros <= high:
                found.append((CES_EASY, 1))
        else:
            found.append((CES_MICROS if kind == "ces" else RATING_MICROS, micros))
        return found

    def count_newest(
        self, counts: Contributions, group: Group, in_order: Sequence[Answer], by: int
    ) -> None:
        """Count answers to one survey, sorted by time and score, until the day of the next."""
        days = [group.calendar.day_of(answer[0]) for answer in in_order]
        days.append(_FAR)
        for number, (_, kind, micros) in enumerate(in_order):
            day, superseded = days[number], days[number + 1]
            if day == superseded:
                continue
            last = min(day + self._days, superseded) - 1
            for measure, count in self.counted(kind, micros):
                counts.on(measure, group, day, by * count)
                counts.during(newest(measure, self._days), group, day, last, by * count)


class AnswerIndex(EachEntry):
    """The last answer of each response and survey, and with latest_per_user all of them in order."""

    __slots__ = ("_in_order", "_last", "_of_surveys", "_registry", "_rules")

    def __init__(self, rules: AnswerRules, registry: SegmentRegistry) -> None:
        self._rules = rules
        self._registry = registry
        self._last: dict[tuple[bytes, str], HistoryEntry] = {}
        #: Kind of survey → answers by group of segments, and those of the survey's own segment.
        self._in_order: dict[str, Groups[_Answers]] = {}
        self._of_surveys: dict[str, _Answers] = {}

    def take(self, entry: HistoryEntry, counts: Contributions | None) -> None:
        """Count an entry, unless a later one of its response is known, which replaces it."""
        key = _response_of(entry)
        known = self._last.get(key)
        if known is not None:
            if self._rank(known) > self._rank(entry):
                return
            self._count(known, -1, counts)
        self._last[key] = entry
        self._count(entry, 1, counts)

    def _rank(self, entry: HistoryEntry) -> tuple[Any, ...]:
        """Return what sorts the entries of a response: the time, the score, and the segments."""
        return entry[0], entry[3] or 0, self._registry.by_id(entry[1]).order

    def _count(self, entry: HistoryEntry, by: int, counts: Contributions | None) -> None:
        """Count an answer, a dismissed survey, or an answer off its scale."""
        time_ms, segment_set_id, kind, micros, _ = entry
        segment_set = self._registry.by_id(segment_set_id)
        if micros is None:
            if counts is not None:
                counts.at(dismissed(kind), segment_set, time_ms, by)
        elif micros == OFF:
            if counts is not None:
                counts.at(OFF_SCALE, segment_set, time_ms, by)
                counts.at(OFF_SCALE_EVENTS, segment_set, time_ms, by)
        elif self._rules.is_latest:
            answer: Answer = (time_ms, kind, micros)
            for answers in self._answers(kind, segment_set):
                answers.change(answer, by, counts)
        elif counts is not None:
            own = self._registry.own_segment(segment_set.site, "survey", kind)
            for measure, count in self._rules.counted(kind, micros):
                counts.at(measure, segment_set, time_ms, by * count)
                counts.at(measure, own, time_ms, by * count)

    def _answers(self, kind: str, group: Group) -> "list[_Answers]":
        """Return the answers of the survey's own segment, and those of the groups of an answer."""
        groups = self._in_order.get(kind)
        if groups is None:
            groups = self._in_order[kind] = Groups(_Answers(group, self._rules))
            own = self._registry.own_segment(group.site, "survey", kind)
            self._of_surveys[kind] = _Answers(own, self._rules)
        return [self._of_surveys[kind], *groups.of(group)]


class _Answers(GroupState):
    """Answers to one survey in a group of segments, sorted by time and score."""

    __slots__ = ("_in_order", "_rules")

    def __init__(self, group: Group, rules: AnswerRules) -> None:
        super().__init__(group)
        self._rules = rules
        self._in_order: list[Answer] = []

    def new(self, group: Group) -> "_Answers":
        """Return the state of a group without answers."""
        return _Answers(group, self._rules)

    def copy(self, group: Group) -> "_Answers":
        """Return a copy for a part of the group."""
        found = _Answers(group, self._rules)
        found._in_order = self._in_order[:]
        return found

    def change(self, answer: Answer, by: int, counts: Contributions | None) -> None:
        """Add or remove an answer, which changes how long the one before it counts."""
        in_order = self._in_order
        place = bisect_left(in_order, answer)
        first = max(place - 1, 0)
        without = in_order[first : place + (1 if by > 0 else 2)]
        if by > 0:
            in_order.insert(place, answer)
        else:
            del in_order[place]
        if counts is not None:
            after = in_order[first : place + (2 if by > 0 else 1)]
            self._rules.count_newest(counts, self.group, without, -1)
            self._rules.count_newest(counts, self.group, after, 1)


def _response_of(entry: HistoryEntry) -> tuple[bytes, str]:
    """Return the response of an entry, and the kind of survey."""
    return entry[4], entry[2]
