"""Examples of when a cancelling customer is lost, and of when an inactive person has left."""

from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.configure.load import SettingsError, load_settings
from stream.metrics.catalogue import catalogue
from stream.settings.application import ChurnSettings, Settings
from tests.contract.test_worked_examples import customers, on, records

AT_REQUEST = Settings(churn=ChurnSettings(effective="request"))
#: 11 May 2024, noon.
IN_MAY = "2024-05-11T12:00:00Z"


def cancelled(*after: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """Return the events of ten customers; one of them cancels on the 20th for a day in May."""
    one = on(20, "subscription_cancelled", "old0", subscription_id="s", effective_at=IN_MAY)
    return [*customers(10, 0, 0), one | fields, *after]


def in_window(
    events: list[dict[str, Any]],
    settings: Settings,
    metric: str = "churn_rate",
    kind: WindowKind = "month",
    start: str = "2024-04-01",
) -> float | None:
    found = records(events, metric, kind, settings)
    [one] = [record for record in found if (record.window.start or "").startswith(start)]
    return one.value


@pytest.mark.parametrize(("settings", "value"), [(Settings(), 0), (AT_REQUEST, 0.1)])
def test_a_cancellation_counts_when_it_takes_effect_or_when_requested(
    settings: Settings, value: float
) -> None:
    assert in_window(cancelled(), settings) == value


@pytest.mark.parametrize(("settings", "value"), [(Settings(), 100), (AT_REQUEST, 90)])
def test_revenue_is_lost_when_it_takes_effect_or_when_requested(
    settings: Settings, value: float
) -> None:
    assert in_window(cancelled(), settings, "mrr", "day", "2024-04-25") == value


def test_a_renewal_reverses_a_requested_cancellation() -> None:
    renewed = on(25, "subscription_renewed", "old0", subscription_id="s")
    events = cancelled(renewed)
    by_day = ("2024-04-24", "2024-04-25")
    assert [in_window(events, AT_REQUEST, "mrr", "day", day) for day in by_day] == [90, 100]
    assert in_window(events, AT_REQUEST, "mrr_reactivation", "day", "2024-04-25") == 10


def test_a_change_does_not_reverse_a_requested_cancellation() -> None:
    changed = on(25, "subscription_changed", "old0", subscription_id="s", mrr=30)
    assert in_window(cancelled(changed), Settings(), "mrr", "day", "2024-04-25") == 120
    assert in_window(cancelled(changed), AT_REQUEST, "mrr", "day", "2024-04-25") == 90


def test_grace_begins_with_the_request() -> None:
    churn = ChurnSettings(effective="request", grace_period_days=3)
    events = cancelled(reason="card_expired")
    by_day = ("2024-04-22", "2024-04-23")
    assert [in_window(events, Settings(churn=churn), "mrr", "day", day) for day in by_day] == [
        100,
        90,
    ]


def test_the_formula_names_when_customers_are_lost() -> None:
    formulas = {metric.name: metric.formula for metric in catalogue(AT_REQUEST)}
    assert formulas["churn_rate"].endswith("lost at the cancellation")
    assert formulas["churned_customers"].endswith("ends at its cancellation")


def stay_away(days: int) -> dict[str, tuple[float | None, float | None]]:
    """Return (rate, people before) by day: five come on the 1st, one again on the 8th, one on the 15th."""
    events = [on(1, "page_view", who) for who in "abcde"]
    events += [on(8, "page_view", "a"), on(15, "page_view", "b"), on(70, "page_view", "z")]
    settings = Settings(churn=ChurnSettings(behavioural_inactive_days=days))
    found = records(events, "behavioural_churn_rate", "day", settings)
    return {(one.window.start or "")[:10]: (one.value, one.denominator) for one in found}


def test_a_person_has_left_after_four_weeks_without_activity() -> None:
    by_day = stay_away(28)
    # Until the 28th the earlier 28 days are empty; on the 29th they hold five people, and two came
    # since.
    assert by_day["2024-04-28"] == (None, 0)
    assert by_day["2024-04-29"] == (3 / 5, 5)
    # The 28 days up to 6 May begin on 9 April: only b came in them.
    assert by_day["2024-05-06"] == (4 / 5, 5)
    assert by_day["2024-05-13"] == (1, 5)
    # The 1st of April is 57 days ago.
    assert by_day["2024-05-27"] == (1, 2)


def test_a_shorter_span_finds_leavers_sooner() -> None:
    by_day = stay_away(7)
    assert by_day["2024-04-08"] == (4 / 5, 5)
    assert by_day["2024-04-15"] == (1, 1)
    assert by_day["2024-04-29"] == (None, 0)


def test_a_span_of_10_days_is_counted_beside_the_usual_windows() -> None:
    by_day = stay_away(10)
    assert by_day["2024-04-11"] == (4 / 5, 5)
    # People of the 10 days up to the 8th: b came on the 15th.
    assert by_day["2024-04-18"] == (4 / 5, 5)
    assert by_day["2024-04-25"] == (1, 2)


@pytest.mark.parametrize("days", [6, 31])
def test_spans_outside_7_to_30_days_are_refused(days: int) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"ENGAGE_CHURN_BEHAVIOURAL_INACTIVE_DAYS": str(days)})
    assert "churn.behavioural_inactive_days" in caught.value.problems[0]
