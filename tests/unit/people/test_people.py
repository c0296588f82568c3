"""People: stored people are restored, old parts are omitted, changed people are never evicted."""

import pytest

from stream.counters.calendar import Calendar
from stream.counters.segments import Segment, SegmentSet
from stream.people.active_days import SegmentBitmaps, has_unit
from stream.people.cache import PeopleCache
from stream.people.person import Person, pack, unpack
from stream.sessions.session import Session

DAY = 738_000
MINUTE = 28_492_560
KEPT = (0, 0, 0, 0, 0)


def segment_set(*ids: int) -> SegmentSet:
    def segment(number: int) -> Segment:
        return Segment(number, "s", "d", str(number), Calendar(), lambda _segment, _measure: 0)

    return SegmentSet(0, "s", tuple(segment(number) for number in ids))


def person(*days: int) -> Person:
    made = Person("default\x1fv")
    made.active.turn_to(segment_set(1))
    if days:
        top = max(days)
        made.active.bitmap = (top, sum(1 << (top - day) for day in set(days)), min(days))
    return made


def days_of(one: Person) -> list[tuple[int, ...]]:
    return [bitmap for bitmap, _ in one.active.items()]


def test_a_person_is_restored_with_every_stored_part() -> None:
    one = person(DAY - 3, DAY)
    one.live.turn_to(segment_set(1))
    one.live.bitmap = (MINUTE, 0b101)
    one.clicked = SegmentBitmaps()
    one.clicked.turn_to(segment_set(1, 2))
    one.clicked.bitmap = (DAY, 1)
    session = Session("s", 1_709_553_600_000, 4)
    one.sessions = [session]
    one.subscriptions = [(1, "started", "s", 20_000_000, False, None, 4)]
    again = unpack(one.key, pack(one, *KEPT))
    for name in ("active", "live", "clicked"):
        assert getattr(again, name).items() == getattr(one, name).items()
    assert [session.pack() for session in again.sessions] == [session.pack()]
    assert again.subscriptions == one.subscriptions
    assert pack(again, *KEPT) == pack(one, *KEPT)


def test_an_empty_person_takes_at_most_4_bytes() -> None:
    assert len(pack(Person("k"), *KEPT)) <= 4
    assert days_of(unpack("k", pack(Person("k"), *KEPT))) == []


def test_an_ordinary_person_takes_less_than_the_budget() -> None:
    one = person(*range(DAY - 27, DAY + 1))
    one.live.turn_to(segment_set(1))
    one.live.bitmap = (MINUTE, 0b11111)
    one.sessions = [Session(None, 1_709_553_600_000, 1)]
    # 16 bytes are the field's name; Redis itself adds some 50.
    assert len(pack(one, *KEPT)) <= 60


@pytest.mark.parametrize("length", [7, 8, 62, 63, 64, 65, 400, 5_000])
def test_a_mask_of_any_length_survives(length: int) -> None:
    one = person(DAY, DAY - length + 1)
    assert days_of(unpack("k", pack(one, *KEPT))) == days_of(one)


def test_old_days_are_omitted_except_the_first() -> None:
    one = person(DAY - 100, DAY - 10, DAY)
    [bitmap] = days_of(unpack("k", pack(one, DAY - 10, 0, 0, 0, 0)))
    assert [has_unit(bitmap, DAY - n) for n in (100, 10, 0)] == [False, True, True]
    assert bitmap[2] == DAY - 100


def test_minutes_out_of_reach_are_dropped() -> None:
    one = person(DAY)
    one.live.turn_to(segment_set(1))
    one.live.bitmap = (MINUTE, 1)
    assert unpack("k", pack(one, 0, 0, MINUTE, 0, 0)).live.items() == one.live.items()
    assert unpack("k", pack(one, 0, 0, MINUTE + 1, 0, 0)).live.items() == []


@pytest.mark.parametrize(("closed", "end", "kept"), [
    (True, 99, False), (True, 100, True), (False, 99, True),
])  # fmt: skip
def test_closed_sessions_out_of_reach_are_omitted(closed: bool, end: int, kept: bool) -> None:
    one = person(DAY)
    session = Session(None, 50, 1)
    session.end, session.closed = end, closed
    one.sessions, one.tail = [session], session
    assert bool(unpack("k", pack(one, 0, 0, 0, 100, 100)).sessions) == kept
    assert (one.tail is None) == (not kept)


