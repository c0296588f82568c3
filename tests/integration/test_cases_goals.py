"""Funnels, carts and conversion of real inputs, defined by a small engage.toml."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord
from stream.configure.load import load_settings
from stream.report.file_report import Report
from stream.report.input import read_items
from stream.settings.application import Settings
from tests.integration.test_cases_report import CASES, NOW_MS, expected

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
#: Steps of the case in terms of our events: pages by URL, an order for a purchase.
SHOP = """
dimensions = []
[cart]
basis = "session"
[funnels.purchase]
window_days = 200  # "any time": the case is half a year
steps = [
    { type = "page_view", where = { page_url = "*/catalog" } },
    { type = "add_to_cart" },
    { type = "page_view", where = { page_url = "*/cart" } },
    { type = "order" },
]
"""
FILM = """
dimensions = []
[funnels.film]
steps = [
    { type = "custom", where = { name = "user signed up" } },
    { type = "custom", where = { name = "paid" } },
    { type = "custom", where = { name = "watched movie" } },
]
"""
Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_toml(text: str) -> Settings:
        file = tmp_path / "engage.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, {})

    return from_toml


def lines_of(case: str) -> Iterator[bytes]:
    [events] = (CASES / case).glob("events.jsonl*")
    yield from read_items(str(events))


def over_everything(settings: Settings, lines: Iterable[bytes]) -> list[MetricRecord]:
    bad: list[object] = []
    report = Report(settings, NOW_MS, bad.append)
    report.read("case", lines)
    assert bad == []
    return list(report.records(set(), {"all"}))


def steps_of(records: Iterable[MetricRecord], metric: str, funnel: str) -> list[Any]:
    """Return the values by step, from the first on."""
    found = {
        int(record.dimensions["step"]): record.value
        for record in records
        if record.metric == metric and record.dimensions.get("funnel") == funnel
    }
    assert [*sorted(found)] == [*range(1, len(found) + 1)]
    return [found[step] for step in sorted(found)]


def test_retentioneering_funnel_carts_and_conversion_match_its_notebooks(load: Load) -> None:
    case = expected("retentioneering")
    printed, recomputed = case["printed_by_its_notebooks"], case["recomputed_here"]
    records = over_everything(load(SHOP), lines_of("retentioneering"))

    people = steps_of(records, "funnel_people", "purchase")
    assert people == printed["funnel_users catalog>add_to_cart>cart>purchase (ordered, any time)"]
    shares = steps_of(records, "funnel_step_conversion", "purchase")
    assert [round(share, 6) for share in shares] == printed["funnel_step_conversion"]
    whole = steps_of(records, "funnel_conversion", "purchase")
    assert whole == [count / people[0] for count in people]

    [left] = [record for record in records if record.metric == "cart_abandonment_rate"]
    assert left.numerator == recomputed["abandoned_cart_sessions"]
    assert left.denominator == recomputed["sessions_with_add_to_cart"]
    percent = recomputed["cart_abandonment_pct (sessions with add_to_cart and no purchase)"]
    assert round(100 * (left.value or 0), 2) == percent

    [session_rate] = [record for record in records if record.metric == "session_conversion_rate"]
    assert session_rate.numerator == recomputed["sessions_with_purchase"]
    assert round(100 * (session_rate.value or 0), 2) == recomputed["session_conversion_pct"]


def film_events() -> Iterator[bytes]:
    """Yield the case's events, with the details that its restatement omits.

    PostHog calls all clicks $autocapture. Its test tells them apart by the element. Each person
    pays with the first click, except the one who only watched; the click after a payment is the
    film. The test deletes one person, who signs up and does not count.
    """
    clicked: set[str] = {"just_did_movie"}
    for line in lines_of("posthog/funnel-funnel_events"):
        event = json.loads(line)
        who = event["user_id"]
        if who == "a_user_that_got_deleted_or_doesnt_exist":
            continue
        if event["name"] == "$autocapture":
            event["name"] = "watched movie" if who in clicked else "paid"
            clicked.add(who)
        yield msgspec.json.encode(event)


def test_posthog_funnel_matches(load: Load) -> None:
    expected_counts = {
        (path[1], path[2]): check["equals"]
        for check in expected("posthog/funnel-funnel_events")["checks"]
        for path in [check["path"]]
    }
    records = over_everything(load(FILM), film_events())
    counts = [expected_counts[step, "count"] for step in range(3)]
    assert counts == [4, 2, 1]
    assert steps_of(records, "funnel_people", "film") == counts
