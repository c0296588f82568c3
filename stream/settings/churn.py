"""Settings of churn: customers and people who left, and the model of churn risk."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.settings.table import Help, Table

#: A probability between the certain ones.
Risk = Annotated[float, Meta(gt=0, lt=1)]


class ChurnSettings(Table, frozen=True, kw_only=True):
    """Churn of customers, who have subscriptions, and of people, who have not."""

    denominator: Annotated[
        Literal["start", "start_plus_new", "average", "daily_sum"],
        Help(
            "What the customers lost are divided by in churn_rate.",
            {
                "start": "customers at the start of the window",
                "start_plus_new": "customers at the start and new ones, as Stripe does",
                "average": "the mean of customers at the start and at the end",
                "daily_sum": "customers at the start of each day; the rates of the days are added up",
            },
            "The default is the textbook's.",
            basic=True,
        ),
    ] = "start"
    effective: Annotated[
        Literal["period_end", "request"],
        Help(
            "When a customer who cancels has left.",
            {
                "period_end": "when the paid period ends",
                "request": "when they cancel; a renewal takes it back",
            },
        ),
    ] = "period_end"
    behavioural_inactive_days: Annotated[
        Annotated[int, Meta(ge=7, le=30)],
        Help(
            "Length N of a period: a person has churned if active in one period and not in the next.",
            why="Four weeks.",
        ),
    ] = 28
    free_is_churn: Annotated[
        bool,
        Help(
            "Whether a plan of 0 a month makes no customer.",
            {
                "true": "going to 0 is churn, coming back a reactivation",
                "false": "a customer who pays 0: going to 0 is contraction",
            },
            "A free plan is a subscription like others, as most systems count it.",
        ),
    ] = False
    grace_period_days: Annotated[
        Annotated[int, Meta(ge=0, le=365)],
        Help(
            "Days after an involuntary end in which its customer stays one. A renewal within them "
            "undoes the end.",
            {"0": "the customer leaves at once"},
        ),
    ] = 0
    involuntary_reasons: Annotated[
        tuple[str, ...],
        Help(
            "Reasons of cancellations and ends that the customer did not choose. Only their letters "
            "and digits are compared, so `Payment Failed` is `payment_failed`. A cancellation for one "
            "of them does not make a person active.",
        ),
    ] = (
        "involuntary", "payment_failed", "card_expired", "card_declined", "insufficient_funds",
        "past_due", "unpaid", "delinquent",
    )  # fmt: skip


class ChurnRiskSettings(Table, frozen=True, kw_only=True):
    """Churn risk: a model that learns who stays away, and predicts it."""

    enabled: Annotated[
        bool,
        Help(
            "Whether the model runs.",
            {"true": "it learns each day; needs engagement-stream[predict]", "false": "no model"},
            "It costs memory and an extra.",
            basic=True,
        ),
    ] = False
    horizon_days: Annotated[
        Annotated[int, Meta(ge=1, le=30)],
        Help(
            "Days that the risk is about: it is the probability of no active day in them.",
            why="Two weeks. At most 30: so far back are the active days of people kept.",
        ),
    ] = 14
    low_below: Annotated[Risk, Help("Risk below which a person is in the band `low`.")] = 0.3
    high_from: Annotated[Risk, Help("Risk from which a person is in the band `high`.")] = 0.7
    examples_min: Annotated[
        Annotated[int, Meta(ge=1)],
        Help(
            "Examples, one a person and day, that a shard's model must have learned from before its "
            "risks count.",
        ),
    ] = 500
    examples_max: Annotated[
        Annotated[int, Meta(ge=1)],
        Help(
            "Most examples that a shard's model learns from on one day, drawn evenly.",
            why="Bounds the work of a worker.",
        ),
    ] = 2_000
    topic: Annotated[
        str,
        Help(
            "Output topic of the risk of each person and day, with the person's id.",
            {'""': "no ids leave the program, only counts"},
        ),
    ] = ""
