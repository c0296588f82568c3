"""Our whole worker, with an own metric: views of ads by campaign and minute."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import tests.bench.ads
from stream.counters.measures import Grain
from stream.engine.shard import Shard
from tests.bench.ads.events import CAMPAIGN_OF, views
from tests.bench.contenders import worker
from tests.bench.job import Job, Unavailable

CONFIG = Path(tests.bench.ads.__file__).with_name("engage.toml")


def run(job: Job) -> None:
    wanted = views(job.events)

    def check(shards: Iterable[Shard]) -> None:
        counted = counts(shards)
        if sum(counted.values()) != wanted or not counted.keys() <= set(CAMPAIGN_OF.values()):
            raise Unavailable(f"wrong: counted {sum(counted.values()):,} of {wanted:,} views")

    worker.run(job, config=CONFIG, check=check)


def counts(shards: Iterable[Shard]) -> Mapping[str, int]:
    """Return the views of each campaign, from the counters of days."""
    found: dict[str, int] = {}
    for shard in shards:
        names = shard.registry.series
        for bucket in shard.counters.tables[Grain.DAY].values():
            for series, count in bucket.items():
                measure, _site, dimension, value = names[series]
                if measure.startswith("own_ad_views_") and dimension == "campaign":
                    found[value] = found.get(value, 0) + count
    return found
