"""Answers to surveys: what is kept of each person, and the measures that it adds up to."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.events.feedback import SurveyDismissed, SurveyResponse
from stream.counters.measures import MICROS, OFF_SCALE_EVENTS
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.events import Aggregate, Contributions, HistoryEntry, Index, at, on
from stream.metrics.counted_by import PERSON, CountedBy
from stream.sessions.session import sid_digest
from stream.settings.application import Settings
from stream.settings.customers import TOP_BOX

#: Answers that are on their scale, and those that are not.
ANSWERS = "answers"
OFF_SCALE = "answers_off_scale"
#: Each kind of survey counts "<kind>_answers", "<kind>_dismissed" and measures of its own.
PROMOTERS, DETRACTORS = "nps_promoters", "nps_detractors"
SATISFIED = "csat_satisfied"
CES_MICROS, RATING_MICROS = "ces_micros", "rating_micros"
#: Answers in the three easiest scores of the scale.
CES_EASY = "ces_easy"
_ANSWERED = ("survey.dedupe", *PERSON)
_SCALES = ("survey.csat_scale", "survey.ces_scale", "survey.rating_scale")
# Measures of the newest answers begin with the name of the measure of all answers.
COUNTED_BY: CountedBy = {
    f"{ANSWERS}*": (*_SCALES, *_ANSWERED),
    OFF_SCALE: (*_SCALES, *PERSON),
    "nps_*": _ANSWERED,
    "csat_*": ("survey.csat_scale", *_ANSWERED),
    f"{SATISFIED}*": ("survey.csat_satisfied_min", "survey.csat_scale", *_ANSWERED),
    "ces_*": ("survey.ces_scale", *_ANSWERED),
    f"{CES_EASY}*": ("survey.ces_higher_is_easier", "survey.ces_scale", *_ANSWERED),
    "rating_*": ("survey.rating_scale", *_ANSWERED),
    **dict.fromkeys(
        ("nps_dismissed", "csat_dismissed", "ces_dismissed", "rating_dismissed"), PERSON
    ),
}

_NPS_MAX, _PROMOTER, _PASSIVE = 10 * MICROS, 9 * MICROS, 7 * MICROS
_OFF_SCALE = -1
#: Lowest score of each kind of survey: csat and ces are answered from 1, nps and ratings from 0.
_LOWEST = {"nps": 0, "csat": 1, "ces": 1, "rating": 0}
_FAR = 1_000_000


def answered(kind: str) -> str:
    """Name the measure of the answers to a kind of survey."""
    return f"{kind}_answers"


def dismissed(kind: str) -> str:
    """Name the measure of the surveys of a kind that were closed without an answer."""
    return f"{kind}_dismissed"


def newest(measure: str, days: int) -> str:
    """Name the measure of each person's newest answer in `days` days, counted on the last of them."""
    return f"{measure}_{days}d"


class Answer(NamedTuple):
    """One answer. Its score is in millionths, on the scale that the settings give its kind."""

    time_ms: int
    kind: str
    micros: int
    segments: tuple[Segment, ...]


