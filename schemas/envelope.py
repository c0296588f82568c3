"""What every event carries, and the bounds of its fields, which the decoder checks in C."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct
from msgspec.json import schema

# Event times outside these are a broken clock, not history: 1990-01-01 up to, not including, 2200.
EARLIEST_MS = 631_152_000_000
LATEST_MS = 7_258_118_399_999

_ZONED = {"pattern": "([Zz]|[+-][0-9]{2}:?[0-9]{2})$"}  # JSON Schema has no word for "with a zone"

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
PersonId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Text: TypeAlias = Annotated[str, Meta(max_length=1024)]  # shown to people, so it may be empty
Site: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
PageUrl: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048)]
Url: TypeAlias = Annotated[str, Meta(max_length=2048)]  # browsers send "" for "no referrer"
Time: TypeAlias = (
    Annotated[
        datetime, Meta(tz=True, description="RFC 3339, zone required", extra_json_schema=_ZONED)
    ]
    | Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS, description="epoch milliseconds")]
)


class Context(dict[str, str]):
    """What is known of an event's circumstances. Equal bytes give the same object: see the codec."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]


class WithContext(Struct):
    """An event's context alone, checked."""

    # Bounds on the keys would cost the decoder its cache of them, a tenth of its speed; the size of
    # the whole event bounds them instead.
    context: Annotated[dict[str, Annotated[str, Meta(max_length=1024)]], Meta(max_length=64)] | None


if TYPE_CHECKING:
    _ContextField: TypeAlias = Context | None
else:
    # Decoded as it stands; the codec puts the checked context in its place. Most events come from few
    # contexts, and a dict with all its strings for each of them would be a tenth of their cost.
    _ContextField = Annotated[
        Raw,
        Meta(
            extra_json_schema=schema(WithContext)["$defs"]["WithContext"]["properties"]["context"]
        ),
    ]
Amount: TypeAlias = Annotated[float, Meta(ge=-1e12, le=1e12)]  # fits 64 bits in micro-units
Mrr: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]
Price: TypeAlias = Annotated[
    float, Meta(ge=0, le=1e12)
]  # money back is a refund, not a price below 0
Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=86_400_000)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
Score: TypeAlias = Annotated[float, Meta(ge=0, le=1000)]
Currency: TypeAlias = Annotated[str, Meta(max_length=3, pattern="^[A-Za-z]{3}$")]
Survey: TypeAlias = Literal["nps", "csat", "ces", "rating"]
Direction: TypeAlias = Literal["incoming", "outgoing"]
Author: TypeAlias = Literal["agent", "bot"]
SocialKind: TypeAlias = Literal["like", "comment", "share", "save", "click"]


# gc=False: no event can be part of a reference cycle, and the collector need not walk a batch.
class Envelope(Struct, kw_only=True, gc=False, tag_field="type"):
    """What every event carries; at least one of the two ids, unless it is about no one person."""

    event_id: Id
    event_time: Time
    visitor_id: PersonId | None = None
    user_id: PersonId | None = None
    session_id: Id | None = None
    site: Site = "default"
    context: _ContextField = None
    schema_version: Literal[1] = 1
    is_bot: bool = False
