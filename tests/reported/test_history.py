"""The right values of a person with many orders, and of carts that begin with the checkout."""

from pathlib import Path

import pytest

from tests.reported.cases import case, report


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """Return settings under which the id `guest` names a person: the inputs call theirs so."""
    file = tmp_path / "engage.toml"
    file.write_text("[ids]\nplaceholders = []\n")
    return file


@case("hot_person_cost")
def test_many_orders_of_one_person_all_count(guests: Path) -> None:
    # What they cost is in tests/unit/history/test_cost.py, as numbers of steps.
    one = report("orders_one_person.jsonl", settings=guests)
    many = report("orders_many_people.jsonl")
    assert one.value("orders") == many.value("orders") == 800
    assert one.value("revenue") == many.value("revenue") == 800
    assert (one.value("buyers"), many.value("buyers")) == (1, 800)


@case("facts_cap_negative")
def test_a_person_of_a_thousand_orders_is_one_new_buyer(guests: Path) -> None:
    found = report("negative_new_buyers.jsonl", settings=guests)
    for day, is_new in (("2025-03-01", 1), ("2025-03-02", 0)):
        assert found.value("buyers", "day", day) == 1
        assert found.value("new_buyers", "day", day) == is_new


@case("cart_checkout_start_remove")
def test_a_cart_that_begins_with_the_checkout_holds_what_was_added_before() -> None:
    found = report("cart_checkout_remove.jsonl", settings="cart_checkout_remove.toml")
    number = found.number("cart_abandonment_rate")
    assert (number["numerator"], number["denominator"]) == (1, 1)
