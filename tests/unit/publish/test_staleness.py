"""Reasons that withhold the values, and the one list that the reasons of several workers become."""

import pytest

from stream.publish.staleness import OVER, Stale, StaleReason, is_withheld, joined

LIMIT_MS = 30_000


@pytest.mark.parametrize(
    ("reason", "at_once", "later"),
    [
        (StaleReason.SHARDS_REBUILDING, True, True),
        (StaleReason.FIRST_COUNT, True, True),
        (StaleReason.OTHER_CLUSTER, True, True),
        (StaleReason.BROKER_AWAY, False, True),
        (StaleReason.PUBLISHER_STUCK, False, True),
        (StaleReason.OUTPUT_REFUSED, False, False),
        ("a reason of a newer version", False, True),
    ],
)
def test_wrong_values_are_withheld_at_once_and_old_ones_after_the_limit(
    reason: str, at_once: bool, later: bool
) -> None:
    stale = [Stale(reason, 1_000, "")]
    assert is_withheld(stale, 1_000, LIMIT_MS) == at_once
    assert is_withheld(stale, 1_001 + LIMIT_MS, LIMIT_MS) == later


def test_numbers_without_a_reason_are_live() -> None:
    assert not is_withheld([], 1 << 60, LIMIT_MS)


def test_each_reason_is_shown_once_with_its_beginning() -> None:
    one, two = Stale("broker_away", 2_000, "here"), Stale("broker_away", 1_000, "there")
    other = Stale("output_refused", 1_500, "topic")
    assert joined([one, other, two]) == [two, other]


def test_the_log_has_words_for_the_end_of_every_reason() -> None:
    assert {*OVER} == {*StaleReason}