class Feedback(Aggregate):
    """Aggregate of a person's answers.

    Of several answers to a survey with one response id the last counts; of two at one instant, the
    higher. A score with its own scale is converted to the scale of the settings: lowest to lowest,
    highest to highest. An answer off its scale counts only as such: a score above the scale of the
    settings that has none of its own, and an NPS answer on any scale but 0 to 10.
    With `survey.dedupe` latest_per_user a window holds each person's newest answer to each kind of
    survey; of two at one instant, the higher.
    """

    name = "surveys"
    types: Collection[str] = ("survey_response", "survey_dismissed")
    #: For which a response id is known when it comes again.
    keep_days = 400

    def __init__(self, settings: Settings) -> None:
        survey = settings.survey
        self._scale = {
            "nps": 10, "csat": survey.csat_scale, "ces": survey.ces_scale,
            "rating": survey.rating_scale,
        }  # fmt: skip
        self._satisfied = survey.csat_satisfied_min * MICROS
        #: Whether only the newest answer of a person counts.
        self.latest = survey.dedupe == "latest_per_user"
        self._days = survey.window_days
        self._easy = survey.ces_mode == "top_box"
        easiest = survey.ces_scale - TOP_BOX + 1, survey.ces_scale
        low, high = easiest if survey.ces_higher_is_easier else (0, TOP_BOX)
        self._easiest = low * MICROS, high * MICROS

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the kind of survey, the score, and a digest of the answer's id."""
        if isinstance(event, SurveyResponse):
            given = event.response_id
            of = f"r{given}" if given is not None else f"e{event.event_id}"
            return event.survey, self._micros(event), sid_digest(of)
        if isinstance(event, SurveyDismissed) and event.survey is not None:
            return event.survey, None, sid_digest(f"d{event.event_id}")
        return None

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by response, and of the newest answers by segment."""
        return AnswerIndex(self, registry)

    def count_single(
        self, counts: Contributions, entry: HistoryEntry, registry: SegmentRegistry, by: int
    ) -> None:
        """Count an entry at its time: an answer, a dismissed survey, or an answer off its scale."""
        time_ms, segment_set_id, kind, micros, _ = entry
        answer = self.answer(entry, registry)
        if answer is not None:
            for measure, count in self.counted(answer):
                for segment in answer.segments:
                    at(counts, measure, segment, time_ms, by * count)
            return
        for measure in (dismissed(kind),) if micros is None else (OFF_SCALE, OFF_SCALE_EVENTS):
            for segment in registry.by_id(segment_set_id).segments:
                at(counts, measure, segment, time_ms, by)

    def count_newest(
        self, counts: Contributions, segment: Segment, in_order: Sequence[Answer], by: int
    ) -> None:
        """Count answers to one survey, sorted by time and score, until the day of the next."""
        days = [*(segment.calendar.day_of(answer.time_ms) for answer in in_order), _FAR]
        for answer, (day, superseded) in zip(in_order, pairwise(days), strict=True):
            for measure, count in self.counted(answer):
                if day < superseded:
                    on(counts, measure, segment, day, by * count)
                for end in range(day, min(day + self._days, superseded)):
                    on(counts, newest(measure, self._days), segment, end, by * count)

    def answer(self, entry: HistoryEntry, registry: SegmentRegistry) -> Answer | None:
        """Return the answer of an entry; None if it is none, or off its scale."""
        time_ms, segment_set_id, kind, micros, _ = entry
        if micros is None or micros == _OFF_SCALE:
            return None
        segment_set = registry.by_id(segment_set_id)
        own_segment = registry.own_segment(segment_set.site, "survey", kind)
        return Answer(time_ms, kind, micros, (*segment_set.segments, own_segment))

    def _micros(self, event: SurveyResponse) -> int:
        """Convert the score to the scale of the settings, in millionths."""
        scale, lowest = self._scale[event.survey], _LOWEST[event.survey]
        own = scale if event.scale_max is None else event.scale_max
        is_known = own == scale if event.survey == "nps" else own > lowest
        if not is_known or not lowest <= event.score <= own:
            return _OFF_SCALE
        return round((lowest + (event.score - lowest) * (scale - lowest) / (own - lowest)) * MICROS)

    def counted(self, answer: Answer) -> Iterator[tuple[str, int]]:
        """Yield (measure, count) of an answer."""
        kind, micros = answer.kind, answer.micros
        yield ANSWERS, 1
        yield answered(kind), 1
        if kind == "nps":
            yield PROMOTERS, micros >= _PROMOTER
            yield DETRACTORS, micros < _PASSIVE
        elif kind == "csat":
            yield SATISFIED, micros >= self._satisfied
        elif kind == "ces" and self._easy:
            low, high = self._easiest
            yield CES_EASY, low <= micros <= high
        else:
            yield (CES_MICROS if kind == "ces" else RATING_MICROS), micros


class AnswerIndex:
    """The last answer of each response and survey, and with latest_per_user all of them in order."""

    def __init__(self, feedback: Feedback, registry: SegmentRegistry) -> None:
        self._feedback = feedback
        self._registry = registry
        self._last: dict[tuple[bytes, str], HistoryEntry] = {}
        self._in_order: dict[tuple[str, Segment], list[Answer]] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        for entry in entries:
            self._take(entry, None)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        counts: Contributions = Contributions()
        for entry in new:
            self._take(entry, counts)
        return counts

    def _take(self, entry: HistoryEntry, counts: Contributions | None) -> None:
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
        answer = self._feedback.answer(entry, self._registry) if self._feedback.latest else None
        if answer is not None:
            for segment in answer.segments:
                self._change_order(segment, answer, by, counts)
        elif counts is not None:
            self._feedback.count_single(counts, entry, self._registry, by)

    def _change_order(
        self, segment: Segment, answer: Answer, by: int, counts: Contributions | None
    ) -> None:
        """Add or remove an answer, which changes how long the one before it counts."""
        in_order = self._in_order.setdefault((answer.kind, segment), [])
        place = bisect_left(in_order, answer[:3], key=lambda one: one[:3])
        without = in_order[max(place - 1, 0) : place + (1 if by > 0 else 2)]
        if by > 0:
            in_order.insert(place, answer)
        else:
            del in_order[place]
        if counts is not None:
            after = in_order[max(place - 1, 0) : place + (2 if by > 0 else 1)]
            self._feedback.count_newest(counts, segment, without, -1)
            self._feedback.count_newest(counts, segment, after, 1)


def _response_of(entry: HistoryEntry) -> tuple[bytes, str]:
    """Return the response of an entry, and the kind of survey."""
    return entry[4], entry[2]
