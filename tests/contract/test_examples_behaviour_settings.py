"""Examples of the types that count as interactions, and over how many days."""

from typing import Any

import pytest

from stream.configure.load import SettingsError, load_settings
from stream.settings.application import BounceSettings, Settings
from stream.settings.audience import InteractionSettings
from tests.contract.test_worked_examples import on, records


def frequency(choices: InteractionSettings, window: Any, end: str) -> float | None:
    """Return the frequency of two people: on the 1st 3 clicks, an order and a search; one of them on the 8th."""
    events = [on(1, "page_view", who) for who in "ab"]
    events += [on(1, "click", "a", n, page_url="/x") for n in (1, 2, 3)]
    events += [on(1, "order", "b", 4, order_id="o"), on(1, "custom", "b", 5, name="search")]
    events += [on(1, "custom", "b", 6, name="shown", interactive=False)]
    events += [on(8, "click", "a", page_url="/x")]
    settings = Settings(interaction=choices)
    found = records(events, "interaction_frequency", window, settings)
    [one] = [record for record in found if (record.window.end or "").startswith(end)]
    return one.value


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ((), 5 / 2),
        (("click",), 3 / 2),
        (("page_view", "order"), 3 / 2),
        # A custom event with `interactive: false` stays excluded.
        (("custom",), 1 / 2),
    ],
)
def test_only_the_configured_types_are_counted(events: tuple[str, ...], value: float) -> None:
    assert frequency(InteractionSettings(events=events), "trailing_7d", "2024-04-02") == value


@pytest.mark.parametrize(
    ("days", "window", "value"), [(7, "trailing_7d", 1), (28, "trailing_28d", 3), (1, "day", 1)]
)
def test_people_and_interactions_are_those_of_the_window(
    days: Any, window: str, value: float
) -> None:
    # The 8th: in 7 days one click of one person, in 28 days all six of both.
    assert frequency(InteractionSettings(window_days=days), window, "2024-04-09") == value


def test_a_window_of_one_day_has_its_own_frequency() -> None:
    assert frequency(InteractionSettings(window_days=1), "day", "2024-04-02") == 5 / 2


def test_a_support_message_is_no_interaction_of_the_customer() -> None:
    events = [on(1, "ticket_opened", "a", ticket_id="t")]
    events += [
        on(1, "ticket_message", "a", 1, ticket_id="t", direction=direction)
        for direction in ("incoming", "outgoing")
    ]
    settings = Settings(interaction=InteractionSettings(events=("ticket_message",)))
    found = records(events, "interaction_frequency", "trailing_7d", settings)
    assert found[0].numerator == 1


def bounces(**choices: Any) -> float | None:
    """Return the bounce rate of four sessions of one page: alone, with an impression, a click, a search."""
    events = [on(1, "page_view", who) for who in "abcd"]
    events += [on(1, "impression", "b", 1, content_id="c"), on(1, "click", "c", 1, page_url="/x")]
    events += [on(1, "custom", "d", 1, name="search")]
    settings = Settings(bounce=BounceSettings(**choices))
    return records(events, "bounce_rate", "day", settings)[0].value


def test_the_configured_types_keep_a_session_from_being_a_bounce() -> None:
    assert bounces() == 2 / 4
    assert bounces(interactive_events=("custom",)) == 3 / 4
    assert bounces(interactive_events=("impression", "click", "custom")) == 1 / 4


def test_the_configured_types_count_in_the_posthog_mode_too() -> None:
    named = {"interactive_events": ("custom",), "engaged_min_seconds": 61}
    assert bounces(mode="posthog", **named) == 3 / 4
    assert bounces(mode="single_pageview", **named) == 1


def test_interactions_and_bounces_have_types_of_their_own() -> None:
    settings = Settings(interaction=InteractionSettings(events=("page_view",)))
    events = [on(1, "page_view", "a"), on(1, "click", "a", 1, page_url="/x")]
    assert records(events, "bounce_rate", "day", settings)[0].value == 0
    settings = Settings(bounce=BounceSettings(interactive_events=("custom",)))
    assert records(events, "interaction_frequency", "trailing_7d", settings)[0].value == 1
    assert records(events, "bounce_rate", "day", settings)[0].value == 1


@pytest.mark.parametrize(
    ("key", "value", "fragment"),
    [
        ("INTERACTION_EVENTS", "clic", "did you mean click?"),
        ("INTERACTION_EVENTS", "marketing_spend", "is not about a person"),
        ("INTERACTION_EVENTS", "social_followers", "is not about a person"),
        ("INTERACTION_EVENTS", "heartbeat", "does not make a person active"),
        ("INTERACTION_WINDOW_DAYS", "14", "interaction.window_days"),
        ("BOUNCE_INTERACTIVE_EVENTS", "clic", "did you mean click?"),
        ("BOUNCE_INTERACTIVE_EVENTS", "refund", "belongs to no session"),
        ("BOUNCE_INTERACTIVE_EVENTS", "page_view", "no session would be a bounce"),
    ],
)
def test_impossible_types_and_windows_are_refused(key: str, value: str, fragment: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {f"ENGAGE_{key}": value})
    assert any(fragment in problem for problem in caught.value.problems)
