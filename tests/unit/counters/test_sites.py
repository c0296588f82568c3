"""Sites of a shard: the first ones and the named ones are known, all others count together."""

from stream.counters.sites import OTHER, Sites


def test_the_first_sites_are_known_and_the_others_never_become_so() -> None:
    sites = Sites(["shop"], 2)
    assert [sites.admit(name) for name in ("a", "b", "c", "a", "shop", OTHER)] == [
        True, True, False, True, True, True,
    ]  # fmt: skip
    assert sites.known == {"a", "b", "shop", OTHER}
    assert sites.fill == 1.0


def test_with_only_named_sites_no_other_is_known_also_not_a_stored_one() -> None:
    sites = Sites(["shop"], 0)
    sites.load("before")
    assert not sites.admit("before")
    assert not sites.admit("new")
    assert sites.fill == 0.0


def test_a_stored_site_stays_known_beyond_a_lower_limit() -> None:
    sites = Sites((), 1)
    for name in ("a", "b", "a"):
        sites.load(name)
    assert sites.admit("b")
    assert not sites.admit("c")
