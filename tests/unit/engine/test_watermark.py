"""Watermark of a shard: the slowest topic, the wall clock only in silence, never backwards."""

import pytest

from stream.engine.duplicates import SeenIds
from stream.engine.watermark import (
    FOLLOW_MS,
    OUTCOMES,
    IdleHold,
    TopicState,
    log_floor,
    shard_watermark,
)

LATENESS = 300_000
NOW = 1_709_553_600_000
DAY = 86_400_000


def topic(clock: int = 0, drained_at: int = 0) -> TopicState:
    return TopicState("t", SeenIds(600_000, 100), clock=clock, drained_at=drained_at)


def watermark(*topics: TopicState) -> int | None:
    return shard_watermark({str(n): one for n, one in enumerate(topics)}, LATENESS)


def test_the_watermark_is_the_newest_event_less_the_lateness() -> None:
    assert watermark(topic(NOW)) == NOW - LATENESS


def test_the_slowest_topic_decides_the_watermark() -> None:
    assert watermark(topic(NOW), topic(NOW - 5_000)) == NOW - 5_000 - LATENESS


def test_an_unread_topic_stops_the_watermark() -> None:
    assert watermark(topic(NOW), topic()) is None


def test_a_shard_without_topics_has_no_watermark() -> None:
    assert watermark() is None


def test_a_topic_read_to_its_end_follows_the_wall_clock() -> None:
    assert watermark(topic(NOW), topic(0, drained_at=NOW + 60_000)) == NOW - LATENESS
    assert watermark(topic(NOW - 3_600_000, drained_at=NOW)) == NOW - LATENESS


def test_a_wall_clock_behind_the_events_does_not_delay_the_watermark() -> None:
    assert watermark(topic(NOW, drained_at=NOW - 1)) == NOW - LATENESS


def test_a_backlog_does_not_follow_the_wall_clock() -> None:
    assert watermark(topic(NOW - 3_600_000, drained_at=0)) == NOW - 3_600_000 - LATENESS


def floor(*topics: TopicState) -> int:
    return log_floor({str(n): one for n, one in enumerate(topics)}, DAY)


def test_the_floor_is_the_lowest_clock() -> None:
    assert floor(topic(NOW), topic(NOW - 5_000)) == NOW - 5_000


def test_the_floor_is_zero_while_a_topic_may_begin_anywhere() -> None:
    assert floor(topic(NOW), topic()) == 0
    assert floor() == 0


def test_a_quiet_topic_does_not_keep_state_for_ever() -> None:
    assert floor(topic(NOW), topic(0, drained_at=NOW)) == NOW - DAY
    assert floor(topic(NOW), topic(NOW - 5, drained_at=NOW)) == NOW - 5


def test_a_quiet_topic_follows_only_records_it_has_kept_up_with() -> None:
    quiet = topic(NOW - 7 * DAY, drained_at=NOW)
    quiet.held_to_ms = NOW - 3 * DAY
    assert floor(topic(NOW), quiet) == NOW - 4 * DAY
    quiet.held_to_ms = 0
    assert floor(topic(NOW), quiet) == NOW - 7 * DAY
    topics = {"a": topic(NOW), "b": quiet}
    assert log_floor(topics, DAY, at_once=True) == NOW - DAY


def test_a_topic_keeps_up_with_records_read_well_before_its_end() -> None:
    idle_hold = IdleHold()
    assert idle_hold.followed(NOW) == 0
    idle_hold.note(NOW - 9 * DAY, NOW)
    idle_hold.note(NOW - 2 * DAY, NOW + 60_000)
    assert idle_hold.followed(NOW + FOLLOW_MS - 1) == 0
    assert idle_hold.followed(NOW + FOLLOW_MS) == NOW - 9 * DAY
    assert idle_hold.followed(NOW + 60_000 + FOLLOW_MS) == NOW - 2 * DAY


def test_a_silent_broker_lets_no_topic_follow() -> None:
    idle_hold = IdleHold()
    idle_hold.note(NOW - 9 * DAY, NOW)
    for second in range(0, 3_600, 10):
        idle_hold.note(NOW, NOW + FOLLOW_MS + second * 1000)
    assert idle_hold.followed(NOW + FOLLOW_MS) == 0


def test_old_notes_are_forgotten() -> None:
    idle_hold = IdleHold()
    for second in range(100_000):
        idle_hold.note(second, NOW + second * 1000)
    assert len(idle_hold._noted) <= FOLLOW_MS // 10_000 + 2
    assert idle_hold.followed(NOW + 99_999_000) in range(99_999 - 130, 99_999 - 119)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_offset_is_accounted_for_by_one_outcome(outcome: str) -> None:
    state = topic()
    state.start, state.next = 100, 103
    assert state.next - state.start - sum(state.counts.values()) == 3
    state.counts[outcome] += 3
    assert state.next - state.start - sum(state.counts.values()) == 0
