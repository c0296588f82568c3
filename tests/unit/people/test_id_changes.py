"""An id of more than one person is counted once, within bounded memory."""

from stream.people.id_changes import IdChanges, IdOwners
from stream.people.keys import person_key

VISITOR, USER, OTHER = (person_key("shop", who) for who in ("v", "u", "w"))


def test_an_id_counts_once_when_its_person_changes() -> None:
    owners = IdOwners(100)
    for key in (VISITOR, VISITOR, USER, VISITOR, OTHER):
        owners.note("s1", key)
    owners.note("s2", USER)
    assert owners.changes == 1


def test_equal_ids_of_two_sites_are_two_ids() -> None:
    owners = IdOwners(100)
    owners.note("s1", VISITOR)
    owners.note("s1", person_key("blog", "v"))
    assert owners.changes == 0


def test_ids_of_late_are_known_and_older_ones_forgotten() -> None:
    owners = IdOwners(10)
    owners.note("old", VISITOR)
    for number in range(9):
        owners.note(f"s{number}", VISITOR)
    owners.note("old", USER)
    assert owners.changes == 1
    for number in range(1_000):
        owners.note(f"n{number}", VISITOR)
    owners.note("s0", USER)
    assert owners.changes == 1
    assert len(owners.young) + len(owners._old) <= 20


def test_counts_are_given_up_once() -> None:
    changes = IdChanges()
    for key in (VISITOR, USER):
        changes.sessions.note("s", key)
        changes.carts.note("c", key)
    assert changes.take_counts() == (1, 1)
    assert changes.take_counts() == (0, 0)
