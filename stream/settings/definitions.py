"""The tables of engage.toml in which a product says what its goals, features, funnels and numbers are."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.connections import AtLeastOne, Table

#: What a field of an event is compared with.
Scalar = str | int | float | bool
Where = dict[str, Scalar | tuple[Scalar, ...]]


class Selection(Table, frozen=True, kw_only=True):
    """Events of one type whose fields are as they should be."""

    type: Annotated[str, "an event type, such as order or custom"] = ""
    where: Annotated[
        Where,
        "field = value, or a list of values; * stands for any text, context.NAME for the context",
    ] = field(default_factory=dict)


class Funnel(Table, frozen=True, kw_only=True):
    """Steps that people should take one after the other."""

    steps: Annotated[
        Annotated[tuple[Selection, ...], Meta(max_length=10)], "two to ten selections of events"
    ] = ()
    window_days: Annotated[
        Annotated[int, Meta(ge=1, le=400)], "two weeks from step 1, as product analytics have it"
    ] = 14
    order: Annotated[
        Literal["ordered", "strict", "unordered"],
        "ordered: other events may lie between; strict: none may; unordered: steps in any order",
    ] = "ordered"
    scope: Annotated[
        Literal["user", "session"],
        "session: all steps under one session_id, or no further apart than session.timeout_seconds",
    ] = "user"
    exclusions: Annotated[
        Annotated[tuple[Selection, ...], Meta(max_length=10)],
        "selections of events that end an attempt when they lie between its steps",
    ] = ()
    entry: Annotated[
        Literal["best", "first"],
        "best: who restarts counts by the best attempt of each day; first: by the first one ever alone",
    ] = "best"


class Measure(Selection, frozen=True, kw_only=True):
    """Something to count."""

    count: Annotated[
        Literal["events", "people", "sum"], "the events, the distinct people, or a sum of a field"
    ] = "events"
    field: Annotated[str, "the field that count = sum adds up"] = ""


class OwnMetric(Table, frozen=True, kw_only=True):
    """A number to publish."""

    numerator: Annotated[str, "a measure: one of [measures], or a built-in one"] = ""
    denominator: Annotated[str, "what it is divided by; empty: it is a count"] = ""
    windows: Annotated[
        tuple[str, ...], "one gauge with a label if there are several; the first is the segments'"
    ] = ("day",)
    unit: Annotated[str, "empty: ratio where there is a denominator, else events"] = ""
    help: Annotated[str, "a sentence for the catalogue and the gauge"] = ""


class ConversionSettings(Table, frozen=True, kw_only=True):
    basis: Annotated[
        Literal["user", "session"], "user: people who converted ÷ people; session: visits that did"
    ] = "user"
    count: Annotated[
        Literal["once", "every"],
        "once: who (or which visit) converted at all; every: each time, so a rate may exceed 1",
    ] = "once"
    orders: Annotated[bool, "an order is a goal, called order, that nobody needs to configure"] = (
        True
    )


class ExperimentSettings(Table, frozen=True, kw_only=True):
    dimension: Annotated[
        str,
        "context field that names the variant seen, if `dimensions` has it; empty: no experiment",
    ] = "variant"
    control: Annotated[str, "the variant that all others are compared with"] = "control"
    confidence: Annotated[
        Annotated[float, Meta(ge=0.5, le=0.9999)], "of the interval of a variant's conversion"
    ] = 0.95


class FeatureSettings(Table, frozen=True, kw_only=True):
    window_days: Annotated[
        Literal[7, 28, 30], "28: the days of monthly active users, and whole weeks"
    ] = 28
    denominator: Annotated[
        Literal["active", "all_known", "eligible"],
        "active: people who were active in the window; all_known: all who ever were until its end; "
        "eligible: the people of feature.eligible",
    ] = "active"
    eligible: Annotated[
        str,
        "a measure of [measures] with count = people: those of the window who could use features",
    ] = ""
    map: Annotated[
        dict[str, str], "name of a custom event = feature; feature_used names its own"
    ] = field(default_factory=dict)


class CartSettings(Table, frozen=True, kw_only=True):
    basis: Annotated[
        Literal["cart", "session", "user"],
        "cart: by cart_id, else one open cart a person; user: always one; session: visits",
    ] = "cart"
    timeout_hours: Annotated[
        AtLeastOne, "24 h after its last change a cart without an order is abandoned"
    ] = 24
    recovery_days: Annotated[
        Annotated[int, Meta(ge=1, le=365)], "how long an abandoned cart can still be recovered"
    ] = 30
    start_event: Annotated[
        Literal["add_to_cart", "checkout_started"], "what opens a cart; Shopify counts checkouts"
    ] = "add_to_cart"
