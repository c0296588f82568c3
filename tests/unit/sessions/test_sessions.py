"""Sessions: the sessions an event reaches, the result of a merge, and buckets of durations."""

import math

import msgspec
import pytest

from stream.counters.calendar import Calendar
from stream.counters.histogram import (
    BUCKETS_PER_DOUBLING,
    duration_bucket,
    duration_bucket_bounds_seconds,
)
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.sessions.bounds import on_this_side, set_bound
from stream.sessions.page_path import PagePath
from stream.sessions.rules import ID_REACH_MS
from stream.sessions.session import (
    BEGUN,
    ENDED,
    Session,
    comes_first,
    merge,
    reached,
    sid_digest,
    view_digest,
)

MINUTE = 60_000
TIMEOUT = 30 * MINUTE
NAMES = SegmentRegistry(("country",), 10, lambda site: Calendar())


def session(start: int, end: int, sid: str | None = None) -> Session:
    made = Session(sid, start, 1)
    made.end = end
    return made


def segment_set(country: str | None) -> SegmentSet:
    return NAMES.segment_set_of("default", {"country": country} if country else {})


def test_an_event_exactly_the_timeout_later_continues_the_session() -> None:
    one = session(0, MINUTE)
    assert reached([one], None, MINUTE + TIMEOUT, TIMEOUT) == [one]


def test_an_event_a_millisecond_after_the_timeout_does_not() -> None:
    assert reached([session(0, MINUTE)], None, MINUTE + TIMEOUT + 1, TIMEOUT) == []


def test_a_late_event_exactly_the_timeout_earlier_continues_it_too() -> None:
    one = session(TIMEOUT, TIMEOUT)
    assert reached([one], None, 0, TIMEOUT) == [one]
    assert reached([one], None, -1, TIMEOUT) == []


def test_an_event_between_two_sessions_reaches_both() -> None:
    both = [session(0, 0), session(2 * TIMEOUT, 2 * TIMEOUT)]
    assert reached(both, None, TIMEOUT, TIMEOUT) == both


def test_a_session_id_is_trusted_across_a_gap_of_up_to_a_day() -> None:
    one, other = session(0, 0, "a"), session(0, 0, "b")
    assert reached([one, other], "a", ID_REACH_MS, ID_REACH_MS) == [one]
    assert reached([one, other], "a", ID_REACH_MS + 1, ID_REACH_MS) == []


def test_a_closed_session_is_still_known_by_the_digest_of_its_id() -> None:
    one = session(0, 0, "a")
    one.sid = sid_digest("a")
    assert reached([one], "a", TIMEOUT, TIMEOUT) == [one]
    assert reached([one], "b", TIMEOUT, TIMEOUT) == []


def test_an_event_without_an_id_reaches_no_session_with_one() -> None:
    assert reached([session(0, 0, "a")], None, 0, TIMEOUT) == []
    assert reached([session(0, 0)], "a", 0, TIMEOUT) == []


@pytest.mark.parametrize("earlier", [True, False])
def test_a_merge_keeps_everything_of_both(earlier: bool) -> None:
    into, other = session(10, 20), session(30, 40)
    into.page_views, other.page_views = 2, 3
    other.interactive = other.real = True
    other.segment_set_id = 7
    merge(into, other, earlier)
    assert (into.start, into.end, into.page_views) == (10, 40, 5)
    assert (into.interactive, into.real) == (True, True)
    assert into.segment_set_id == (7 if earlier else 1)


def test_the_earlier_event_gives_the_segment_set() -> None:
    assert comes_first(1, segment_set("FR"), 2, segment_set("DE"))
    assert not comes_first(2, segment_set("DE"), 1, segment_set("FR"))


def test_at_one_instant_the_segment_set_that_sorts_first_is_kept() -> None:
    assert comes_first(1, segment_set("DE"), 1, segment_set("FR"))
    assert not comes_first(1, segment_set("FR"), 1, segment_set("DE"))
    assert comes_first(1, segment_set(None), 1, segment_set("DE"))


@pytest.mark.parametrize("sid", [None, "an id"])
def test_a_packed_session_is_restored_whole(sid: str | None) -> None:
    one = session(1_709_553_600_000, 1_709_553_700_000, sid)
    one.page_views, one.interactive, one.real, one.closed = 3, True, True, True
    again = Session.unpack(msgspec.msgpack.decode(msgspec.msgpack.encode(one.pack())))
    assert again.pack() == one.pack()
    registry = [
        "sid",
        "start",
        "end",
        "segment_set_id",
        "page_views",
        "interactive",
        "real",
        "closed",
    ]
    assert all(getattr(again, name) == getattr(one, name) for name in registry)


@pytest.mark.parametrize("sid", ["\x1f", "\x1fs", "\x1fios\x1fspring", "s\x1f"])
def test_a_session_id_that_looks_like_a_split_key_still_finds_its_session(sid: str) -> None:
    again = Session.unpack(
        msgspec.msgpack.decode(msgspec.msgpack.encode(session(5, 9, sid).pack()))
    )
    assert again.sid in (sid, sid_digest(sid))
    assert (again.platform, again.campaign) == ("", "")
    assert reached([again], sid, 9, 0) == [again]


@pytest.mark.parametrize("campaign", ["\x1f", "a\x1fb", "spring"])
def test_a_packed_session_keeps_its_campaign(campaign: str) -> None:
    one = session(5, 9)
    one.platform, one.campaign = "ios", campaign
    again = Session.unpack(msgspec.msgpack.decode(msgspec.msgpack.encode(one.pack())))
    assert (again.sid, again.platform, again.campaign) == (None, "ios", campaign)


