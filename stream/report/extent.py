"""Finds from when to when a report has events, site by site."""

from collections.abc import Mapping
from typing import NamedTuple

from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import EVENTS, Grain
from stream.engine.shard import Shard


class Extent(NamedTuple):
    """Begin of the hour of a site's first event, and of its newest one, in epoch ms."""

    first_ms: int
    last_ms: int


def extents(shard: Shard) -> Mapping[str, Extent]:
    """Return the extent of each site with counted events, the site with most events first."""
    hours: dict[str, list[int]] = {}
    events: dict[str, int] = {}
    series = shard.registry.series
    for hour, counts in shard.counters.tables[Grain.HOUR].items():
        for number, count in counts.items():
            measure, site, dimension, _ = series[number]
            if measure == EVENTS and not dimension and count:
                hours.setdefault(site, []).append(hour)
                events[site] = events.get(site, 0) + count
    return {
        site: Extent(min(hours[site]) * MINUTE_MS, max(hours[site]) * MINUTE_MS)
        for site in sorted(hours, key=lambda site: (-events[site], site))
    }
