"""Expiry of open sessions: who is due, and how far every session has closed."""

from stream.sessions.expiry import SessionExpiry


def expiry(*entries: tuple[str, int]) -> SessionExpiry:
    made = SessionExpiry()
    for key, expires_ms in entries:
        made.track(key, expires_ms)
    return made


def close(made: SessionExpiry, *entries: tuple[str, int]) -> None:
    for key, expires_ms in entries:
        made.imply(key, expires_ms)
        made.is_done(key)


def test_people_are_due_in_the_order_of_their_expiry_and_at_most_a_limit() -> None:
    made = expiry(("c", 30), ("a", 10), ("b", 20), ("d", 40))
    assert made.take_due(40, 2) == ["a", "b"]
    assert made.take_due(40, 2) == ["c"]


def test_the_mark_follows_the_watermark_once_all_are_closed() -> None:
    made = expiry(("a", 10), ("b", 90))
    made.take_due(50, 9)
    close(made, ("a", 10))
    assert made.move_on(50) == []
    assert made.closed_to_ms == 50


def test_the_mark_waits_for_people_who_are_still_being_read() -> None:
    made = expiry(("a", 10), ("b", 20))
    made.take_due(50, 9)
    close(made, ("b", 20))
    # A reader could not tell that b has closed, since a has not.
    assert made.move_on(50) == ["b"]
    assert made.closed_to_ms == 10


def test_the_mark_waits_for_people_who_are_still_due() -> None:
    made = expiry(("a", 10), ("b", 10), ("c", 20))
    made.take_due(50, 1)
    close(made, ("a", 10))
    assert made.move_on(50) == ["a"]
    assert made.closed_to_ms == 10


def test_the_mark_never_goes_back() -> None:
    made = expiry()
    made.move_on(50)
    made.track("late", 20)
    assert made.move_on(60) == []
    assert made.closed_to_ms == 50


def test_the_mark_is_restored() -> None:
    made = SessionExpiry()
    made.load({"a": (10, 1)}, 5)
    assert made.closed_to_ms == 5
    assert made.take_due(11, 9) == ["a"]