def cache_of(cached: int, packed: int = 0) -> PeopleCache:
    return PeopleCache(cached, packed, unpack)


def keys(cache: PeopleCache, *registry: str) -> list[bool]:
    return [cache.get(name) is not None for name in registry]


def test_the_older_generation_is_evicted_when_the_younger_is_full() -> None:
    cache = cache_of(2)
    for generation in (("a", "b"), ("c", "d"), ("e", "f")):
        for name in generation:
            cache.put(Person(name))
        cache.evict()
    assert keys(cache, "a", "c", "e") == [False, False, True]
    assert cache.evictions == 4


def test_a_person_used_again_stays() -> None:
    cache = cache_of(4)
    for registry in (("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i")):
        assert cache.get("a") or "a" in registry
        for name in registry:
            cache.put(Person(name))
        cache.evict()
    assert keys(cache, "a", "b") == [True, False]


@pytest.mark.parametrize("held", ["dirty", "in_flight"])
def test_a_person_who_is_not_stored_yet_is_never_lost(held: str) -> None:
    cache, one = cache_of(1), Person("a")
    cache.put(one)
    setattr(cache, held, {"a": one})
    for name in "bcdefg":
        cache.put(Person(name))
        cache.evict()
    assert cache.get("a") is one


def test_no_person_is_evicted_during_a_batch() -> None:
    cache = cache_of(1)
    for name in "abcdef":
        cache.put(Person(name))
    assert all(keys(cache, *"abcdef"))


def stored(key: str) -> Person:
    made = Person(key)
    made.active.turn_to(segment_set(1))
    made.active.bitmap = (DAY, 1, DAY)
    made.packed = pack(made, *KEPT)
    return made


def fill(cache: PeopleCache, *registry: str) -> None:
    for name in registry:
        cache.put(stored(name))
        cache.evict()


def test_dropped_people_stay_packed_until_these_are_too_many() -> None:
    cache = cache_of(1, packed=4)
    fill(cache, *"abcdefghijklmnop")
    known = [name for name in "abcdefghijklmnop" if cache.peek(name) is not None]
    assert known[-1] == "p"
    assert 4 <= len(known) <= 10
    assert known == [*"abcdefghijklmnop"[-len(known) :]]
    assert cache.evictions == 16 - len(known)


def test_a_packed_person_comes_back_as_stored() -> None:
    cache = cache_of(1, packed=9)
    fill(cache, *"abcde")
    again = cache.get("a")
    assert again is not None
    assert days_of(again) == [(DAY, 1, DAY)]
    assert cache.get("a") is again


def test_to_peek_at_a_person_drops_nobody() -> None:
    cache = cache_of(1, packed=9)
    fill(cache, *"abcde")
    before = cache.rotations
    for name in "abcde":
        assert cache.peek(name) is not None
        cache.evict()
    assert cache.rotations == before


def test_an_older_packed_form_never_comes_back() -> None:
    cache = cache_of(1, packed=8)
    fill(cache, *"abcde")
    one = cache.peek("a")
    assert one is not None
    one.active.turn_to(segment_set(1))
    one.active.bitmap, one.active.stored = (DAY + 1, 0b11, DAY), None
    cache.hold(one, cache.dirty)
    fill(cache, *"fgh")
    assert cache.peek("a") is one
    one.packed = pack(one, *KEPT)
    cache.take_changes()
    cache.settle()
    for names in ("ijkl", "mnop"):
        fill(cache, *names)
        again = cache.peek("a")
        assert again is None or days_of(again) == [(DAY + 1, 0b11, DAY)]


def test_closing_sessions_in_silence_fills_no_memory() -> None:
    cache = cache_of(4, packed=400)
    names = [str(number) for number in range(100)]
    fill(cache, *names)
    for number, name in enumerate(names):
        one = cache.peek(name)
        assert one is not None
        cache.hold(one, cache.unchanged)
        cache.evict()
        if number % 5 == 0:
            cache.take_changes()
            cache.settle()
        assert len(cache.young) + len(cache.old) < 20
