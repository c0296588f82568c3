"""Prometheus families of the catalogue's metrics: of sites, of segments, and totals of segments."""

from collections.abc import Iterable, Iterator

from stream.metrics.families import FAMILIES, PREFIX, Family
from stream.metrics.metric import Metric

_SEGMENT = ("site", "dimension", "value")


def site_family(metric: Metric) -> Family:
    """Gauge of whole sites; several windows make the window a label."""
    labels = ("site", "window") if len(metric.windows) > 1 else ("site",)
    return Family(PREFIX + metric.gauge, "gauge", metric.help, labels)


def segment_family(metric: Metric) -> Family:
    """Gauge of segments. It has its own name: a segment's people are among the site's."""
    name = f"{PREFIX}segment_{metric.gauge}"
    return Family(name, "gauge", f"{metric.help} By value of a dimension.", _SEGMENT)


def total_families(metric: Metric) -> dict[str, Family]:
    """Name of a total → its counter by segment; empty for a metric without totals."""
    parts = zip(metric.totals or (), ("Numerator", "Denominator"), strict=False)
    return {
        name: Family(
            f"{PREFIX}segment_{name}",
            "counter",
            f"{part} of the {metric.gauge} since counting began, by value of a dimension.",
            _SEGMENT,
        )
        for name, part in parts
    }


def main_family(metric: Metric) -> Family:
    """Family to look at first: that of sites, or of segments if the metric has no number for sites."""
    return site_family(metric) if metric.plain else segment_family(metric)


def all_families(metrics: Iterable[Metric]) -> list[Family]:
    """Every family that the page of a worker can hold.

    A gauge and a counter may share a name: the counter's series ends with _total.
    """
    return [*(family for metric in metrics for family in _of_metric(metric)), *FAMILIES.values()]


def _of_metric(metric: Metric) -> Iterator[Family]:
    yield site_family(metric)
    yield segment_family(metric)
    yield from total_families(metric).values()
