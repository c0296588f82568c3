"""Records that the stream publishes: metrics, churn risks, and dead letters."""

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
    # Any run of days that was asked for; it is computed from other windows and never counted.
    "range",
]

_encode = Encoder().encode


class Window(Struct, frozen=True, gc=False):
    """Time span of a number: [start, end) as RFC 3339; null where the window `all` has no end."""

    kind: WindowKind
    start: str | None
    end: str | None
    timezone: str = "UTC"


class MetricRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One number of one window, site and segment. The highest revision of a key is valid."""

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
    #: With publish.compare: the value of the window of the same kind that ends where this one
    #: begins, as known when this record was made.
    previous: float | int | UnsetType | None = UNSET


class ChurnRiskRecord(Struct, frozen=True, kw_only=True, gc=False):
    """Risk that a person stays away, as of the end of a day. The newest day of a key is valid."""

    site: str
    #: Id of the person: `user_id`, else `visitor_id`; with identity = "visitor" the reverse.
    person: str
    #: Calendar day of the site, such as 2024-04-01.
    day: str
    #: Estimated probability, 0 to 1, that no active event comes in the next `horizon_days`.
    risk: float
    band: Literal["low", "medium", "high"]
    horizon_days: int


class DeadLetter(Struct, frozen=True, kw_only=True, gc=False):
    """Record that was not counted, with its reason and its place in the log."""

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    original: bytes
    original_size: int
    truncated: bool  # key or original is cut: take the record from the log for a replay
    event_time_ms: int | None
    sha256: str | None  # of the whole original, when truncated


def record_key(record: MetricRecord) -> bytes:
    """Build the Kafka key: one key for all revisions of one number."""
    window = record.window
    dimensions = sorted(record.dimensions.items())
    return _encode([record.metric, window.kind, window.start, window.end, record.site, dimensions])


def encode_record(record: MetricRecord) -> bytes:
    """Encode a metric record as JSON; a number that is not finite becomes null."""
    return _encode(record)


def encode_churn_risk(record: ChurnRiskRecord) -> bytes:
    """Encode the risk of a person as JSON."""
    return _encode(record)
