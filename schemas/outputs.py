"""What goes out: metric records for consumers, ledger entries for what could not be counted."""

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder

from schemas.rejection import Reason

WindowKind: TypeAlias = Literal[
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "trailing_5m",
    "trailing_30m",
    "trailing_1h",
    "trailing_24h",
    "trailing_168h",
    "trailing_7d",
    "trailing_28d",
    "trailing_30d",
    "trailing_90d",
    "trailing_365d",
    "all",
]

_encode = Encoder().encode


class Window(Struct, frozen=True, gc=False):
    """The time a number is about: [start, end) as RFC 3339, or null where `all` has no end."""

    kind: WindowKind
    start: str | None
    end: str | None
    timezone: str = "UTC"


class MetricRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One number of one window, site and segment; of several, the highest revision holds."""

    metric: str
    value: float | int | None
    unit: str
    numerator: float | int | None
    denominator: float | int | None
    site: str
    dimensions: dict[str, str]
    window: Window
    revision: int
    is_final: bool
    approximate: bool
    watermark: str | None
    definition: str
    #: The value in the window of the same kind that ended where this one begins, where it is asked
    #: for (setting publish.compare); as it was known when this record was made.
    previous: float | int | UnsetType | None = UNSET


class ChurnRiskRecord(Struct, frozen=True, kw_only=True, gc=False):
    """How likely a person is to stay away, as of the end of a day; the newest day of a key holds."""

    site: str
    #: The id by which people are told apart: `user_id`, else `visitor_id`, or the reverse.
    person: str
    #: The site's calendar day, as 2024-04-01.
    day: str
    #: From 0 to 1: the estimate that no active event comes in the next `horizon_days`.
    risk: float
    band: Literal["low", "medium", "high"]
    horizon_days: int


class DeadLetter(Struct, frozen=True, kw_only=True, gc=False):
    """A record that was not counted: why, where it stands in the log, and what it said."""

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    original: bytes
    original_size: int
    truncated: bool  # key or original is cut: a replay must take the record from the log
    event_time_ms: int | None
    sha256: str | None  # of the whole original, when truncated


def record_key(record: MetricRecord) -> bytes:
    """The Kafka key of a record: the same for all revisions of one number, and for nothing else."""
    window = record.window
    dimensions = sorted(record.dimensions.items())
    return _encode([record.metric, window.kind, window.start, window.end, record.site, dimensions])


def encode_record(record: MetricRecord) -> bytes:
    """A metric record as JSON; a number that is not finite becomes null."""
    return _encode(record)


def encode_churn_risk(record: ChurnRiskRecord) -> bytes:
    """The risk of a person as JSON."""
    return _encode(record)
