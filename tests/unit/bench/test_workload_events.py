"""Workloads of the benchmark: valid events of the shape that their names promise."""

from collections import Counter, defaultdict
from itertools import islice
from random import Random

import pytest

from schemas.codec import parse
from schemas.events import EVENT_TYPES
from tests.bench.workloads.catalogue import WORKLOADS
from tests.bench.workloads.events import SEED, SPACING_MS, records
from tests.bench.workloads.people import AT_ONCE, HOT_PERSON, MIX, PEOPLE


def made(name: str, events: int) -> list[tuple[str, object]]:
    """Return (role, parsed event) of a workload."""
    found = records(WORKLOADS[name].shape, events)
    return [(role, parse(record.value)[0]) for role, record in found]


def senders(name: str, events: int) -> list[tuple[int, str]]:
    """Return (person, event type) of a workload, as its records have them."""
    return list(islice(WORKLOADS[name].shape(Random(SEED), events), events))


def people_of(name: str, events: int) -> list[int]:
    return [person for person, _ in senders(name, events)]


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_event_is_valid_and_lies_in_a_topic_of_its_workload(name: str) -> None:
    workload = WORKLOADS[name]
    for role, record in records(workload.shape, 500):
        event, time_ms = parse(record.value)
        row = EVENT_TYPES[str(event.__struct_config__.tag)]
        assert row.name in workload.types
        assert role == row.role
        assert role in workload.roles
        assert time_ms == record.timestamp_ms
        if row.has_person:
            assert event.visitor_id == record.key.decode()


def test_every_event_type_has_a_workload_of_its_own() -> None:
    assert set(EVENT_TYPES) <= set(WORKLOADS)
    assert all(WORKLOADS[name].types == (name,) for name in EVENT_TYPES)


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_same_seed_makes_the_same_bytes(name: str) -> None:
    shape = WORKLOADS[name].shape
    assert list(records(shape, 200)) == list(records(shape, 200))


def test_another_seed_makes_other_events() -> None:
    shape = WORKLOADS["views"].shape
    assert list(records(shape, 200)) != list(records(shape, 200, seed=8))


def test_events_are_in_order_of_time_and_have_ids_of_their_own() -> None:
    events = [event for _, event in made("mixed", 1_000)]
    times = [event.event_time for event in events]
    assert times == list(range(times[0], times[0] + 1_000 * SPACING_MS, SPACING_MS))
    assert len({event.event_id for event in events}) == 1_000


def test_a_person_keeps_country_device_and_channel() -> None:
    contexts = defaultdict(set)
    for _, event in made("mixed", 5_000):
        contexts[event.visitor_id].add(tuple(sorted(event.context.items())))
    assert all(len(found) == 1 for found in contexts.values())


def test_mixed_traffic_has_the_shares_of_a_shop() -> None:
    events = 50_000
    types = Counter(event_type for _, event_type in senders("mixed", events))
    assert sum(MIX.values()) == 100
    assert set(types) == set(MIX)
    for name, percent in MIX.items():
        assert types[name] / events == pytest.approx(percent / 100, abs=0.005)


def test_visitors_come_stay_five_events_on_average_and_leave() -> None:
    people = people_of("visits", 100_000)
    first: dict[int, int] = {}
    for at, person in enumerate(people):
        first.setdefault(person, at)
    # Nearly all who came in the first half have left before the end.
    visits = [count for person, count in Counter(people).items() if first[person] < 50_000]
    assert sum(visits) / len(visits) == pytest.approx(5, abs=0.3)


def test_two_thousand_visitors_are_on_the_site_at_once() -> None:
    people = people_of("visits", 100_000)
    last = {person: at for at, person in enumerate(people)}
    here: set[int] = set()
    most = 0
    for at, person in enumerate(people):
        here.add(person)
        most = max(most, len(here))
        if last[person] == at:
            here.remove(person)
    assert AT_ONCE * 0.8 < most <= AT_ONCE


def test_cold_people_come_twice_on_average_and_far_apart() -> None:
    events = 100_000
    people = people_of("cold", events)
    seen: dict[int, int] = {}
    gaps = []
    for at, person in enumerate(people):
        if person in seen:
            gaps.append(at - seen[person])
        seen[person] = at
    assert len(seen) == pytest.approx(events / 2 * (1 - 2.718281828**-2), rel=0.02)
    assert sorted(gaps)[len(gaps) // 2] > events / 10


def test_one_person_sends_a_tenth_of_all_events_as_orders() -> None:
    events = WORKLOADS["history"].events
    sent = Counter(senders("history", events))
    orders = sent.pop((HOT_PERSON, "order"))
    assert all(person < PEOPLE and event_type == "page_view" for person, event_type in sent)
    assert orders == events // 10
    assert orders >= 5_000


def test_long_workloads_span_more_than_two_session_timeouts() -> None:
    for name in ("views", "visits", "mixed", "cold"):
        assert WORKLOADS[name].events * SPACING_MS > 2 * 30 * 60 * 1000


def test_two_thousand_people_answer_in_the_workload_of_that_name() -> None:
    assert len(set(people_of("survey_response_2000", 20_000))) == pytest.approx(2_000, rel=0.01)
