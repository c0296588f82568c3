"""Right values of reported surveys and support tickets."""

import pytest

from tests.reported.cases import case, report

MARCH_10 = "2025-03-10"


@case("form_with_two_answers")
def test_a_form_of_two_surveys_answers_both() -> None:
    found = report("one_form_two_answers.jsonl")
    assert found.number("nps", "day", MARCH_10).items() >= {"value": 100, "denominator": 3}.items()
    assert found.number("csat", "day", MARCH_10).items() >= {"value": 0, "denominator": 3}.items()
    assert found.value("feedback_count", "day", MARCH_10) == 6


@case("response_partial_update")
def test_the_last_answer_of_a_response_counts() -> None:
    found = report("response_partial_update.jsonl")
    assert found.value("nps", "day", MARCH_10) == 100
    assert found.value("nps_promoters_share", "day", MARCH_10) == 1
    assert found.value("feedback_count", "day", MARCH_10) == 1


@case("ces_scale")
@pytest.mark.parametrize(
    ("name", "score"), [("ces_scale", 1), ("ces_scale_mid", 4), ("ces_below_scale", 1)]
)
def test_scales_begin_at_their_lowest_score(name: str, score: float) -> None:
    assert report(f"{name}.jsonl").value("ces", "day", MARCH_10) == score


@case("nps_on_5")
def test_an_nps_on_a_scale_to_5_is_off_the_scale() -> None:
    found = report("nps_on_5.jsonl")
    assert found.value("feedback_off_scale", "day", MARCH_10) == 1
    assert "1 off scale" in found.stderr
    for metric in ("nps", "nps_detractors_share", "feedback_count"):
        numbers = [r for r in found.records() if r["metric"] == metric and r["numerator"]]
        assert numbers == []


@case("ticket_reply_before_open")
def test_a_reply_a_second_before_the_ticket_answers_it_at_once() -> None:
    found = report("ticket_reply_before_open.jsonl")
    answered = found.number("first_response_time", "day", MARCH_10)
    assert answered.items() >= {"value": 0, "denominator": 1}.items()
    assert found.value("tickets_waiting", "day", MARCH_10) == 0
