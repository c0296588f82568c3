"""Source partitions are read in the order of their times, and all of them to the end."""

from hypothesis import given
from hypothesis import strategies as st

from stream.rekey.alignment import AHEAD_MS, BACKLOG_MS, NO_LIMIT, PATIENCE_MS, Alignment

NOW = 2_000_000_000_000

logs = st.lists(
    st.lists(st.integers(0, 40 * AHEAD_MS), min_size=1, max_size=30).map(sorted),
    min_size=1,
    max_size=5,
)


@given(logs=logs, data=st.data())
def test_all_is_read_and_nothing_is_far_ahead(logs: list[list[int]], data: st.DataObject) -> None:
    """Readers take turns in any order; each reads only what the alignment allows."""
    alignment: Alignment[int] = Alignment()
    positions = [0] * len(logs)

    def note(place: int) -> None:
        log, at = logs[place], positions[place]
        time = log[at] if at < len(log) else log[-1]
        alignment.note(place, at, time, is_behind=at < len(log), now_ms=NOW)

    for place in range(len(logs)):
        note(place)
    while unread := [p for p, log in enumerate(logs) if positions[p] < len(log)]:
        allowed = [p for p in unread if logs[p][positions[p]] <= alignment.limit(p, NOW)]
        assert allowed, "all wait for each other"
        place = data.draw(st.sampled_from(allowed))
        slowest = min(logs[p][positions[p]] for p in unread)
        assert logs[place][positions[place]] <= slowest + AHEAD_MS
        positions[place] += 1
        note(place)


def test_a_partition_that_is_read_to_its_end_holds_up_no_other() -> None:
    alignment: Alignment[str] = Alignment()
    alignment.note("quiet", 7, 1_000, is_behind=False, now_ms=NOW)
    assert alignment.limit("busy", NOW) == NO_LIMIT
    alignment.note("quiet", 7, 1_000, is_behind=True, now_ms=NOW)
    assert alignment.limit("busy", NOW) == 1_000 + AHEAD_MS


def test_steps_are_larger_in_a_backlog_and_small_again_near_the_present() -> None:
    hour = 3_600_000
    alignment: Alignment[str] = Alignment(backlog_ahead_ms=hour)
    steps = {}
    for age in (10 * hour, BACKLOG_MS + hour // 2, BACKLOG_MS, hour):
        alignment.note("slow", age, NOW - age, is_behind=True, now_ms=NOW)
        steps[age] = alignment.limit("other", NOW) - (NOW - age)
    assert list(steps.values()) == [hour, hour // 2, AHEAD_MS, AHEAD_MS]


def test_a_partition_alone_waits_for_nothing() -> None:
    alignment: Alignment[str] = Alignment()
    alignment.note("one", 0, 5, is_behind=True, now_ms=NOW)
    assert alignment.limit("one", NOW) == NO_LIMIT


def test_a_partition_whose_time_is_unknown_holds_up_all_others_until_it_is_stuck() -> None:
    alignment: Alignment[str] = Alignment()
    alignment.note("new", 0, None, is_behind=True, now_ms=NOW)
    assert alignment.limit("other", NOW) < 0
    assert alignment.limit("other", NOW + PATIENCE_MS + 1) == NO_LIMIT


def test_a_stuck_partition_lets_others_go_on_by_a_larger_step() -> None:
    alignment: Alignment[str] = Alignment(stuck_ahead_ms=50 * AHEAD_MS)
    alignment.note("stuck", 3, 1_000, is_behind=True, now_ms=NOW)
    later = NOW + PATIENCE_MS + 1
    alignment.look(later)
    assert alignment.stuck(later) == ["stuck"]
    assert alignment.limit("other", later) == 1_000 + 50 * AHEAD_MS
    alignment.note("stuck", 4, 2_000, is_behind=True, now_ms=later)
    assert alignment.stuck(later) == []
    assert alignment.limit("other", later) == 2_000 + AHEAD_MS


def test_a_partition_that_waits_is_not_stuck() -> None:
    alignment: Alignment[str] = Alignment()
    alignment.note("ahead", 9, 10 * AHEAD_MS, is_behind=True, now_ms=NOW)
    for second in range(200):
        now = NOW + second * 1000
        alignment.note("slow", second, second, is_behind=True, now_ms=now)
        alignment.look(now)
    assert alignment.stuck(now) == []


def test_partitions_that_are_gone_are_forgotten() -> None:
    alignment: Alignment[str] = Alignment()
    alignment.note("gone", 0, 0, is_behind=True, now_ms=NOW)
    alignment.keep({"here"})
    assert alignment.limit("here", NOW) == NO_LIMIT
