"""The tables of engage.toml that say who is active, and which returns of whom are retention."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.connections import Table
from stream.knobs_definitions import Selection

RetentionDay = Annotated[int, Meta(ge=1, le=30)]


class ActiveSettings(Table, frozen=True, kw_only=True):
    passive_types: Annotated[
        tuple[str, ...], "events that happen to a person rather than being done by them"
    ] = (
        "heartbeat", "subscription_renewed", "subscription_ended", "ticket_resolved",
        "marketing_spend",
    )  # fmt: skip


class RetentionSettings(Table, frozen=True, kw_only=True):
    days: Annotated[
        Annotated[tuple[RetentionDay, ...], Meta(max_length=8)],
        "each N is a metric retention_dN; 30 at most, as far back as records are looked at anew",
    ] = (1, 7, 30)
    type: Annotated[
        Literal["n_day", "bracket"], "n_day: active on day N exactly; bracket: on any of 1 to N"
    ] = "n_day"
    cohort: Annotated[
        Literal["first_time", "recurring"],
        "first_time: who was new on the day; recurring: all who were active on it",
    ] = "first_time"
    start: Annotated[
        Selection, "what begins a cohort in the triangles of a report; no type: any active event"
    ] = Selection()
    returning: Annotated[
        Selection, "what counts as coming back in the triangles; no type: any active event"
    ] = Selection()
