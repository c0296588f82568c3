"""The metric reference, schemas/METRICS.md: written from the catalogue, or checked to be current.

`python -m agents.commands.reference` writes it, `python -m agents.commands.reference --check` fails when it is stale.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from stream.metrics.catalogue import catalogue
from stream.metrics.metric import JOINED, Metric
from stream.metrics.metric_families import main_family
from stream.settings.application import Settings
from stream.web.data_quality import DATA_QUALITY, Trust

FILE = Path(__file__).resolve().parents[2] / "schemas" / "METRICS.md"
_HEAD = """# Metric reference

Every number that engagement-stream publishes, written from the catalogue by `python -m agents.commands.reference`.
Ratios are 0 to 1, an empty denominator gives null, and every number is there for each site and each
configured dimension unless it says otherwise. Gauges have the label `site`, and `window` where there are
several; segments are under `engagement_segment_…` with `dimension` and `value`.
"""


_DATA_QUALITY = """# Trust

Numbers about the numbers: of the whole application, on every worker's page. A label that is given a
value here has others as well.
"""


def reference(settings: Settings) -> str:
    """The whole page."""
    lines = [line for metric in catalogue(settings) for line in _section(metric)]
    return "\n".join(
        [
            _HEAD,
            *lines,
            _DATA_QUALITY,
            *(line for one in DATA_QUALITY for line in _of_data_quality(one)),
        ]
    )


def _section(metric: Metric) -> Iterator[str]:
    yield f"## {metric.name}\n"
    yield f"{metric.help}\n"
    for term, text in _facts(metric):
        yield f"- {term}: {text}"
    yield ""


def _of_data_quality(one: Trust) -> Iterator[str]:
    yield f"## {one.name}\n"
    yield f"{one.help}\n"
    yield f"- formula: {one.formula}"
    yield f"- unit: {one.unit}"
    yield f"- series: `{one.selector}`"
    yield f"- example: {one.example.text} → {one.example.value:g}"
    yield ""


def _facts(metric: Metric) -> Iterator[tuple[str, str]]:
    yield "formula", metric.formula
    yield "unit", metric.unit + (", estimated" if metric.approximate else "")
    yield "windows", ", ".join(metric.windows)
    yield "gauge", f"`{main_family(metric).name}`"
    if metric.by:
        names = ", ".join(name.replace(JOINED, " and ") for name in metric.by)
        yield "by", names if metric.plain else f"{names} (not for a site as a whole)"
    yield "example", f"{metric.example.text} → {metric.example.value:g}"
    if metric.benchmark is not None:
        yield "benchmark", f"{metric.benchmark.text} ({metric.benchmark.source})"
    if metric.settings:
        yield "settings", ", ".join(f"`{name}`" for name in metric.settings)


def main(arguments: Sequence[str], file: Path = FILE) -> int:
    """Write the page, or with --check return 1 when it is not current."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m agents.commands.reference [--check]", file=sys.stderr)
        return 2
    text = reference(Settings())
    if not arguments:
        file.write_text(text, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != text:
        print(
            f"{file.name} is not current: run python -m agents.commands.reference", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
