"""The heaviest person of a shard is found from a bounded sample, and named only by a digest."""

from typing import Any

import pytest

from stream.people.keys import person_key
from stream.people.person import Person
from stream.publish.snapshot import HeavyPerson
from stream.store.worker_reports import WorkerReport
from stream.worker.staleness.owners import SILENT_SECONDS, Owners
from stream.worker.watch.heaviest import HeaviestPerson, person_digest

KIOSK, MINUTE_MS = Person(person_key("default", "kiosk")), 60_000


def crowd(number: int) -> list[Person | None]:
    """Return people who send one event each."""
    return [Person(person_key("default", f"p{n}")) for n in range(number)]


def noted(
    slices: int, people: list[Person | None], over_ms: int = MINUTE_MS // 2
) -> HeaviestPerson:
    """Return what is found from equal slices, evenly over a time."""
    heaviest = HeaviestPerson()
    for n in range(slices):
        heaviest.note(people, MINUTE_MS + n * over_ms // slices)
    return heaviest


def kept(heaviest: HeaviestPerson) -> int:
    samples: list[Any] = [heaviest._before, heaviest._now]
    return sum(len(sample.keys) for sample in samples)


@pytest.mark.parametrize("slices", [3, 300, 3_000])
def test_one_who_sends_a_third_of_the_events_is_found_in_few_and_in_many(slices: int) -> None:
    people = crowd(40)
    for place in range(0, 40, 4):
        people[place] = KIOSK
    people[1] = None
    heaviest = noted(slices, people)
    found = heaviest.find(7, MINUTE_MS + MINUTE_MS // 2)
    assert found is not None
    assert (found.partition, found.digest) == (7, person_digest(KIOSK.key))
    assert found.ratio == pytest.approx(0.25, abs=0.06)
    assert found.per_second == pytest.approx(found.ratio * slices * 40 / 30, rel=0.01)
    assert kept(heaviest) <= 2_000


def test_people_who_send_in_turn_are_equally_heavy() -> None:
    """Samples at equal distances would find only one of them."""
    other = Person(person_key("default", "other"))
    found = noted(2_000, [KIOSK, other] * 8).find(0, MINUTE_MS + MINUTE_MS // 2)
    assert found is not None
    assert found.ratio == pytest.approx(0.5, abs=0.08)


def test_slices_of_single_events_are_sampled_as_large_ones_are() -> None:
    found = noted(2_000, [KIOSK]).find(0, MINUTE_MS + MINUTE_MS // 2)
    assert found is not None
    assert found.ratio == 1.0


def test_few_events_events_without_a_person_and_old_ones_name_nobody() -> None:
    assert noted(49, [KIOSK]).find(0, MINUTE_MS) is None
    assert noted(100, [None]).find(0, MINUTE_MS) is None
    heaviest = noted(100, [KIOSK])
    assert heaviest.find(0, 2 * MINUTE_MS) is not None
    assert heaviest.find(0, 3 * MINUTE_MS) is None


def test_one_who_has_stopped_is_forgotten() -> None:
    heaviest = noted(100, [KIOSK])
    for minute in range(2, 5):
        heaviest.note(crowd(100), minute * MINUTE_MS)
    found = heaviest.find(0, 4 * MINUTE_MS + 1)
    assert found is not None
    assert found.digest != person_digest(KIOSK.key)


def test_a_digest_is_what_the_documented_command_prints() -> None:
    """printf 'default\\037kiosk' | b2sum -l 128, its first 16 digits."""
    assert person_digest(KIOSK.key) == "5e28b54d6a4f5170"


def test_only_heavy_people_of_living_workers_are_shown_the_busiest_first() -> None:
    owners = Owners(3)
    light = HeavyPerson(0, "aa", 0.09, 900.0)
    slow, busy = HeavyPerson(1, "bb", 0.9, 1.0), HeavyPerson(2, "cc", 0.2, 200.0)
    owners.note({"a:1:x": WorkerReport(1, [0, 1, 2], [], [light, slow, busy])}, 0.0)
    assert owners.heaviest(1.0) == [busy, slow]
    assert owners.heaviest(SILENT_SECONDS) == []
