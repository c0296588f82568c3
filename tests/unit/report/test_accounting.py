"""Accounting: lines read = counted + left out by each reason."""

import pytest

from schemas.rejection import Reason
from stream.counters import measures
from stream.report.accounting import LEFT_OUT, accounting


def test_every_line_is_counted_or_left_out_by_one_reason() -> None:
    rejected = {reason: number for number, reason in enumerate(Reason, start=1)}
    counts = {
        measures.BOT_EVENTS: 1, measures.EXCLUDED_EVENTS: 2,
        measures.OFF_SCALE_EVENTS: 3, measures.UNMATCHED_EVENTS: 4, measures.PAGE_VIEWS: 50,
    }  # fmt: skip
    found = accounting(60, rejected, counts)
    assert found.lines == found.counted + sum(found.left_out.values())
    assert list(found.left_out) == list(LEFT_OUT)
    assert found.counted == 60 - 10
    assert sum(found.no_event.values()) == found.left_out["no event"]
    assert set(found.no_event) == set(Reason) - {"future", "late", "duplicate", "currency"}


@pytest.mark.parametrize("measure", [measures.BOT_EVENTS, measures.UNMATCHED_EVENTS])
def test_reasons_without_lines_are_absent(measure: str) -> None:
    found = accounting(3, {}, {measure: 1})
    assert (found.lines, found.counted, list(found.left_out.values())) == (3, 2, [1])
