"""No two pairs of site and id share a key, whatever they hold; a key can be read back."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.people.keys import person_key, session_key, split_key
from stream.people.person import person_field

JOINT = "\x1f"
#: What can be confused with a key's own parts: the joint, digits, and other characters.
texts = st.text(st.sampled_from([JOINT, "0", "1", "2", "a", "é"]), min_size=1, max_size=5)
pairs = st.tuples(texts, texts)


def all_texts(longest: int) -> list[str]:
    return [
        "".join(letters)
        for size in range(1, longest + 1)
        for letters in product((JOINT, "1", "a"), repeat=size)
    ]


def test_no_two_pairs_share_a_key() -> None:
    every = list(product(all_texts(3), repeat=2))
    keys = [make(*pair) for make in (person_key, session_key) for pair in every]
    assert len(set(keys)) == 2 * len(every)


@given(pairs, pairs)
def test_distinct_pairs_have_distinct_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (person_key(*one) == person_key(*other)) == (one == other)
    assert (session_key(*one) == session_key(*other)) == (one == other)
    assert person_key(*one) != session_key(*other)


@given(pairs)
def test_a_key_is_split_into_its_site_and_id(pair: tuple[str, str]) -> None:
    assert split_key(person_key(*pair)) == pair
    assert split_key(session_key(*pair)) == pair


def test_keys_without_the_joint_stay_as_they_are_stored() -> None:
    key = person_key("default", "visitor-1")
    assert key == "default\x1fvisitor-1"
    assert person_field(key).hex() == "2078fd98cc4eb60dcfdb3ac5f5222f91"
    assert session_key("default", "s") == "default\x1f\x1fs"


@pytest.mark.parametrize(
    ("key", "pair"),
    [
        ("", ("", "")),
        ("\x1f", ("", "")),
        ("\x1fa\x1fv", ("", "a\x1fv")),
        ("a\x1fb\x1fv", ("a", "b\x1fv")),
    ],
)
def test_a_key_that_an_earlier_version_stored_is_read(key: str, pair: tuple[str, str]) -> None:
    assert split_key(key) == pair
