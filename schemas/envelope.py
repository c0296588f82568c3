"""Fields of every event, and the bounds of all fields, which the decoder checks in C."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct
from msgspec.json import schema

# Event times from 1990-01-01 to the end of 2199; others come from a broken clock.
EARLIEST_MS = 631_152_000_000
LATEST_MS = 7_258_118_399_999

#: Site of events that name none.
DEFAULT_SITE = "default"

# JSON Schema has no format for a time with a zone.
_ZONED = {"pattern": "([Zz]|[+-][0-9]{2}:?[0-9]{2})$"}

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
# Trackers often send "" for an id they do not have. The codec makes it None, which costs less than a
# second look at the event.
_NOT_EMPTY = {"minLength": 1}
PersonId: TypeAlias = Annotated[str, Meta(max_length=256, extra_json_schema=_NOT_EMPTY)]
SessionId: TypeAlias = Annotated[str, Meta(max_length=128, extra_json_schema=_NOT_EMPTY)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Text: TypeAlias = str  # only shown or compared: the size of the record bounds it
Site: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
# The size of the record bounds a URL: a long one is cut for its page, and its event counts.
PageUrl: TypeAlias = Annotated[str, Meta(min_length=1)]
Url: TypeAlias = str
Time: TypeAlias = (
    Annotated[
        datetime, Meta(tz=True, description="RFC 3339, zone required", extra_json_schema=_ZONED)
    ]
    | Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS, description="epoch milliseconds")]
)


class Context(dict[str, str]):
    """Circumstances of an event by name, such as its country. The codec shares equal ones."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]


ContextValue: TypeAlias = Annotated[str, Meta(max_length=1024)] | None


class WithContext(Struct):
    """Context of an event, checked without the event's other fields."""

    # The keys have no bounds of their own, which would cost the decoder its cache of keys and a tenth
    # of its speed. The size of the event bounds them.
    context: Annotated[dict[str, ContextValue], Meta(max_length=64)] | None


if TYPE_CHECKING:
    _ContextField: TypeAlias = Context | None
else:
    # Left as bytes; the codec puts the checked context in their place. Few contexts cover most events,
    # and a new dict for each event would be a tenth of its cost.
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


# gc=False: events hold no reference cycles, so the collector need not walk a batch.
class Envelope(Struct, kw_only=True, gc=False, tag_field="type"):
    """Fields of every event; those about a person carry visitor_id, user_id or both."""

    event_id: Id
    event_time: Time
    visitor_id: PersonId | None = None
    user_id: PersonId | None = None
    session_id: SessionId | None = None
    site: Site = DEFAULT_SITE
    context: _ContextField = None
    schema_version: Literal[1] = 1
    is_bot: bool = False