def test_a_page_view_id_is_never_taken_for_its_substitute() -> None:
    assert view_digest("\x1fe1", "x") != view_digest(None, "e1") == sid_digest("\x1fe1")
    assert view_digest("e1", "x") == sid_digest("e1")


@pytest.mark.parametrize("sid", [None, "an id", b"digest"])
def test_a_packed_session_keeps_its_pages(sid: str | bytes | None) -> None:
    one = session(1_709_553_600_000, 1_709_553_700_000, sid)  # type: ignore[arg-type]
    one.page_views, one.page_path = 2, PagePath()
    for page in (7, 8):
        one.page_path.view(page, 1_709_553_600_000 + page, 0)
    one.page_path.look(7, 10_000, 50)
    again = Session.unpack(msgspec.msgpack.decode(msgspec.msgpack.encode(one.pack())))
    assert again.pack() == one.pack()
    assert again.sid == sid
    assert again.page_path is not None
    assert (again.page_path.entry_page, again.page_path.exit_page) == (7, 8)


def test_a_merge_keeps_the_pages_of_either() -> None:
    into, other = session(10, 20), session(30, 40)
    merge(into, other, False)
    assert into.page_path is None
    other.page_path = PagePath()
    other.page_path.view(7, 30, 0)
    merge(into, other, False)
    assert into.page_path is not None
    assert into.page_path.entry_page == 7
    again = session(1, 5)
    again.page_path = PagePath()
    again.page_path.view(9, 1, 0)
    merge(into, again, True)
    assert (into.page_path.entry_page, into.page_path.exit_page) == (9, 7)


def test_a_session_of_one_event_has_a_bucket_of_its_own() -> None:
    assert duration_bucket(0) == 0
    assert duration_bucket_bounds_seconds(0) == (0.0, 0.0)
    assert duration_bucket(1) == 1


@pytest.mark.parametrize("ms", [1, 2, 3, 999, 1_000, 1_024, 59_999, 1_800_000, 86_400_000])
def test_a_duration_lies_between_the_edges_of_its_bucket(ms: int) -> None:
    low, high = duration_bucket_bounds_seconds(duration_bucket(ms))
    assert low <= ms / 1000 * (1 + 1e-12)
    assert ms / 1000 < high
    assert math.isclose(high / low, 2 ** (1 / BUCKETS_PER_DOUBLING))


def test_buckets_grow_with_the_duration() -> None:
    buckets = [duration_bucket(ms) for ms in range(5_000)]
    assert buckets == sorted(buckets)


def bounded(start: int, end: int, traits: int) -> Session:
    made = session(start, end, "s")
    made.traits = traits
    return made


def takes(one: Session, time_ms: int, bound: int = 0) -> bool:
    return on_this_side([one], time_ms, bound) == [one]


def test_an_end_and_a_start_keep_later_and_earlier_events_out() -> None:
    ended, begun = bounded(0, 10, ENDED), bounded(20, 30, BEGUN)
    assert [takes(ended, time) for time in (0, 10, 11)] == [True, True, False]
    assert [takes(begun, time) for time in (19, 20, 31)] == [False, True, True]


def test_a_start_takes_nothing_before_it_and_an_end_nothing_after_it() -> None:
    one = session(10, 20)
    assert [takes(one, time, BEGUN) for time in (9, 10, 15, 20, 21)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert [takes(one, time, ENDED) for time in (9, 10, 20, 21)] == [False, True, True, True]


def test_an_event_beyond_a_start_or_an_end_is_kept_from_the_session_before() -> None:
    first, begun = bounded(0, 10, 0), bounded(20, 30, BEGUN)
    assert on_this_side([first, begun], 40, 0) == [begun]
    assert on_this_side([first, begun], 15, 0) == [first]
    both, last = bounded(20, 30, BEGUN | ENDED), bounded(50, 60, 0)
    assert on_this_side([first, both, last], 40, 0) == [last]
    assert on_this_side([first, both, last], 25, 0) == [both]
    assert on_this_side([first, both], 40, 0) == []


def test_of_two_sessions_that_meet_the_second_takes_all_but_the_end_of_the_first() -> None:
    first, begun = bounded(0, 20, 0), bounded(20, 20, BEGUN)
    assert on_this_side([first, begun], 20, 0) == [begun]
    assert on_this_side([first, begun], 20, ENDED) == [first]
    assert on_this_side([begun], 20, ENDED) == [begun]


def test_a_start_or_end_within_a_session_is_an_event_like_any_other() -> None:
    one = session(0, 20)
    for bound in (BEGUN, ENDED):
        set_bound(one, 10, bound)
    assert one.traits == 0
    set_bound(one, 0, BEGUN)
    set_bound(one, 20, ENDED)
    assert one.traits == BEGUN | ENDED


def test_an_end_at_the_instant_of_a_start_does_not_end_it() -> None:
    for bounds in ((BEGUN, ENDED), (ENDED, BEGUN)):
        one = session(5, 5)
        for bound in bounds:
            set_bound(one, 5, bound)
        assert one.traits == BEGUN


def test_a_merge_keeps_the_start_of_the_first_and_the_end_of_the_last() -> None:
    into, other = bounded(10, 20, ENDED), bounded(0, 5, BEGUN)
    merge(into, other, True)
    assert into.traits == BEGUN | ENDED


def test_bounds_are_stored() -> None:
    one = bounded(0, 10, BEGUN | ENDED)
    again = Session.unpack(msgspec.msgpack.decode(msgspec.msgpack.encode(one.pack())))
    assert again.traits == one.traits
