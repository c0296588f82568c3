"""The families of the intake at a scrape, and the checks of its /readyz."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from stream.intake.families import FAMILIES
from stream.intake.process import Intake
from stream.worker.exposition import with_value, without_samples


class Telemetry(Collector):
    """Families and checks of one process, built when they are asked for."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the page and its content type, in the format that the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: there is nothing to check at registration."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield from self._of_sources()
        yield from self._lag()
        status, lanes = self._intake.status, self._intake.group.lanes.values()
        for name, value in (
            ("partitions", len(lanes)),
            ("waiting_partitions", sum(lane.is_held for lane in lanes)),
            ("transactions", status.transactions),
            ("transaction_duration_seconds", status.transaction_seconds),
            ("fenced", status.fenced),
            ("failures", status.failures),
            ("rebalances", status.rebalances),
            ("retention_lost_records", status.lost),
        ):
            yield with_value(FAMILIES[name], value)

    def _of_sources(self) -> Iterator[Metric]:
        records, ignored = (
            without_samples(FAMILIES["records"]), without_samples(FAMILIES["ignored_records"])
        )  # fmt: skip
        events, letters = (
            without_samples(FAMILIES["events"]), without_samples(FAMILIES["dead_letters"])
        )  # fmt: skip
        for name, counts in sorted(self._intake.status.sources.items()):
            records.add_metric((name, "mapped"), counts.mapped)
            records.add_metric((name, "refused"), counts.refused)
            records.add_metric((name, "ignored"), counts.ignored)
            events.add_metric((name,), counts.events)
            letters.add_metric((name,), counts.dead_letters)
            for rule, count in sorted(counts.ignored_by_rule.items()):
                ignored.add_metric((name, rule), count)
        yield from (records, ignored, events, letters)

    def _lag(self) -> Iterator[Metric]:
        records = without_samples(FAMILIES["lag_records"])
        seconds = without_samples(FAMILIES["lag_seconds"])
        for place, lag in sorted(self._intake.watch.lag.items()):
            records.add_metric((place.topic, str(place.partition)), lag)
        oldest: dict[str, float] = {}
        now_ms = time.time_ns() / 1e6
        for place, head in list(self._intake.alignment.heads.items()):
            age = 0.0
            if head.is_behind and head.time_ms is not None:
                age = max(now_ms - head.time_ms, 0.0) / 1000
            oldest[place.topic] = max(age, oldest.get(place.topic, 0.0))
        for topic, age in sorted(oldest.items()):
            seconds.add_metric((topic,), age)
        yield from (records, seconds)

    def checks(self) -> dict[str, str]:
        """Return what is wrong by check; an empty text if nothing is."""
        intake = self._intake
        status, lanes = intake.status, list(intake.group.lanes.values())
        troubled = [
            f"{lane.place.topic}/{lane.place.partition}: {lane.problem}"
            for lane in lanes
            if lane.problem
        ]
        stuck = intake.alignment.stuck(time.time_ns() // 1_000_000)
        unmatched = [
            f"{name}: {text}" for name, one in status.sources.items() if (text := one.trouble())
        ]
        return {
            "group": "" if status.rebalances else "not a member yet",
            "input partitions": status.halted,
            "commit": _some(troubled),
            "progress": _some([f"{p.topic}/{p.partition} is not read" for p in sorted(stuck)]),
            "mapping": _some(unmatched),
            **status.problems,
        }


def _some(texts: list[str]) -> str:
    """Join the first texts, and say how many more there are."""
    more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more
