"""Feedback: answers that are refused, answers off their scale, and the newest answers."""

from typing import Any

import msgspec
import pytest

from schemas.codec import parse
from schemas.events.feedback import SurveyResponse
from schemas.rejection import Reason, RejectedEvent
from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.history import answers
from stream.history.events import HistoryEntry
from stream.metrics.themes import feedback
from stream.settings.application import Settings
from stream.settings.customers import SurveySettings

DAY_MS = 86_400_000
NOON_MS = 1_711_972_800_000
FIRST_DAY = Calendar().day_of(NOON_MS)
OFF_SCALE = {
    (answers.OFF_SCALE, Grain.DAY, 0): 1, (measures.OFF_SCALE_EVENTS, Grain.DAY, 0): 1,
}  # fmt: skip


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
    assert counted(Settings(), (0, answer("csat", 6))) == OFF_SCALE


@pytest.mark.parametrize(("score", "scale_max"), [(5, 5), (9, 9), (3, 20)])
def test_an_nps_of_another_scale_only_counts_as_off_scale(score: float, scale_max: float) -> None:
    assert counted(Settings(), (0, answer("nps", score, scale_max=scale_max))) == OFF_SCALE


def test_a_scale_of_one_score_has_no_answers() -> None:
    assert counted(Settings(), (0, answer("ces", 1, scale_max=1))) == OFF_SCALE


@pytest.mark.parametrize(
    ("survey", "score", "scale_max", "converted"),
    [
        ("ces", 1, 5, 1), ("ces", 3, 5, 4), ("ces", 5, 5, 7), ("ces", 1, 10, 1), ("ces", 10, 10, 7),
        ("csat", 1, 7, 1), ("csat", 4, 7, 3), ("csat", 7, 7, 5), ("csat", 1, 2, 1), ("csat", 2, 2, 5),
        ("rating", 0, 10, 0), ("rating", 5, 10, 2.5), ("nps", 0, 10, 0), ("nps", 7, None, 7),
    ],
)  # fmt: skip
def test_every_scale_begins_at_the_lowest_score_of_its_survey(
    survey: str, score: float, scale_max: float | None, converted: float
) -> None:
    entry = feedback.Feedback(Settings()).entry(answer(survey, score, scale_max=scale_max))
    assert entry is not None
    assert entry[1] == converted * 1_000_000


def test_an_answer_that_is_corrected_is_off_scale_only_if_the_last_one_is() -> None:
    wrong, right = (answer("csat", score, response_id="r") for score in (9, 5))
    assert (answers.OFF_SCALE, Grain.DAY, 0) not in counted(Settings(), (0, wrong), (1, right))
    found = counted(Settings(), (0, right), (1, wrong))
    assert found == {(measure, grain, 1): 1 for measure, grain, _ in OFF_SCALE}


def test_an_answer_with_its_own_scale_is_converted() -> None:
    of_ten = [(0, answer("csat", score, scale_max=10)) for score in (8, 7)]
    assert counted(Settings(), *of_ten)[answers.SATISFIED, Grain.DAY, 0] == 1


def test_a_response_sent_again_counts_once() -> None:
    twice = [(day, answer("nps", 10, response_id="r")) for day in (0, 3)]
    for given in (twice, twice[::-1]):
        found = counted(Settings(), *given)
        # On the day of the last of them.
        assert found[answers.PROMOTERS, Grain.DAY, 3] == 1
        assert (answers.PROMOTERS, Grain.DAY, 0) not in found


def test_one_response_answers_several_surveys() -> None:
    both = [(0, answer(survey, 2, response_id="r")) for survey in ("nps", "csat")]
    assert counted(Settings(), *both)[answers.ANSWERS, Grain.DAY, 0] == 2


def test_the_newest_answer_of_a_person_counts_until_the_next() -> None:
    latest = Settings(survey=SurveySettings(dedupe="latest_per_user"))
    found = counted(latest, (0, answer("nps", 10)), (2, answer("nps", 0)))
    happy = [day for measure, _, day in found if measure == answers.newest(answers.PROMOTERS, 30)]
    unhappy = [
        day for measure, _, day in found if measure == answers.newest(answers.DETRACTORS, 30)
    ]
    assert happy == [0, 1]
    assert unhappy == list(range(2, 32))
