"""Examples of events that end an attempt at a funnel, and of the attempts that count."""

from pathlib import Path
from typing import Any

import pytest

from stream.configure.load import SettingsError, load_settings
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings
from stream.settings.definitions import Funnel, Selection
from tests.contract.test_worked_examples import Event, on, records_by

VIEW, CART, ORDER = (Selection(type=name) for name in ("page_view", "add_to_cart", "order"))
HELP = Selection(type="custom", where={"name": "help"})


def people(events: list[Event], kind: Any = "all", **choices: Any) -> list[float | None]:
    """Return the number of people at each step."""
    settings = Settings(funnels={"f": Funnel(steps=(VIEW, CART, ORDER), **choices)})
    found = records_by(events, "funnel_people", kind, settings)
    return [one.value for one in sorted(found, key=lambda one: one.dimensions["step"])]


def does(who: str, *steps: str, start: int = 0) -> list[Event]:
    """Return one event a minute: v, c, o are the steps, h is the excluded event."""
    kinds = {"v": "page_view", "c": "add_to_cart", "o": "order", "h": "custom"}
    more: dict[str, dict[str, Any]] = {"o": {"order_id": who}, "h": {"name": "help"}}
    return [
        on(1, kinds[step], who, start + minute, **more.get(step, {}))
        for minute, step in enumerate(steps)
    ]


def test_an_excluded_event_between_two_steps_ends_the_attempt() -> None:
    events = [
        *does("plain", "v", "c", "o"),
        *does("late", "v", "c", "h", "o"),
        *does("soon", "v", "h", "c", "o"),
        # Before the first step and after the last one it lies between no steps.
        *does("around", "h", "v", "c", "o", "h"),
        # Another attempt begins after it.
        *does("again", "v", "h", "v", "c", "o"),
    ]
    assert people(events) == [5, 5, 5]
    assert people(events, exclusions=(HELP,)) == [5, 4, 3]


@pytest.mark.parametrize("order", ["ordered", "strict", "unordered"])
def test_an_excluded_event_ends_the_attempt_in_every_order_of_steps(order: str) -> None:
    events = does("a", "v", "c", "h", "o")
    assert people(events, order=order, exclusions=(HELP,)) == [1, 1]


def test_an_excluded_event_ends_only_the_attempt_of_its_own_session() -> None:
    events = [event | {"session_id": "one"} for event in does("a", "v", "c", "o")]
    other = on(1, "custom", "a", 1, name="help", session_id="two")
    assert people([*events, other], scope="session", exclusions=(HELP,)) == [1, 1, 1]
    assert people([*events, other], exclusions=(HELP,)) == [1, 1]


def test_at_one_instant_the_step_comes_before_the_excluded_event() -> None:
    events = [*does("a", "v", "c", "o"), on(1, "custom", "a", 1, name="help")]
    assert people(events, exclusions=(HELP,)) == [1, 1]


def test_a_different_selection_of_a_step_s_type_can_be_excluded() -> None:
    gift = Selection(type="add_to_cart", where={"cart_id": "gift"})
    events = does("a", "v", "c", "o") + does("b", "v")
    events += [
        on(1, "add_to_cart", "b", 1, cart_id="gift"),
        on(1, "order", "b", 2, order_id="b"),
    ]
    assert people(events) == [2, 2, 2]
    assert people(events, exclusions=(gift,)) == [2, 1, 1]


def test_a_person_counts_by_the_best_attempt_or_by_the_first() -> None:
    # The second attempt is within the window, the first is not.
    events = [on(1, "page_view", "a"), on(2, "page_view", "a"), on(2, "add_to_cart", "a", 1)]
    events += [on(4, "order", "a", order_id="o")]
    assert people(events, window_days=2) == [1, 1, 1]
    assert people(events, window_days=2, entry="first") == [1, 1]


def test_two_attempts_of_one_day_count_separately() -> None:
    # 12:00 and 22:00 on the 1st, and two days later, at 17:00.
    events = [on(1, "page_view", "a"), on(1, "page_view", "a", 600), on(3, "add_to_cart", "a", 300)]
    assert people(events, window_days=2) == [1, 1]
    assert people(events, window_days=2, entry="first") == [1]


def test_only_the_day_of_the_first_entry_counts() -> None:
    events = [*does("a", "v"), on(3, "page_view", "a"), on(90, "page_view", "a")]
    events += [on(90, "add_to_cart", "a", 1)]
    assert people(events, kind="day") == [1, 1, 1, 1]
    # It stays the first attempt long after its history has been pruned.
    assert people(events, kind="day", entry="first") == [1]
    assert people(events, entry="first") == [1]


def test_steps_before_a_first_step_begin_no_attempt() -> None:
    events = [on(1, "order", "a", order_id="o"), on(90, "page_view", "a")]
    events += [on(90, "add_to_cart", "a", 1)]
    assert people(events, entry="first") == [1, 1]


def test_the_formula_names_the_attempts_that_count() -> None:
    def formula(*funnels: Funnel) -> str:
        settings = Settings(funnels={str(n): funnel for n, funnel in enumerate(funnels)})
        return {one.name: one.formula for one in catalogue(settings)}["funnel_people"]

    plain, first = Funnel(steps=(VIEW, CART)), Funnel(steps=(VIEW, CART), entry="first")
    excluding = Funnel(steps=(VIEW, CART), exclusions=(HELP,))
    assert formula().endswith("from step 1; the best attempt of each person counts")
    assert formula(first).endswith("the first attempt of each person counts")
    assert formula(plain, first).endswith("or the first if the funnel's entry is first")
    assert "without an excluded event between" in formula(excluding)


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("exclusions = [{type = 'clik'}]", "funnels.f.exclusions[1].type"),
        ("exclusions = [{type = 'marketing_spend'}]", "not about a person"),
        ("exclusions = [{type = 'order'}]", "is also step 2"),
        ("entry = 'last'", "one of best, first"),
    ],
)
def test_impossible_exclusions_are_refused(line: str, fragment: str, tmp_path: Path) -> None:
    file = tmp_path / "engage.toml"
    file.write_text(f"[funnels.f]\nsteps = [{{type = 'page_view'}}, {{type = 'order'}}]\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert any(fragment in problem for problem in caught.value.problems)
