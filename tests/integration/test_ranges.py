"""A report over a range of days equals a report of only the events of these days."""

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agents.commands.catalogue import choose_metrics
from schemas.outputs import MetricRecord
from stream.metrics.ranges import over_range
from stream.report.file_report import Report
from stream.report.periods import DayRange, parse_day
from stream.settings.application import Settings

CASES = Path(os.environ.get("ENGAGE_CASES") or Path(__file__).parents[3] / "shared" / "cases")
FEBRUARY = DayRange(parse_day("2024-02-01").toordinal(), parse_day("2024-02-29").toordinal())
NOW_MS = 1_800_000_000_000
#: Metrics over a range that see the events before it, or those that follow it.
LOOKS_BACK = {
    # Who is new is known from all events before.
    "new_visitors", "returning_visitors", "new_visitor_share", "new_buyers",
    # The people of a day are watched after it.
    "first_week_engagement", "first_week_active_days", "retention_d1", "retention_d7",
    "retention_d30",
    # A cart may be filled before the range, and is abandoned a day after its last change.
    "cart_abandonment_rate", "recovered_carts",
    # Levels, and what is divided by one at the start.
    "active_customers", "mrr", "average_revenue_per_account", "customer_retention_rate",
    "churn_rate", "involuntary_churn_rate", "voluntary_churn_rate", "gross_mrr_churn",
    "net_mrr_churn", "tickets_waiting",
}  # fmt: skip
#: These look back too; the events of the case have no cause for it.
MAY_LOOK_BACK = {
    # A refund of an earlier order; the reply to an earlier ticket; a change of an earlier subscription.
    "refunds", "revenue", "first_response_time", "resolution_time", "new_customers",
    "churned_customers", "customer_acquisition_cost",
}  # fmt: skip
Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], Any]


def lines() -> list[bytes]:
    file = CASES / "retentioneering" / "events.jsonl.gz"
    if not file.is_file():
        pytest.skip(f"the case is not at {file}; ENGAGE_CASES names the directory of the cases")
    with gzip.open(file) as source:
        return source.readlines()


def is_in_february(line: bytes) -> bool:
    return str(json.loads(line)["event_time"]).startswith("2024-02")


def over_february(events: Iterable[bytes]) -> Numbers:
    """Return the numbers over the range, by metric and dimensions."""
    report = Report(Settings(), NOW_MS, lambda bad: pytest.fail(bad.detail), FEBRUARY)
    report.read("case", events)
    return dict(_by_key(report.records((), {"range"})))


def _by_key(records: Iterable[MetricRecord]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for record in records:
        assert record.window.start is not None and record.window.end is not None
        assert datetime.fromisoformat(record.window.start).date().isoformat() == "2024-02-01"
        assert datetime.fromisoformat(record.window.end).date().isoformat() == "2024-03-01"
        key = record.metric, tuple(sorted(record.dimensions.items()))
        yield key, (record.value, record.numerator, record.denominator)


def test_a_range_equals_a_report_of_its_events_for_all_that_does_not_look_back() -> None:
    every = lines()
    whole = over_february(every)
    alone = over_february(line for line in every if is_in_february(line))
    differing = {key[0] for key in {*whole, *alone} if whole.get(key) != alone.get(key)}
    assert differing <= LOOKS_BACK
    assert {"new_visitors", "retention_d7", "cart_abandonment_rate"} <= differing
    # Every other metric is there, and most have numbers.
    wanted = {one.name for one in choose_metrics(Settings(), ()) if one.plain and over_range(one)}
    assert wanted - {metric for metric, _ in whole} == set()
    assert wanted >= LOOKS_BACK | MAY_LOOK_BACK
    assert whole["page_views", ()][0] == sum(
        json.loads(line)["type"] == "page_view" for line in every if is_in_february(line)
    )
