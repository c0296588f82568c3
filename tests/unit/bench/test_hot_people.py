"""Events of people with long histories: both of a pair send the same, and every event counts."""

import pytest

from tests.bench.hot_people import CHUNK, KINDS, Clock, measured, visit


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_of_a_pair_is_counted(kind: str) -> None:
    cost = measured(KINDS[kind], before=CHUNK, rounds=1)  # Fails if an event is refused.
    assert cost.none_micros > 0
    assert cost.ratio_low <= cost.ratio <= cost.ratio_high


@pytest.mark.parametrize("kind", KINDS)
def test_both_of_a_pair_send_the_same_events(kind: str) -> None:
    numbers = range(40, 40 + CHUNK)
    hot, fresh = (list(visit(Clock(), KINDS[kind], name, numbers)) for name in ("hot", "fresh"))
    for one, other in zip(hot[:-1], fresh[:-1], strict=True):
        own = {"user_id", "session_id"}
        assert {k: v for k, v in one.items() if k not in own} == {
            k: v for k, v in other.items() if k not in own
        }


def test_the_last_event_of_a_visit_comes_after_the_end_of_its_session() -> None:
    *events, bystander = visit(Clock(), KINDS["orders"], "person", range(CHUNK))
    assert len(events) == CHUNK
    assert bystander["user_id"] != "person"
    assert bystander["event_time"] - events[-1]["event_time"] > 30 * 60_000
