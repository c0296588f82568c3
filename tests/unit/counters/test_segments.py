"""Names: one id for one thing, in memory and after it was stored, and a cap on a dimension."""

import json

import pytest

from schemas.envelope import Context
from stream.counters.calendar import Calendar
from stream.counters.segments import OTHER, Names, Profile, series_name

UTC = Calendar()


def fresh(values_max: int = 10) -> Names:
    return Names(("country", "device"), values_max, lambda site: UTC)


def profile_of(names: Names, site: str, country: str | None, device: str | None) -> Profile:
    values = {"country": country, "device": device}
    return names.profile(site, Context({k: v for k, v in values.items() if v is not None}))


def sides(names: Names, country: str | None, device: str | None) -> list[tuple[str, str]]:
    profile = profile_of(names, "default", country, device)
    return [(segment.dimension, segment.value) for segment in profile.segments]


def test_an_event_counts_for_its_site_and_once_for_each_dimension() -> None:
    assert sides(fresh(), "DE", "phone") == [("", ""), ("country", "DE"), ("device", "phone")]


def test_what_an_event_does_not_carry_is_no_segment() -> None:
    assert sides(fresh(), None, "phone") == [("", ""), ("device", "phone")]
    assert sides(fresh(), "", None) == [("", "")]


def test_equal_values_are_one_profile_and_sites_are_apart() -> None:
    names = fresh()
    profile = profile_of(names, "default", "DE", None)
    assert profile_of(names, "default", "DE", None) is profile
    assert profile_of(names, "shop", "DE", None) is not profile
    assert names.by_id(profile.id) is profile


def test_values_beyond_the_cap_are_other_and_those_before_it_stay() -> None:
    names = fresh(values_max=2)
    for country in ("DE", "FR"):
        sides(names, country, None)
    assert sides(names, "US", None) == [("", ""), ("country", OTHER)]
    assert sides(names, "DE", None) == [("", ""), ("country", "DE")]


def test_the_cap_is_for_each_dimension_and_site() -> None:
    names = fresh(values_max=1)
    sides(names, "DE", None)
    assert sides(names, None, "phone") == [("", ""), ("device", "phone")]
    other_site = profile_of(names, "shop", "FR", None)
    assert other_site.segments[1].value == "FR"


def test_a_series_is_one_for_each_segment_and_measure() -> None:
    names = fresh()
    profile = profile_of(names, "default", "DE", None)
    site, country = profile.segments
    assert profile.series("page_views") == (
        *site.series("page_views"),
        *country.series("page_views"),
    )
    assert names.series[site.series("page_views")[0]] == ("page_views", "default", "", "")
    assert site.series("clicks") != site.series("page_views")


def test_stored_names_come_back_with_their_ids() -> None:
    before = fresh()
    profile = profile_of(before, "default", "DE", "phone")
    ids = profile.series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    assert after.fresh == {}
    again = profile_of(after, "default", "DE", "phone")
    assert (again.id, again.segment_ids, again.order) == (
        profile.id, profile.segment_ids, profile.order,
    )  # fmt: skip
    assert again.series("page_views") == ids
    assert after.fresh == {}


def test_new_names_after_loading_take_no_id_that_is_taken() -> None:
    before = fresh()
    profile_of(before, "default", "DE", None).series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    profile_of(after, "default", "FR", None).series("page_views")
    assert not before.fresh.keys() & after.fresh.keys()


def test_the_cap_still_holds_after_loading() -> None:
    before = fresh(values_max=1)
    profile_of(before, "default", "DE", None)
    after = fresh(values_max=1)
    after.load(before.fresh.items())
    assert sides(after, "FR", None) == [("", ""), ("country", OTHER)]


@pytest.mark.parametrize("value", ["Zürich 🧦", '"', "\x1f", "a\nb", "other"])
def test_any_text_is_a_value(value: str) -> None:
    before = fresh()
    profile_of(before, value, value, None).series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    assert profile_of(after, value, value, None).order == (("country", value),)
    assert after.fresh == {}


def test_only_series_have_a_measure() -> None:
    names = fresh()
    [series] = profile_of(names, "default", None, None).series("page_views")
    assert series_name(names.fresh[series]) == ("page_views", ("default", "", ""))
    others = [raw for name_id, raw in names.fresh.items() if name_id != series]
    assert [series_name(raw) for raw in others] == [None] * len(others)
    assert all(json.loads(raw) for raw in others)
