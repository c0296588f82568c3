"""Series about the numbers themselves: the outcome of every record, lateness, finality."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import Metric as Family

from stream.metrics.families import FAMILIES, PREFIX
from stream.metrics.metric import JOINED, Example
from stream.publish.snapshot import Snapshot
from stream.worker.exposition import with_value, without_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """A number about the numbers, and the series that shows it."""

    name: str
    help: str
    unit: str
    formula: str
    #: Name of the series without prefix, and the labels that select this number in it.
    series: str
    labels: Mapping[str, str]
    #: Computed from the twelve records of the worked examples in tests/contract.
    example: Example

    @property
    def selector(self) -> str:
        """The selector of the series in PromQL."""
        chosen = ", ".join(f'{label}="{value}"' for label, value in self.labels.items())
        return f"{PREFIX}{self.series}" + (f"{{{chosen}}}" if chosen else "")


def _example(text: str, value: float) -> Example:
    return Example(text, value, None, value)


DATA_QUALITY = (
    DataQuality(
        name="events_applied", help="Records that were counted.", unit="records",
        formula="records passed that changed a count",
        series="records_total", labels={"outcome": "applied"},
        example=_example("7 of 12 records are counted", 7),
    ),
    DataQuality(
        name="events_rejected", help="Records that were rejected and are in the ledger topic, by reason.",
        unit="records", formula="records passed that are no valid event, by reason",
        series="ledger_entries_total", labels={"reason": "malformed"},
        example=_example("2 of 12 records are not JSON", 2),
    ),
    DataQuality(
        name="events_duplicate", help="Records whose event_id was counted before.", unit="records",
        formula="records passed with an event_id seen before within the dedupe window",
        series="records_total", labels={"outcome": "duplicate"},
        example=_example("1 of 12 records is sent twice", 1),
    ),
    DataQuality(
        name="events_late", help="Records that came too late: after the correction window.", unit="records",
        formula="records passed that are older than the watermark minus the correction window",
        series="records_total", labels={"outcome": "late"},
        example=_example("1 of 12 records is two days older than the newest", 1),
    ),
    DataQuality(
        name="events_future", help="Records dated ahead of the clock.", unit="records",
        formula="records passed whose event_time is ahead of the clock by more than the allowed skew",
        series="ledger_entries_total", labels={"reason": "future"},
        example=_example("1 of 12 records is dated next year", 1),
    ),
    DataQuality(
        name="events_of_bots", help="Accepted events of bots; no other number counts them.",
        unit="events", formula="accepted events whose user agent or is_bot names a bot",
        series="bot_events_total", labels={"site": "default"},
        example=_example("1 of 12 records comes from a crawler", 1),
    ),
    DataQuality(
        name="watermark_lag", help="Delay of the watermark behind the newest event; before the watermark all is final.",
        unit="seconds", formula="newest event time − watermark",
        series="watermark_lag_seconds", labels={},
        example=_example("newest event at 12:30, watermark at 12:25", 300),
    ),
    DataQuality(
        name="folded_into_other", help="Events with a value beyond the limit of a dimension, counted as `other`.",
        unit="events", formula="events (page views, for pages) of values beyond the limit, by dimension",
        series="folded_events_total", labels={"site": "default", "dimension": "country"},
        example=_example("with a limit of one country, 2 events come from a second one", 2),
    ),
    DataQuality(
        name="record_revisions", help="Metric records that changed a published number.",
        unit="records", formula="records by kind: first, first_final, revised, finalized, corrected",
        series="metric_records_total", labels={"kind": "corrected"},
        example=_example("a late event changes 1 final window", 1),
    ),
    DataQuality(
        name="final_records_ratio", help="Share of the published numbers that are final.",
        unit="ratio", formula="numbers published as final ÷ numbers published",
        series="final_records_ratio", labels={},
        example=Example("4 of 6 numbers belong to days that are over", 4, 6, 4 / 6),
    ),
)  # fmt: skip


def label(text: str) -> str:
    """Return a text that UTF-8 can encode: one lone surrogate would break the whole page."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def data_quality(snapshot: Snapshot) -> Iterator[Family]:
    """Build the families of a snapshot that are about the numbers themselves."""
    yield _by("records", snapshot.outcomes)
    yield _by("ledger_entries", snapshot.reasons)
    yield _by("metric_records", snapshot.records)
    yield from _folded(snapshot)
    yield _single("unaccounted_records", snapshot.unaccounted)
    yield _single("segments_withheld", snapshot.segments_withheld)
    yield from _times(snapshot)
    yield _single("final_records_ratio", _final_share(snapshot.records))
    yield from _of_shards(snapshot)


def _single(name: str, value: float | None) -> Family:
    return with_value(FAMILIES[PREFIX + name], value)


def _final_share(records: Mapping[str, int]) -> float | None:
    known = records.get("first", 0) + records.get("first_final", 0)
    final = records.get("first_final", 0) + records.get("finalized", 0)
    return final / known if known else None


def _by(name: str, values: Mapping[str, int]) -> Family:
    family = without_samples(FAMILIES[PREFIX + name])
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _folded(snapshot: Snapshot) -> Iterator[Family]:
    family = without_samples(FAMILIES[PREFIX + "folded_events"])
    for count in snapshot.folded:
        names = (count.site, count.measure.replace(JOINED, ","))
        family.add_metric(tuple(map(label, names)), count.value)
    yield family


def _times(snapshot: Snapshot) -> Iterator[Family]:
    # 0 means that there was no event yet; it is not a time.
    newest = snapshot.newest_ms / 1000 if snapshot.newest_ms else None
    yield _single("newest_event_timestamp_seconds", newest)
    if snapshot.watermark_ms is not None:
        yield _single("watermark_timestamp_seconds", snapshot.watermark_ms / 1000)
        lag_ms = snapshot.newest_ms - snapshot.watermark_ms
        yield _single("watermark_lag_seconds", lag_ms / 1000)


def _of_shards(snapshot: Snapshot) -> Iterator[Family]:
    shards = snapshot.shards
    for name, total in (
        ("open_sessions", sum(shard.open_sessions for shard in shards)),
        ("sessions_reopened", sum(shard.sessions_reopened for shard in shards)),
        ("people_evicted", sum(shard.evictions for shard in shards)),
        ("dedupe_generations_capped", sum(shard.dedupe_capped for shard in shards)),
    ):
        yield _single(name, total)
