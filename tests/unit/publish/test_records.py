"""Records that are due: new, changed, and once more when final."""

from collections.abc import Iterable

from schemas.outputs import MetricRecord, WindowKind
from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.metrics.catalogue import catalogue
from stream.publish.due_windows import END_OF_INPUT
from stream.publish.merged_counts import MergedCounts
from stream.publish.records import Emission
from stream.settings.application import Settings

UTC = Calendar()
DAY = 738_946  # 2024-03-01
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
START_MS = UTC.day_start_ms(DAY)
SITE = ("default", "", "")
GERMANY = ("default", "country", "DE")


class Publication:
    """Merged counts with an emission of some metrics."""

    def __init__(self, *metrics: str, kinds: Iterable[WindowKind] | None = None) -> None:
        chosen = [metric for metric in catalogue(Settings()) if metric.name in metrics]
        self.merged = MergedCounts(lambda site: UTC, "version")
        self._parts = chosen, None if kinds is None else list(kinds)
        self.emission = Emission(self.merged, *self._parts)
        self.revision = 0

    def hand_over(self, watermark_ms: int, newest_ms: int) -> None:
        """Replace the emission by one that knows the counts but not the published records."""
        self.emission = Emission(self.merged, *self._parts)
        self.emission.take_over(watermark_ms, newest_ms, newest_ms)

    def count(self, grain: Grain, index: int, **counts: int) -> None:
        """Set a bucket for the whole site, with as many events as its largest count."""
        bucket = {(measure, SITE): count for measure, count in counts.items()}
        bucket[measures.EVENTS, SITE] = max([1, *counts.values()])
        self.merged.replace((grain, index), [bucket])
        self.emission.note([(grain, index)])

    def due(self, watermark_ms: int | None, newest_ms: int = END_OF_INPUT) -> list[MetricRecord]:
        self.revision += 1
        found = self.emission.due(watermark_ms, newest_ms, self.revision)
        return [record for records in found for record in records]


def views_on(day: int, count: int) -> Publication:
    publication = Publication("page_views", kinds=["day"])
    publication.count(Grain.DAY, day, page_views=count)
    return publication


def test_a_window_is_provisional_while_it_is_open_and_final_after_it() -> None:
    publication = views_on(DAY, 3)
    [first] = publication.due(START_MS, START_MS + 1)
    assert (first.value, first.is_final, first.revision) == (3, False, 1)
    [last] = publication.due(START_MS + DAY_MS, START_MS + DAY_MS)
    assert (last.value, last.is_final, last.revision) == (3, True, 2)


def test_a_window_is_final_when_the_watermark_reaches_its_end() -> None:
    publication = views_on(DAY, 3)
    assert not publication.due(START_MS + DAY_MS - 1, START_MS + 1)[0].is_final
    assert publication.due(START_MS + DAY_MS, START_MS + 1)[0].is_final


def test_an_unchanged_window_is_not_published_again() -> None:
    publication = views_on(DAY, 3)
    assert len(publication.due(START_MS + DAY_MS)) == 1
    assert publication.due(START_MS + 2 * DAY_MS) == []
    publication.count(Grain.DAY, DAY, page_views=3)
    assert publication.due(START_MS + 2 * DAY_MS) == []


def test_a_correction_of_a_final_window_is_a_higher_revision() -> None:
    publication = views_on(DAY, 3)
    [before] = publication.due(START_MS + DAY_MS)
    publication.count(Grain.DAY, DAY, page_views=4)
    [after] = publication.due(START_MS + 2 * DAY_MS)
    assert (after.value, after.is_final) == (4, True)
    assert after.revision > before.revision


def test_days_without_events_between_active_days_are_zeros() -> None:
    publication = views_on(DAY, 3)
    publication.count(Grain.DAY, DAY + 3, page_views=1)
    found = {record.window.start: record.value for record in publication.due(END_OF_INPUT)}
    assert list(found.values()) == [3, 0, 0, 1]


def test_no_day_before_the_first_or_after_the_last_is_published() -> None:
    publication = views_on(DAY, 3)
    starts = [record.window.start for record in publication.due(END_OF_INPUT)]
    assert starts == [UTC.rfc3339(START_MS)]


def test_a_window_that_has_not_begun_waits() -> None:
    publication = views_on(DAY + 5, 3)
    assert publication.due(START_MS, START_MS) == []
    assert len(publication.due(START_MS + 5 * DAY_MS, START_MS + 5 * DAY_MS)) == 1


def test_an_empty_ratio_is_null() -> None:
    publication = Publication("click_through_rate", kinds=["day"])
    publication.count(Grain.DAY, DAY)
    [record] = publication.due(END_OF_INPUT)
    assert (record.value, record.numerator, record.denominator) == (None, 0, 0)


