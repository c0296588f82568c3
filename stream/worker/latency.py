"""Measures how soon an event is visible in the published numbers."""

from prometheus_client.core import HistogramMetricFamily

from stream.metrics.families import FAMILIES

#: Upper edges in seconds, around the promise of 1.5 s from event to visible.
_EDGES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class LatencyHistogram:
    """Delays from the newest event of a snapshot to the snapshot itself."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_EDGES) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count the delay of one snapshot."""
        bucket = next((i for i, edge in enumerate(_EDGES) if seconds <= edge), -1)
        self._counts[bucket] += 1
        self._sum += seconds

    def family(self) -> HistogramMetricFamily:
        """Build the family; its buckets are cumulative, as Prometheus requires."""
        cumulative, total = [], 0
        for edge, count in zip((*map(str, _EDGES), "+Inf"), self._counts, strict=True):
            total += count
            cumulative.append((edge, total))
        family = FAMILIES["engagement_event_to_visible_seconds"]
        return HistogramMetricFamily(
            family.name, family.help, buckets=cumulative, sum_value=self._sum
        )
