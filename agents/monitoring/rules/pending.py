"""Families that alerts are written on and that the exporter is going to serve."""

from agents.monitoring.rules.families import Family

#: Name → labels. A family leaves this list when the exporter serves it, and a test sees to that.
PENDING: dict[str, tuple[str, ...]] = {}


def pending_families() -> list[Family]:
    """As they will be."""
    return [
        Family(name, "gauge", labels, is_shared=True, aggregation="max")
        for name, labels in PENDING.items()
    ]