def test_a_rolling_window_is_published_until_it_is_empty_once() -> None:
    publication = Publication("weekly_active_users")
    for day in range(DAY, DAY + 7):
        bucket = {(measures.ACTIVE_7D, SITE): 1}
        if day == DAY:
            bucket[measures.EVENTS, SITE] = 1
        publication.merged.replace((Grain.DAY, day), [bucket])
        publication.emission.note([(Grain.DAY, day)])
    publication.emission.note([(Grain.DAY, DAY + 7)])
    assert [record.value for record in publication.due(END_OF_INPUT)] == [1] * 7 + [0]


def test_a_segment_is_published_for_windows_in_which_it_counts() -> None:
    publication = Publication("page_views", kinds=["day"])
    for day, germans in ((DAY, 2), (DAY + 1, 0)):
        counts = {(measures.EVENTS, SITE): 5, (measures.PAGE_VIEWS, SITE): 5}
        if germans:
            counts[measures.PAGE_VIEWS, GERMANY] = germans
        publication.merged.replace((Grain.DAY, day), [counts])
    publication.emission.note([(Grain.DAY, DAY), (Grain.DAY, DAY + 1)])
    found = [record for record in publication.due(END_OF_INPUT) if record.dimensions]
    assert [(r.value, r.dimensions) for r in found] == [(2, {"country": "DE"})]


def test_a_segment_corrected_to_nothing_is_published_as_zero() -> None:
    publication = Publication("sessions", kinds=["day"])
    events = {(measures.EVENTS, SITE): 5, (measures.SESSIONS, SITE): 2}
    publication.merged.replace((Grain.DAY, DAY), [events | {(measures.SESSIONS, GERMANY): 1}])
    publication.emission.note([(Grain.DAY, DAY)])
    publication.due(END_OF_INPUT)
    publication.merged.replace((Grain.DAY, DAY), [events | {(measures.SESSIONS, GERMANY): 0}])
    publication.emission.note([(Grain.DAY, DAY)])
    [record] = publication.due(END_OF_INPUT)
    assert (record.value, record.dimensions) == (0, {"country": "DE"})


def test_a_level_continues_while_there_are_events_in_a_segment_too() -> None:
    publication = Publication("active_customers", kinds=["day"])
    customers = {(measures.CUSTOMERS_CHANGE, SITE): 1, (measures.CUSTOMERS_CHANGE, GERMANY): 1}
    publication.merged.replace((Grain.DAY, DAY), [customers | {(measures.EVENTS, SITE): 1}])
    publication.merged.replace((Grain.DAY, DAY + 2), [{(measures.EVENTS, SITE): 1}])
    publication.emission.note([(Grain.DAY, DAY), (Grain.DAY, DAY + 2)])
    found = publication.due(END_OF_INPUT)
    assert [record.value for record in found if not record.dimensions] == [1, 1, 1]
    assert [record.value for record in found if record.dimensions] == [1, 1, 1]


def test_a_forgotten_window_is_not_published_again() -> None:
    publication = views_on(DAY, 3)
    publication.due(START_MS + DAY_MS)
    publication.emission.forget_before(START_MS + 9 * DAY_MS)
    assert publication.due(START_MS + 9 * DAY_MS) == []


def test_a_window_is_evaluated_again_when_a_day_it_looks_back_to_changes() -> None:
    publication = Publication("behavioural_churn_rate")
    publication.count(Grain.DAY, DAY, people_28d=3)
    publication.count(Grain.DAY, DAY + 28, people_56d=3, people_28d=2)
    newest_ms = START_MS + 28 * DAY_MS
    assert [one.value for one in publication.due(newest_ms, newest_ms)][-1] == 1 / 3
    publication.count(Grain.DAY, DAY, people_28d=4)
    assert [one.value for one in publication.due(newest_ms, newest_ms)][-1] == 1 / 4


def test_forgotten_days_are_not_published_again_when_another_day_changes() -> None:
    publication = Publication("page_views", kinds=["day"])
    for day in range(DAY - 200, DAY + 1):
        publication.count(Grain.DAY, day, page_views=3)
    assert len(publication.due(START_MS, START_MS)) == 201
    publication.emission.forget_before(START_MS - 33 * DAY_MS)
    publication.count(Grain.DAY, DAY, page_views=4)
    assert [record.value for record in publication.due(START_MS, START_MS)] == [4]


