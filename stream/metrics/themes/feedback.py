"""Answers to surveys: what is kept of each person, and the measures that it adds up to."""

from collections.abc import Collection, Sequence
from typing import Any

from schemas.events.feedback import SurveyDismissed, SurveyResponse
from stream.counters.measures import MICROS
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.answers import (
    ANSWERS,
    CES_EASY,
    OFF,
    OFF_SCALE,
    SATISFIED,
    AnswerIndex,
    AnswerRules,
)
from stream.history.events import Index
from stream.metrics.counted_by import PERSON, CountedBy
from stream.sessions.session import sid_digest
from stream.settings.application import Settings
from stream.settings.customers import TOP_BOX

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

#: Lowest score of each kind of survey: csat and ces are answered from 1, nps and ratings from 0.
_LOWEST = {"nps": 0, "csat": 1, "ces": 1, "rating": 0}


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
        easiest = None
        if survey.ces_mode == "top_box":
            lowest, highest = 0, TOP_BOX
            if survey.ces_higher_is_easier:
                lowest, highest = survey.ces_scale - TOP_BOX + 1, survey.ces_scale
            easiest = lowest * MICROS, highest * MICROS
        self._rules = AnswerRules(
            survey.csat_satisfied_min * MICROS,
            easiest,
            survey.window_days,
            survey.dedupe == "latest_per_user",
        )

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
        """Return an index by response, and of the newest answers by group of segments."""
        return AnswerIndex(self._rules, registry)

    def _micros(self, event: SurveyResponse) -> int:
        """Convert the score to the scale of the settings, in millionths."""
        scale, lowest = self._scale[event.survey], _LOWEST[event.survey]
        own = scale if event.scale_max is None else event.scale_max
        is_known = own == scale if event.survey == "nps" else own > lowest
        if not is_known or not lowest <= event.score <= own:
            return OFF
        return round((lowest + (event.score - lowest) * (scale - lowest) / (own - lowest)) * MICROS)
