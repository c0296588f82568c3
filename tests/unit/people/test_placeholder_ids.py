"""Placeholder ids are taken off their events."""

import pytest

from schemas.events.page_views import PageView
from stream.people.placeholder_ids import PlaceholderIds

PLACEHOLDERS = PlaceholderIds(("undefined", "0", "Guest"))


@pytest.mark.parametrize("one", ["undefined", "UNDEFINED", " Undefined\t", "0", "guest", "gUEST"])
def test_a_placeholder_is_known_in_any_case(one: str) -> None:
    assert PLACEHOLDERS.has(one)


@pytest.mark.parametrize("one", ["", "00", "guest-7", "undefined0"])
def test_other_ids_name_somebody(one: str) -> None:
    assert not PLACEHOLDERS.has(one)


@pytest.mark.parametrize(
    ("user", "visitor", "left"),
    [
        ("undefined", "v", (None, "v")),
        ("u", "GUEST", ("u", None)),
        ("0", "0", (None, None)),
        (None, "v", (None, "v")),
    ],
)
def test_a_placeholder_id_is_taken_off(
    user: str | None, visitor: str | None, left: tuple[str | None, str | None]
) -> None:
    view = PageView(event_id="e", event_time=1, user_id=user, visitor_id=visitor)
    PLACEHOLDERS.take_off(view)
    assert (view.user_id, view.visitor_id) == left
