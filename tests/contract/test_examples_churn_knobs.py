"""Examples of when a customer who cancels is lost."""

from typing import Any

import pytest

from schemas.outputs import WindowKind
from stream.knobs import ChurnSettings
from stream.metrics import catalogue
from stream.settings import Settings
from tests.contract.test_worked_examples import customers, on, records

AT_REQUEST = Settings(churn=ChurnSettings(effective="request"))
#: 11 May 2024, noon.
IN_MAY = "2024-05-11T12:00:00Z"


def cancelled(*after: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """Of ten customers one cancels on the 20th for a day in May."""
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
def test_who_cancels_for_later_is_lost_then_or_at_once(settings: Settings, value: float) -> None:
    assert in_window(cancelled(), settings) == value


@pytest.mark.parametrize(("settings", "value"), [(Settings(), 100), (AT_REQUEST, 90)])
def test_so_is_their_revenue(settings: Settings, value: float) -> None:
    assert in_window(cancelled(), settings, "mrr", "day", "2024-04-25") == value


def test_a_renewal_takes_back_what_was_requested() -> None:
    renewed = on(25, "subscription_renewed", "old0", subscription_id="s")
    events = cancelled(renewed)
    by_day = ("2024-04-24", "2024-04-25")
    assert [in_window(events, AT_REQUEST, "mrr", "day", day) for day in by_day] == [90, 100]
    assert in_window(events, AT_REQUEST, "mrr_reactivation", "day", "2024-04-25") == 10


def test_a_change_does_not_take_it_back() -> None:
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


def test_the_formula_says_when_they_are_lost() -> None:
    formulas = {metric.name: metric.formula for metric in catalogue(AT_REQUEST)}
    assert formulas["churn_rate"].endswith("lost when they cancel")
    assert formulas["churned_customers"].endswith("when it was cancelled")
