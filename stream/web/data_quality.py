"""How far the numbers can be trusted: what became of every record, how late it is, what is final."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import Metric as Family

from stream.metrics.families import FAMILIES, PREFIX
from stream.metrics.metric import JOINED, Example
from stream.publish.snapshot import Snapshot
from stream.worker.exposition import with_value, without_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One number about the numbers: the series that shows it, as a selector of Prometheus."""

    name: str
    help: str
    unit: str
    formula: str
    #: Name without prefix, and the labels that choose the number among its family's.
    series: str
    labels: Mapping[str, str]
    #: Of the twelve records of tests/contract/test_worked_examples_trust.py.
    example: Example

    @property
    def selector(self) -> str:
        """As a query names it."""
        chosen = ", ".join(f'{label}="{value}"' for label, value in self.labels.items())
        return f"{PREFIX}{self.series}" + (f"{{{chosen}}}" if chosen else "")


def _example(text: str, value: float) -> Example:
    return Example(text, value, None, value)


DATA_QUALITY = (
    Trust(
        name="events_applied", help="Records that are counted.", unit="records",
        formula="records passed that changed the counts",
        series="records_total", labels={"outcome": "applied"},
        example=_example("7 of 12 records are counted", 7),
    ),
    Trust(
        name="events_rejected", help="Records that cannot be counted, by reason, in the ledger.",
        unit="records", formula="records passed that no number can use, by reason",
        series="ledger_entries_total", labels={"reason": "malformed"},
        example=_example("2 of 12 records are no JSON", 2),
    ),
    Trust(
        name="events_duplicate", help="Records whose event_id was counted before.", unit="records",
        formula="records passed with an event_id that was seen within the dedupe window",
        series="records_total", labels={"outcome": "duplicate"},
        example=_example("1 of 12 records comes again", 1),
    ),
    Trust(
        name="events_late", help="Records beyond the correction window.", unit="records",
        formula="records passed that are older than the watermark by more than the correction window",
        series="records_total", labels={"outcome": "late"},
        example=_example("1 of 12 records is two days older than the newest", 1),
    ),
    Trust(
        name="events_future", help="Records dated ahead of the clock.", unit="records",
        formula="records passed whose event_time is ahead of now by more than the allowed skew",
        series="ledger_entries_total", labels={"reason": "future"},
        example=_example("1 of 12 records is dated next year", 1),
    ),
    Trust(
        name="events_of_bots", help="Counted records of bots, which count nowhere else.",
        unit="events", formula="accepted events of a bot, by its user agent or by is_bot",
        series="bot_events_total", labels={"site": "default"},
        example=_example("1 of 12 records is of a crawler", 1),
    ),
    Trust(
        name="watermark_lag", help="How far the time before which all is final trails the newest.",
        unit="seconds", formula="newest event time − watermark",
        series="watermark_lag_seconds", labels={},
        example=_example("newest event at 12:30, watermark at 12:25", 300),
    ),
    Trust(
        name="folded_into_other", help="What did not fit under the cap of a dimension, and is in `other`.",
        unit="events", formula="events of values beyond the cap (page views, for pages), by dimension",
        series="folded_events_total", labels={"site": "default", "dimension": "country"},
        example=_example("with room for one country, 2 events are of a second one", 2),
    ),
    Trust(
        name="record_revisions", help="Metric records that changed a number which was published.",
        unit="records", formula="records by kind: first, first_final, revised, finalized, corrected",
        series="metric_records_total", labels={"kind": "corrected"},
        example=_example("a late event changes 1 window that was final", 1),
    ),
    Trust(
        name="final_records_ratio", help="Share of the published numbers that are final.",
        unit="ratio", formula="numbers published as final ÷ numbers published",
        series="final_records_ratio", labels={},
        example=Example("4 of 6 numbers are of days that are over", 4, 6, 4 / 6),
    ),
)  # fmt: skip


def label(text: str) -> str:
    """As UTF-8 can hold it: one lone surrogate would cost the whole page."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def data_quality(snapshot: Snapshot) -> Iterator[Family]:
    """Build the families of a snapshot that are about the numbers themselves."""
    yield _by("records", snapshot.outcomes)
    yield _by("ledger_entries", snapshot.reasons)
    yield _by("metric_records", snapshot.records)
    yield from _folded(snapshot)
    yield _single("unaccounted_records", snapshot.unaccounted)
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
    # 0 is before the first event, and no time.
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
