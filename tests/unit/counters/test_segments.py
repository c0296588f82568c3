"""Segment registry: stable ids, in memory and after storing, and a cap on each dimension."""

import json

import pytest

from schemas.envelope import Context
from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry, SegmentSet, series_name
from stream.counters.sites import OTHER

UTC = Calendar()


def fresh(values_max: int = 10) -> SegmentRegistry:
    return SegmentRegistry(("country", "device"), values_max, lambda site: UTC)


def segment_set_of(
    registry: SegmentRegistry, site: str, country: str | None, device: str | None
) -> SegmentSet:
    values = {"country": country, "device": device}
    return registry.segment_set(site, Context({k: v for k, v in values.items() if v is not None}))


def segments_of(
    registry: SegmentRegistry, country: str | None, device: str | None
) -> list[tuple[str, str]]:
    segment_set = segment_set_of(registry, "default", country, device)
    return [(segment.dimension, segment.value) for segment in segment_set.segments]


def test_an_event_counts_for_its_site_and_once_for_each_dimension() -> None:
    assert segments_of(fresh(), "DE", "phone") == [("", ""), ("country", "DE"), ("device", "phone")]


def test_a_missing_value_is_no_segment() -> None:
    assert segments_of(fresh(), None, "phone") == [("", ""), ("device", "phone")]
    assert segments_of(fresh(), "", None) == [("", "")]


def test_equal_values_share_a_segment_set_and_sites_do_not() -> None:
    registry = fresh()
    segment_set = segment_set_of(registry, "default", "DE", None)
    assert segment_set_of(registry, "default", "DE", None) is segment_set
    assert segment_set_of(registry, "shop", "DE", None) is not segment_set
    assert registry.by_id(segment_set.id) is segment_set


def test_values_beyond_the_cap_count_as_other_and_earlier_values_stay() -> None:
    registry = fresh(values_max=2)
    for country in ("DE", "FR"):
        segments_of(registry, country, None)
    assert segments_of(registry, "US", None) == [("", ""), ("country", OTHER)]
    assert segments_of(registry, "DE", None) == [("", ""), ("country", "DE")]


def test_the_cap_applies_to_each_dimension_and_site() -> None:
    registry = fresh(values_max=1)
    segments_of(registry, "DE", None)
    assert segments_of(registry, None, "phone") == [("", ""), ("device", "phone")]
    other_site = segment_set_of(registry, "shop", "FR", None)
    assert other_site.segments[1].value == "FR"


def test_each_segment_and_measure_has_one_series() -> None:
    registry = fresh()
    segment_set = segment_set_of(registry, "default", "DE", None)
    site, country = segment_set.segments
    assert segment_set.series("page_views") == (
        *site.series("page_views"),
        *country.series("page_views"),
    )
    assert registry.series[site.series("page_views")[0]] == ("page_views", "default", "", "")
    assert site.series("clicks") != site.series("page_views")


def test_stored_names_are_loaded_with_their_ids() -> None:
    before = fresh()
    segment_set = segment_set_of(before, "default", "DE", "phone")
    ids = segment_set.series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    assert after.fresh == {}
    again = segment_set_of(after, "default", "DE", "phone")
    assert (again.id, again.segment_ids, again.order) == (
        segment_set.id, segment_set.segment_ids, segment_set.order,
    )  # fmt: skip
    assert again.series("page_views") == ids
    assert after.fresh == {}


def test_new_names_after_loading_get_new_ids() -> None:
    before = fresh()
    segment_set_of(before, "default", "DE", None).series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    segment_set_of(after, "default", "FR", None).series("page_views")
    assert not before.fresh.keys() & after.fresh.keys()


def test_the_cap_still_holds_after_loading() -> None:
    before = fresh(values_max=1)
    segment_set_of(before, "default", "DE", None)
    after = fresh(values_max=1)
    after.load(before.fresh.items())
    assert segments_of(after, "FR", None) == [("", ""), ("country", OTHER)]


@pytest.mark.parametrize("value", ["Zürich 🧦", '"', "\x1f", "a\nb", "other"])
def test_any_text_is_a_value(value: str) -> None:
    before = fresh()
    segment_set_of(before, value, value, None).series("page_views")
    after = fresh()
    after.load(before.fresh.items())
    assert segment_set_of(after, value, value, None).order == (("country", value),)
    assert after.fresh == {}


def test_no_value_shows_the_user_name_and_password_of_a_url() -> None:
    registry = fresh()
    shown = segments_of(registry, "https://jane:pw@x.test/@a", None)
    assert shown == [("", ""), ("country", "https://x.test/@a")]
    content = registry.own_segment("default", "content", "https://jane:pw@x.test/b")
    assert content.value == "https://x.test/b"


def test_only_series_have_a_measure() -> None:
    registry = fresh()
    [series] = segment_set_of(registry, "default", None, None).series("page_views")
    assert series_name(registry.fresh[series]) == ("page_views", ("default", "", ""))
    others = [raw for name_id, raw in registry.fresh.items() if name_id != series]
    assert [series_name(raw) for raw in others] == [None] * len(others)
    assert all(json.loads(raw) for raw in others)
