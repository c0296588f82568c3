"""Arithmetic of the benchmarks of whole fleets: delays, percentiles, rates, logs and pictures."""

import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from schemas.codec import parse
from tests.bench.catch_up import Mark, between, marks_until
from tests.bench.chart import Panel, drawn
from tests.bench.live_events import Visits, page_view, partition_of
from tests.bench.observer import Scrape, counts_on, delays, percentile, probe_site
from tests.bench.takeover import Loaded, loadings


def test_a_marker_is_visible_at_the_first_scrape_that_counts_it() -> None:
    seen = [Scrape(1.0, {}), Scrape(2.0, {0: 3}), Scrape(3.0, {0: 4, 1: 1}), Scrape(4.0, {1: 2})]
    sent = {0: [0.5, 2.5], 1: [0.25, 3.5]}
    assert delays(sent, {0: 2}, seen) == [1.5, 0.5, 2.75, 0.5]


def test_a_page_without_numbers_hides_nothing_that_was_seen_before() -> None:
    seen = [Scrape(1.0, {0: 1}), Scrape(2.0, {}), Scrape(3.0, {0: 2})]
    assert delays({0: [0.0, 0.0]}, {}, seen) == [1.0, 3.0]


def test_a_marker_that_was_never_seen_is_an_error() -> None:
    with pytest.raises(LookupError, match="marker 2 of partition 3"):
        delays({3: [0.0, 0.0]}, {}, [Scrape(1.0, {3: 1})])


def test_the_markers_of_a_page_are_those_of_the_probe_sites() -> None:
    page = "\n".join(
        (f'engagement_page_views_total{{site="{probe_site(2)}"}} 41.0',
         'engagement_page_views_total{site="shop"} 7.0',
         f'engagement_events_total{{site="{probe_site(1)}"}} 5.0')
    )  # fmt: skip
    assert counts_on(page.encode()) == {2: 41}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1, 100)])
def test_a_percentile_is_the_value_that_its_share_does_not_exceed(
    share: float, expected: int
) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected
    assert percentile([7.0], share) == 7.0


def test_a_rate_is_measured_between_two_checkpoints() -> None:
    marks = [Mark(n, n * 0.5, counted) for n, counted in enumerate((0, 100, 300, 400, 500))]
    rate = between(marks, 50)
    assert rate.per_second == pytest.approx(400 / 3)
    assert rate.cpu_micros == pytest.approx(1.5 / 400 * 1e6)
    with pytest.raises(LookupError, match="2 checkpoints: send more events"):
        between(marks, 400)


def test_there_is_a_mark_for_each_change_of_the_count() -> None:
    counts = iter((0, 0, 4, 4, 9))
    assert [m.counted for m in marks_until(lambda: next(counts), lambda: 0.0, 9)] == [0, 4, 9]


def test_the_log_tells_which_shards_were_loaded() -> None:
    log = (
        "2025 INFO shard 3: loaded in 1.25 s; 400 records are read again for their ids shard=3\n"
        "2025 INFO shard 1: loaded again after 3.0 s shard=1\n"
    )
    assert loadings(log) == [Loaded(3, 1.25, 400)]


def test_visits_are_valid_events_of_their_topics_and_people_stay_for_some() -> None:
    visits = Visits(1_000, 10, mixed=True)
    records = [visits.next(1_700_000_000_000 + n) for n in range(2_000)]
    events = [parse(record.value or b"") for record in records]
    assert all(isinstance(event, tuple) for event in events)
    assert {record.role for record in records} == {"page_views", "clicks", "orders", "feedback"}
    assert all(record.partition == partition_of(record.key or b"") for record in records)
    people = Counter(record.key for record in records)
    assert 250 < len(people) < 550


def test_a_marker_goes_to_the_site_of_its_partition() -> None:
    event = parse(page_view("e", 1, 1_700_000_000_000, probe_site(2)).value or b"")
    assert isinstance(event, tuple)
    assert event[0].site == "probe-2"


def test_a_picture_has_each_value_and_its_size() -> None:
    text = drawn([Panel("cost <x>", "µs", [("10", 1.0), ("1,000", 2.5)]), Panel("none", "s", [])])
    words = [element.text for element in ET.fromstring(text).iter() if element.text]
    assert {"10", "1,000", "1", "2.5"} <= set(words)
    assert "cost <x>, µs" in words
