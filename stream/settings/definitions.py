"""Definitions of a product: goals, features, funnels, carts, experiments, measures and metrics."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.table import AtLeastOne, Help, Table

#: What a field of an event is compared with.
Scalar = str | int | float | bool
Where = dict[str, Scalar | tuple[Scalar, ...]]


class Selection(Table, frozen=True, kw_only=True):
    """Events of one type that fulfil conditions."""

    type: Annotated[str, Help("Event type, such as order or custom.")] = ""
    where: Annotated[
        Where,
        Help(
            "Conditions: field = value, or a list of values, of which one must hold. context.NAME is a "
            "field of the context. * in a text stands for any text.",
            example='where = { "context.plan" = "pro", page_url = "*/checkout*" }',
        ),
    ] = field(default_factory=dict)


class Funnel(Table, frozen=True, kw_only=True):
    """Steps that people take one after the other."""

    steps: Annotated[
        Annotated[tuple[Selection, ...], Meta(max_length=10)],
        Help("Two to ten selections of events."),
    ] = ()
    window_days: Annotated[
        Annotated[int, Meta(ge=1, le=400)],
        Help(
            "Days from step 1 within which the other steps count.",
            why="Two weeks are the custom of product analytics.",
        ),
    ] = 14
    order: Annotated[
        Literal["ordered", "strict", "unordered"],
        Help(
            "In which order steps count.",
            {
                "ordered": "one after the other; other events may lie between",
                "strict": "one after the other; no other event may lie between",
                "unordered": "in any order",
            },
        ),
    ] = "ordered"
    scope: Annotated[
        Literal["user", "session"],
        Help(
            "Whose events one attempt is made of.",
            {
                "user": "those of a person",
                "session": "those under one session_id, or without pauses over "
                "session.timeout_seconds",
            },
        ),
    ] = "user"
    exclusions: Annotated[
        Annotated[tuple[Selection, ...], Meta(max_length=10)],
        Help("Selections of events that end an attempt if they lie between its steps."),
    ] = ()
    entry: Annotated[
        Literal["best", "first"],
        Help(
            "Which attempt of a person counts.",
            {"best": "the best one of each day", "first": "only the first one ever"},
        ),
    ] = "best"


class Measure(Selection, frozen=True, kw_only=True):
    """Something to count."""

    count: Annotated[
        Literal["events", "people", "sum"],
        Help(
            "What is counted.",
            {"events": "events", "people": "distinct people", "sum": "the sum of a field"},
        ),
    ] = "events"
    field: Annotated[str, Help("Field that is added up, with count = sum.")] = ""


class OwnMetric(Table, frozen=True, kw_only=True):
    """A number to publish."""

    numerator: Annotated[str, Help("A measure: one of [measures], or a built-in one.")] = ""
    denominator: Annotated[
        str, Help("Measure that the numerator is divided by.", {'""': "a count"})
    ] = ""
    windows: Annotated[
        tuple[str, ...],
        Help("Windows, such as day or trailing_7d. Segments are published for the first one."),
    ] = ("day",)
    unit: Annotated[
        str, Help("Unit of the value.", {'""': "ratio with a denominator, else events"})
    ] = ""
    help: Annotated[str, Help("A sentence for the catalogue and the gauge.")] = ""


class ConversionSettings(Table, frozen=True, kw_only=True):
    """Conversion: who reaches a goal."""

    basis: Annotated[
        Literal["user", "session"],
        Help(
            "What conversions are divided by.",
            {"user": "active people", "session": "sessions"},
        ),
    ] = "user"
    count: Annotated[
        Literal["once", "every"],
        Help(
            "How often a person or session converts.",
            {"once": "once", "every": "each time, so a rate may exceed 1"},
        ),
    ] = "once"
    orders: Annotated[
        bool,
        Help("Whether an order is a goal.", {"true": "it is, named order", "false": "it is not"}),
    ] = True


class ExperimentSettings(Table, frozen=True, kw_only=True):
    """Experiments: conversion of variants against a control."""

    dimension: Annotated[
        str,
        Help(
            "Dimension that names the variant a person saw; dimensions must have it too.",
            {'""': "no experiment"},
        ),
    ] = "variant"
    control: Annotated[str, Help("Variant that all others are compared with.")] = "control"
    confidence: Annotated[
        Annotated[float, Meta(ge=0.5, le=0.9999)],
        Help(
            "Confidence of the interval around a variant's conversion.", why="0.95 is the custom."
        ),
    ] = 0.95


class FeatureSettings(Table, frozen=True, kw_only=True):
    """Use of features."""

    window_days: Annotated[
        Literal[7, 28, 30],
        Help(
            "Days over which users of a feature are counted.",
            {"7": "a week", "28": "as monthly_active_users: whole weeks", "30": "30 days"},
        ),
    ] = 28
    denominator: Annotated[
        Literal["active", "all_known", "eligible"],
        Help(
            "What users of a feature are divided by.",
            {
                "active": "people active in the window",
                "all_known": "all people ever seen until its end",
                "eligible": "people of feature.eligible in the window",
            },
        ),
    ] = "active"
    eligible: Annotated[
        str,
        Help("A measure of [measures] with count = people: who could use features."),
    ] = ""
    map: Annotated[
        dict[str, str],
        Help(
            "Names of custom events → features that they mean. feature_used names its own.",
            example='map = { "Export PDF" = "export" }',
        ),
    ] = field(default_factory=dict)


class CartSettings(Table, frozen=True, kw_only=True):
    """Carts and their abandonment."""

    basis: Annotated[
        Literal["cart", "session", "user"],
        Help(
            "What one cart is.",
            {
                "cart": "a cart_id; without one, one open cart a person",
                "session": "a session",
                "user": "one open cart a person",
            },
        ),
    ] = "cart"
    timeout_hours: Annotated[
        AtLeastOne,
        Help("Hours after its last change at which a cart without an order is abandoned."),
    ] = 24
    recovery_days: Annotated[
        Annotated[int, Meta(ge=1, le=365)],
        Help("Days in which an order still recovers an abandoned cart."),
    ] = 30
    start_event: Annotated[
        Literal["add_to_cart", "checkout_started"],
        Help(
            "Event that opens a cart.",
            {"add_to_cart": "an item is added", "checkout_started": "the checkout, as in Shopify"},
        ),
    ] = "add_to_cart"
