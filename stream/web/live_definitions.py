"""Explains every number of the live page: title, definition, formula and benchmark."""

from collections.abc import Mapping
from typing import Any

from stream.metrics.families import COUNTERS
from stream.metrics.metric import Metric
from stream.metrics.metric_families import main_family
from stream.report.accounting import LEFT_OUT
from stream.web.live import LiveNumbers

_OUTCOMES = {
    "rejected": "Records that are no valid event.",
    "duplicate": "Events whose event_id was counted before.",
    "late": "Events too old to change a number.",
    "skipped": "Offsets of the log without a record to read.",
}


def definitions(numbers: LiveNumbers) -> dict[str, Any]:
    """Return `headlines` in the order of the page, the metric of each list, and `meanings` by name.

    `left_out` explains the reasons of the accounting, in their order.
    """
    listed = numbers.lists.values()
    metrics = {metric.name: metric for metric in (*(s.metric for s in numbers.shown), *listed)}
    return {
        "headlines": [
            {"metric": s.metric.name, "title": s.title, "window": s.window, "unit": s.metric.unit}
            for s in numbers.shown
        ],
        "left_out": dict(LEFT_OUT),
        "lists": {name: metric.name for name, metric in numbers.lists.items()},
        "meanings": {name: _meaning(metric) for name, metric in metrics.items()}
        | _plain({measure: family.help for measure, family in COUNTERS.items()})
        | _plain(_OUTCOMES),
    }


def _meaning(metric: Metric) -> dict[str, Any]:
    benchmark = metric.benchmark
    return {
        "title": _title(metric.name),
        "definition": metric.help,
        "formula": metric.formula,
        "example": f"{metric.example.text} give {metric.example.value:g}",
        "benchmark": f"{benchmark.text} ({benchmark.source})" if benchmark else "none known",
        "settings": ", ".join(metric.settings) or "none",
        "series": main_family(metric).name,
    }


def _plain(texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"title": _title(name), "definition": text} for name, text in texts.items()}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