def test_a_publisher_that_takes_over_publishes_zero_for_a_segment_that_fell_to_nothing() -> None:
    publication = Publication("sessions", "page_views", kinds=["day"])
    events = {(measures.EVENTS, SITE): 5, (measures.SESSIONS, SITE): 2}
    publication.merged.replace((Grain.DAY, DAY), [events | {(measures.SESSIONS, GERMANY): 1}])
    publication.emission.note([(Grain.DAY, DAY)])
    publication.due(START_MS + DAY_MS, START_MS + DAY_MS)
    publication.merged.replace((Grain.DAY, DAY), [events | {(measures.SESSIONS, GERMANY): 0}])
    publication.hand_over(START_MS + DAY_MS, START_MS + DAY_MS)
    publication.emission.note([(Grain.DAY, DAY)])
    found = [r for r in publication.due(START_MS + DAY_MS, START_MS + DAY_MS) if r.dimensions]
    # Metrics without an earlier value of the segment need no correction.
    assert [(r.metric, r.value, r.dimensions) for r in found] == [
        ("sessions", 0, {"country": "DE"})
    ]


def test_a_number_that_falls_to_nothing_before_publication_is_not_published() -> None:
    publication = Publication("sessions", kinds=["day"])
    publication.count(Grain.DAY, DAY, sessions=2)
    publication.hand_over(START_MS + DAY_MS, START_MS + DAY_MS)
    events = {(measures.EVENTS, SITE): 5, (measures.SESSIONS, SITE): 2}
    publication.merged.replace((Grain.DAY, DAY + 2), [events | {(measures.SESSIONS, GERMANY): 0}])
    publication.emission.note([(Grain.DAY, DAY + 2)])
    found = publication.due(START_MS + 3 * DAY_MS, START_MS + 3 * DAY_MS)
    assert [record.dimensions for record in found if record.value == 0 and record.dimensions] == []


def test_a_publisher_that_takes_over_finishes_open_windows_with_and_without_events() -> None:
    publication = Publication("page_views", kinds=["day"])
    for day in (DAY - 80, DAY - 2, DAY):
        publication.count(Grain.DAY, day, page_views=3)
    now_ms = START_MS + HOUR_MS
    # The watermark is two days behind: yesterday, without events, is open as well.
    publication.due(START_MS - 2 * DAY_MS + HOUR_MS, now_ms)
    publication.hand_over(START_MS - 2 * DAY_MS + HOUR_MS, now_ms)
    found = {r.window.start: (r.value, r.is_final) for r in publication.due(START_MS, now_ms)}
    days = [UTC.rfc3339(START_MS + ago * DAY_MS) for ago in (-2, -1, 0)]
    assert [found[day] for day in days] == [(3, True), (0, True), (3, False)]
    # A window finished long before stays unchanged.
    assert UTC.rfc3339(START_MS - 80 * DAY_MS) not in found


def test_a_publisher_that_takes_over_closes_a_series_of_rolling_windows() -> None:
    publication = Publication("weekly_active_users")
    for day in range(DAY, DAY + 7):
        bucket = {(measures.ACTIVE_7D, SITE): 1, (measures.ACTIVE_7D, GERMANY): 1}
        if day == DAY:
            bucket[measures.EVENTS, SITE] = 1
        publication.merged.replace((Grain.DAY, day), [bucket])
        publication.emission.note([(Grain.DAY, day)])
    six_ms = START_MS + 6 * DAY_MS
    assert [r.value for r in publication.due(six_ms, six_ms) if r.dimensions] == [1] * 7
    # Long after: the earlier windows need no evaluation.
    later_ms = six_ms + 80 * DAY_MS
    publication.hand_over(later_ms, later_ms)
    publication.emission.note([(Grain.DAY, DAY + 7)])
    found = publication.due(later_ms, later_ms)
    assert {r.window.end for r in found if r.dimensions} == {UTC.rfc3339(six_ms + 2 * DAY_MS)}
    found = [r for r in found if r.window.end == UTC.rfc3339(six_ms + 2 * DAY_MS)]
    assert [(r.value, r.dimensions) for r in found] == [(0, {}), (0, {"country": "DE"})]


def test_a_publisher_that_takes_over_finishes_the_windows_of_a_silence() -> None:
    publication = views_on(DAY, 3)
    # Two days later there are no events, and nothing is final before the watermark passes.
    silence_ms = START_MS + 2 * DAY_MS + HOUR_MS
    publication.emission.note_current(silence_ms)
    assert [(r.value, r.is_final) for r in publication.due(START_MS, silence_ms)] == [
        (3, False),
        (0, False),
    ]
    publication.hand_over(START_MS, silence_ms)
    later_ms = START_MS + 5 * DAY_MS
    found = publication.due(later_ms, later_ms)
    assert (0, True) in [
        (r.value, r.is_final) for r in found if r.window.start == UTC.rfc3339(START_MS + 2 * DAY_MS)
    ]
