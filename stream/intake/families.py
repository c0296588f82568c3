"""Prometheus families of the intake."""

from collections.abc import Mapping
from types import MappingProxyType

from stream.metrics.families import Family, of_worker

PREFIX = "engagement_intake_"

#: Name without the prefix → family.
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name.removeprefix(PREFIX): family
        for family in (
            of_worker(
                PREFIX + "records", "counter",
                "Foreign records carried: mapped, refused or ignored.", ("source", "outcome"),
            ),
            of_worker(
                PREFIX + "ignored_records", "counter",
                "Foreign records, or elements of one, that a rule leaves out; none: no rule took it.",
                ("source", "rule"),
            ),
            of_worker(
                PREFIX + "events", "counter", "Events written to the input topics.", ("source",)
            ),
            of_worker(
                PREFIX + "dead_letters", "counter", "Dead letters written.", ("source",)
            ),
            of_worker(
                PREFIX + "lag_records", "gauge", "Foreign records that are not carried yet.",
                ("topic", "partition"), merge="max",
            ),
            of_worker(
                PREFIX + "lag_seconds", "gauge",
                "Age of the oldest record of a topic that is not carried yet.", ("topic",),
                merge="max",
            ),
            of_worker(
                PREFIX + "partitions", "gauge", "Source partitions of this process.", merge="sum"
            ),
            of_worker(
                PREFIX + "waiting_partitions", "gauge",
                "Source partitions that wait, because they are ahead of others.", merge="sum",
            ),
            of_worker(PREFIX + "transactions", "counter", "Transactions committed."),
            of_worker(
                PREFIX + "transaction_duration_seconds", "counter", "Time spent in transactions."
            ),
            of_worker(
                PREFIX + "fenced", "counter",
                "Times that another process, or a time-out, ended a producer of this one.",
            ),
            of_worker(PREFIX + "failures", "counter", "Failures to read or to commit."),
            of_worker(PREFIX + "rebalances", "counter", "Rebalances of the group."),
            of_worker(
                PREFIX + "retention_lost_records", "counter",
                "Foreign records that Kafka's retention deleted before they were carried.",
            ),
        )
    }
)  # fmt: skip
