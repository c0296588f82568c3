"""Ids are remembered for at least one window of the log's clock, and rebuilt from the log alone."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.duplicates import SeenIds

WINDOW = 600_000


def knows(seen: SeenIds, event_id: str, site: str = "s") -> bool:
    return any(event_id in ids.get(site, ()) for ids in (seen.current, seen.previous))


def held(seen: SeenIds) -> int:
    return sum(len(ids) for sites in (seen.current, seen.previous) for ids in sites.values())


def read(log: list[tuple[str, int]], seen: SeenIds, first: int, clock: int) -> int:
    """Read records (id, time) from an offset on, as the engine does; return the log's clock."""
    for offset, (event_id, time_ms) in enumerate(log[first:], start=first):
        if knows(seen, event_id):
            continue
        if time_ms > clock:
            seen.advance(offset, clock, time_ms)
            clock = time_ms
        seen.add("s", event_id, offset, clock)
    return clock


def test_an_id_is_known_in_its_generation_and_the_next() -> None:
    seen = SeenIds(WINDOW, 100)
    read([("a", WINDOW), ("b", 2 * WINDOW)], seen, 0, 0)
    assert knows(seen, "a")
    seen.advance(2, 2 * WINDOW, 3 * WINDOW)
    assert not knows(seen, "a")
    assert knows(seen, "b")


def test_an_id_is_known_one_whole_window_later() -> None:
    seen = SeenIds(WINDOW, 100)
    read([("a", 2 * WINDOW - 1), ("b", 3 * WINDOW - 1)], seen, 0, 0)
    assert knows(seen, "a")


def test_an_id_is_one_sites_and_all_sites_share_the_most_ids() -> None:
    seen = SeenIds(WINDOW, 3)
    assert not seen.add("s", "a", 0, WINDOW)
    assert not seen.add("t", "a", 1, WINDOW)
    assert seen.add("t", "a", 2, WINDOW)
    assert not seen.add("t", "b", 3, WINDOW)
    assert (seen.capped, held(seen)) == (1, 3)
    assert seen.add("s", "a", 4, WINDOW)


def test_a_jump_over_a_generation_forgets_all_before_it() -> None:
    seen = SeenIds(WINDOW, 100)
    read([("a", WINDOW), ("b", 9 * WINDOW)], seen, 0, 0)
    assert not knows(seen, "a")
    assert knows(seen, "b")


def test_a_full_generation_ends_early_and_is_counted() -> None:
    seen = SeenIds(WINDOW, 2)
    read([(str(number), WINDOW) for number in range(5)], seen, 0, 0)
    assert seen.capped == 2
    assert held(seen) <= 4
    assert knows(seen, "4")


def test_reading_begins_where_the_older_generation_did() -> None:
    seen = SeenIds(WINDOW, 100)
    log = [("a", WINDOW), ("b", WINDOW), ("c", 2 * WINDOW), ("d", 3 * WINDOW), ("e", 3 * WINDOW)]
    read(log, seen, 0, 0)
    assert seen.recall_offset == 2
    assert seen.recall_clock == WINDOW


steps = st.sampled_from([0, 1, WINDOW // 2, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW])


@given(st.lists(steps, max_size=40), st.sampled_from([2, 3, 1000]), st.integers(0, 40))
def test_the_log_rebuilds_exactly_what_was_known(moves: list[int], ids_max: int, stop: int) -> None:
    log, now = [], WINDOW * 1000
    for number, step in enumerate(moves):
        now += step
        log.append((str(number), now))
    live = SeenIds(WINDOW, ids_max)
    read(log[:stop], live, 0, 0)
    again = SeenIds(WINDOW, ids_max, live.recall_offset, live.recall_clock)
    read(log[:stop], again, live.recall_offset, live.recall_clock)
    assert (again.current, again.previous) == (live.current, live.previous)
    assert again.recall_offset == live.recall_offset
    assert again.recall_clock == live.recall_clock


def test_a_window_of_zero_remembers_no_id() -> None:
    seen = SeenIds(0, 100)
    read([("a", 5), ("b", 6)], seen, 0, 0)
    assert not knows(seen, "a")
