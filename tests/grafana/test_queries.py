"""Every query of every panel has an answer on a real Prometheus with a week of our numbers."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.grafana.history import STEP_MS, write_history
from tests.grafana.prometheus import StoredPrometheus
from tests.grafana.shipped import Target, dashboard, filled, panels, targets
from tests.grafana.traffic import BUSY, NOW_MS

NOW = NOW_MS // 1000
RANGE = {"start": str(NOW - 600), "end": str(NOW), "step": str(STEP_MS // 1000)}
TARGETS = [*targets()]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredPrometheus]:
    server = StoredPrometheus()
    try:
        file = tmp_path_factory.mktemp("history") / "samples.txt"
        write_history(file)
        server.add_samples(file)
        spans = tuple((first // 1000, last // 1000) for first, last in BUSY)
        server.add_recorded(spans, STEP_MS // 1000)
        yield server.start()
    finally:
        server.close()


def numbers(server: StoredPrometheus, query: dict[str, Any], **values: str) -> list[float]:
    """Return all finite numbers of an answer."""
    chosen = filled(query["expr"], {"job": ".+", "site": ".+", "segment": "country"} | values)
    if query["instant"]:
        found = [series["value"][1] for series in server.query(chosen, time=str(NOW))]
    else:
        answer = server.query(chosen, **RANGE)
        found = [value for series in answer for _, value in series["values"]]
    return [float(value) for value in found if math.isfinite(float(value))]


@pytest.mark.parametrize("target", TARGETS, ids=[target.where for target in TARGETS])
def test_a_query_has_an_answer(target: Target, prometheus: StoredPrometheus) -> None:
    assert numbers(prometheus, target.query), f"{target.where}: no data: {target.query['expr']}"


def test_a_selection_without_a_match_has_no_answer(prometheus: StoredPrometheus) -> None:
    """An answer above therefore depends on the selection."""
    for target in TARGETS:
        if "vector(0)" not in target.query["expr"]:
            assert numbers(prometheus, target.query, job="another") == [], target.where


def test_variables_offer_the_existing_values(prometheus: StoredPrometheus) -> None:
    offered = {}
    for variable in dashboard("engagement")["templating"]["list"]:
        if variable["type"] == "query":
            text = filled(variable["query"]["query"])
            selector, _, label = text[len("label_values(") : -1].rpartition(", ")
            answer = prometheus.query(selector, time=str(NOW))
            offered[variable["name"]] = {series["metric"][label] for series in answer}
    assert offered == {
        "job": {"engagement"},
        "site": {"default"},
        "segment": {"country", "device", "channel", "campaign", "variant"},
    }


def test_the_columns_of_a_table_have_the_same_rows(prometheus: StoredPrometheus) -> None:
    """Grafana joins rows with equal labels, and treats the name of a series as a label."""
    joined = 0
    for panel in panels("engagement-campaigns"):
        if panel["type"] == "table":
            rows = [
                {tuple(sorted(series["metric"].items())) for series in answer}
                for query in panel["targets"]
                if (answer := prometheus.query(filled(query["expr"]), time=str(NOW)))
            ]
            assert len(rows) > 3
            joined += len(rows[0] & rows[1] & rows[2])
    assert joined > 5


def test_numbers_equal_those_of_the_page(prometheus: StoredPrometheus) -> None:
    """The rules change no number."""
    (shown,) = (t for t in TARGETS if t.panel["title"] == "Daily active users" and t.query["range"])
    recorded = filled(shown.query["expr"])
    (moment,) = prometheus.query(f"timestamp({recorded})", time=str(NOW))
    when = moment["value"][1]
    values = [
        float(series["value"][1])
        for expression in (recorded, "engagement_daily_active_users")
        for series in prometheus.query(expression, time=when)
    ]
    assert len(values) == 2 and values[0] == values[1] > 100
