"""Real orders with known answers, as `engage report` prints them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.integration.test_cases_report import CASES, expected

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
METRICS = (
    "orders", "buyers", "revenue", "average_order_value", "purchase_frequency",
    "customer_lifetime_value_historic",
)  # fmt: skip
Numbers = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def reported() -> Numbers:
    """Return the printed records by (metric, start of the window; "" for all time)."""
    [events] = (CASES / "cdnow-lifetimes").glob("events.jsonl*")
    command = [sys.executable, "-m", "agents", "report", "--format", "json"]
    for metric in METRICS:
        command += ["--metric", metric]
    command += ["--window", "all", "--window", "month", str(events)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120, text=True)
    assert "left out" not in done.stderr
    records = map(json.loads, done.stdout.splitlines())
    return {
        (record["metric"], record["window"]["start"] or ""): record
        for record in records
        if not record["dimensions"]
    }


def test_cdnow_totals_match(reported: Numbers) -> None:
    answers = expected("cdnow-lifetimes")["recomputed_here"]

    def whole(metric: str) -> float:
        value: float = reported[metric, ""]["value"]
        return value

    assert whole("buyers") == answers["customers"] == 2_357
    assert whole("orders") == answers["orders"] == 6_919
    assert round(whole("revenue"), 2) == answers["revenue_total"] == 244_091.94
    per_customer = answers["revenue_per_customer (historic CLV to 1998-06-30)"]
    assert round(whole("customer_lifetime_value_historic"), 4) == per_customer
    assert round(whole("average_order_value"), 4) == answers["average_order_value"]
    assert round(whole("purchase_frequency"), 4) == answers["orders_per_customer"]


def test_cdnow_months_match(reported: Numbers) -> None:
    months = expected("cdnow-lifetimes")["recomputed_here"]["months"]
    assert len(months) == 18
    for month, answers in months.items():
        start = f"{month}-01T00:00:00Z"
        assert reported["buyers", start]["value"] == answers["active_customers"]
        assert reported["orders", start]["value"] == answers["orders"]
        assert round(reported["revenue", start]["value"], 2) == answers["revenue"]
