"""Builds the families of prometheus_client from the table of families."""

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from stream.metrics.families import Family


def without_samples(family: Family) -> CounterMetricFamily | GaugeMetricFamily:
    """Build a family to which samples are added by its labels."""
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=family.labels)


def with_value(family: Family, value: float | None) -> CounterMetricFamily | GaugeMetricFamily:
    """Build a family of one sample without labels; without any sample if there is no value."""
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, value=value)
