"""Writes the metric reference, stream/metrics/README.md, or checks that it is current.

`python -m agents.commands.reference` writes it; with `--check` it returns 1 when the page is not current.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stream.metrics.catalogue import THEMES, metrics_of
from stream.metrics.counted_by import ALWAYS, SEGMENTS, SESSION
from stream.metrics.metric import JOINED, Metric
from stream.metrics.metric_families import main_family, segment_family
from stream.settings.application import Settings
from stream.web.data_quality import DATA_QUALITY, DataQuality

FILE = Path(__file__).resolve().parents[2] / "stream" / "metrics" / "README.md"
_HEAD = """\
# Metrics

Generated from the catalogue in this folder by `make generate`. `engage metrics` prints the same for your
settings, `engage metrics --format json` for programs. Formulas here are those of the default settings;
[engage.toml](../settings/README.md) can choose others and define metrics of your own.

- Ratios are 0 to 1. A ratio whose denominator is empty is null.
- A metric record, on the topic `engagement-metrics`, has the metric's name, its window and its segment.
- A gauge shows the current window. It has the label `site`, and `window` if the metric has several.
- Every metric exists for each site and each configured dimension, unless its entry says otherwise.
  Gauges of segments are called `engagement_segment_…` and have the labels `dimension` and `value`.
- Benchmarks are guidance from the literature, never alerts.
"""
_SESSION = tuple(name for name in SESSION if isinstance(name, str))
_DATA_QUALITY = """\
## Data quality

Numbers about the numbers, for the whole application. Every worker's page has them. A label with a value
here also has other values.
"""


def reference(settings: Settings) -> str:
    """Write the whole page: contents, settings of all metrics, themes, data quality."""
    chapters = [(theme, [*metrics_of(theme, settings)]) for theme in THEMES]
    lines = [_HEAD, "## Contents\n"]
    for theme, metrics in chapters:
        names = ", ".join(f"[{metric.name}](#{metric.name})" for metric in metrics)
        lines.append(f"- [{theme.title}](#{_anchor(theme.title)}): {names}")
    lines += ["", *_shared_settings()]
    for theme, metrics in chapters:
        lines.append(f"## {theme.title}\n\n{theme.text}\n")
        lines += [line for metric in metrics for line in _entry(metric)]
    lines.append(_DATA_QUALITY)
    lines += [line for one in DATA_QUALITY for line in _of_data_quality(one)]
    return "\n".join(lines)


def _shared_settings() -> Iterator[str]:
    yield "## Settings of many metrics\n"
    yield f"Every metric is changed by {_code(ALWAYS)}. They decide which events count, and on which day."
    yield f"{_code(SEGMENTS)} decide which segments are counted.\n"
    yield "### Session settings\n"
    yield f"They decide which events make a session, and whose it is: {_code(_SESSION)}.\n"


def _entry(metric: Metric) -> Iterator[str]:
    yield f"### {metric.name}\n"
    yield f"{metric.help}\n"
    for term, text in _facts(metric):
        yield f"- {term}: {text}"
    yield ""


def _facts(metric: Metric) -> Iterator[tuple[str, str]]:
    yield "formula", metric.formula
    yield "windows", ", ".join(metric.windows)
    yield "unit", metric.unit + (", estimated" if metric.approximate else "")
    yield "gauge", f"`{main_family(metric).name}`{_moment(metric)}"
    if metric.by:
        names = ", ".join(f"`{name.replace(JOINED, '` and `')}`" for name in metric.by)
        if metric.plain:
            yield (
                "dimensions",
                f"{names}, and the configured ones (`{segment_family(metric).name}`)",
            )
        else:
            yield "dimensions", f"only {names}; it has no number for a site"
    if metric.settings:
        yield "settings", _settings(metric.settings)
    yield "example", f"{metric.example.text} → {metric.example.value:g}"
    if metric.benchmark is not None:
        yield "benchmark", f"{metric.benchmark.text} ({metric.benchmark.source})"


def _moment(metric: Metric) -> str:
    """Say which window the gauge shows, if it is not the current one."""
    if metric.matures_days:
        return f", of the last window that ended {metric.matures_days} days ago"
    return ", of the last window that has ended" if metric.gauge_complete else ""


def _settings(names: Sequence[str]) -> str:
    """Name the settings; those of sessions come together."""
    if not {*names}.issuperset(_SESSION):
        return _code(names)
    others = [name for name in names if name not in _SESSION]
    shared = "the [session settings](#session-settings)"
    return f"{_code(others)}, {shared}" if others else shared


def _of_data_quality(one: DataQuality) -> Iterator[str]:
    yield f"### {one.name}\n"
    yield f"{one.help}\n"
    yield f"- formula: {one.formula}"
    yield f"- unit: {one.unit}"
    yield f"- series: `{one.selector}`"
    yield f"- example: {one.example.text} → {one.example.value:g}"
    yield ""


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def main(arguments: Sequence[str], file: Path = FILE) -> int:
    """Write the page, or with --check return 1 when it is not current."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m agents.commands.reference [--check]", file=sys.stderr)
        return 2
    text = reference(Settings())
    if not arguments:
        file.write_text(text, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != text:
        command = "python -m agents.commands.reference"
        print(f"{file.name} is not current: run {command}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
