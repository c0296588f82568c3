"""Feedback: answers that are refused, answers off their scale, and the newest answers."""

from typing import Any

import msgspec
import pytest

from schemas.codec import parse
from schemas.events.feedback import SurveyResponse
from schemas.rejection import Reason, RejectedEvent
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.history.events import HistoryEntry
from stream.metrics.themes import feedback
from stream.settings.application import Settings
from stream.settings.customers import SurveySettings

DAY_MS = 86_400_000
NOON_MS = 1_711_972_800_000
FIRST_DAY = Calendar().day_of(NOON_MS)


def answer(survey: str, score: float, **fields: Any) -> SurveyResponse:
    event = {"type": "survey_response", "event_id": "e", "event_time": NOON_MS, "user_id": "u"}
    found, _ = parse(msgspec.json.encode(event | {"survey": survey, "score": score} | fields))
    assert isinstance(found, SurveyResponse)
    return found


def counted(settings: Settings, *days_and_answers: tuple[int, SurveyResponse]) -> dict[Any, int]:
    """Return the counts of the whole site by (measure, grain, day from the first on)."""
    registry = SegmentRegistry((), 10, lambda site: Calendar())
    segment_set, aggregate = registry.segment_set_of("default", {}), feedback.Feedback(settings)
    history: list[HistoryEntry] = []
    for number, (day, event) in enumerate(days_and_answers):
        event.event_id = f"e{number}"
        kept = aggregate.entry(event)
        assert kept is not None
        history.append((NOON_MS + day * DAY_MS, segment_set.id, *kept))
    found = aggregate.contributions(history, registry).items()
    return {
        (measure, grain, index - FIRST_DAY): count
        for (measure, segment, grain, index), count in found
        if grain is Grain.DAY and not segment.dimension and count
    }


@pytest.mark.parametrize(
    ("survey", "score", "fields"),
    [
        ("nps", 11, {}),
        ("nps", 11, {"scale_max": 20}),
        ("csat", 0, {}),
        ("ces", 0.5, {}),
        ("csat", 6, {"scale_max": 5}),
        ("rating", 6, {"scale_max": 5}),
    ],
)
def test_a_score_outside_its_scale_is_refused(
    survey: str, score: float, fields: dict[str, Any]
) -> None:
    with pytest.raises(RejectedEvent) as refused:
        answer(survey, score, **fields)
    assert refused.value.reason is Reason.WRONG_FIELD
    assert "$.score" in refused.value.detail
    assert survey in refused.value.detail


def test_a_score_above_the_configured_scale_only_counts_as_off_scale() -> None:
    assert counted(Settings(), (0, answer("csat", 6))) == {(feedback.OFF_SCALE, Grain.DAY, 0): 1}


def test_an_answer_with_its_own_scale_is_converted() -> None:
    of_ten = [(0, answer("csat", score, scale_max=10)) for score in (8, 7)]
    assert counted(Settings(), *of_ten)[feedback.SATISFIED, Grain.DAY, 0] == 1


def test_a_response_sent_again_counts_once() -> None:
    twice = [(day, answer("nps", 10, response_id="r")) for day in (0, 3)]
    found = counted(Settings(), *twice)
    assert found[feedback.PROMOTERS, Grain.DAY, 0] == 1
    assert (feedback.PROMOTERS, Grain.DAY, 3) not in found


def test_the_newest_answer_of_a_person_counts_until_the_next() -> None:
    latest = Settings(survey=SurveySettings(dedupe="latest_per_user"))
    found = counted(latest, (0, answer("nps", 10)), (2, answer("nps", 0)))
    happy = [day for measure, _, day in found if measure == feedback.newest(feedback.PROMOTERS, 30)]
    unhappy = [
        day for measure, _, day in found if measure == feedback.newest(feedback.DETRACTORS, 30)
    ]
    assert happy == [0, 1]
    assert unhappy == list(range(2, 32))
