"""Settings of customers: surveys, support, lifetime value, social posts."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.table import AtLeastOne, Help, Share, Table

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["like", "comment", "share", "save", "click"]
Positive = Annotated[float, Meta(gt=0)]
#: Number of effort scores that are the easiest ones.
TOP_BOX = 3
_HOURS = "^$|^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
_DATE = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class SurveySettings(Table, frozen=True, kw_only=True):
    """Answers to surveys: NPS, CSAT, CES and ratings."""

    window_days: Annotated[
        Literal[30, 90],
        Help(
            "Days over which answers are taken together.",
            {"30": "a month, as most report it", "90": "a quarter, for few answers"},
        ),
    ] = 30
    dedupe: Annotated[
        Literal["all", "latest_per_user"],
        Help(
            "Which answers of a person count in a window.",
            {"all": "every one", "latest_per_user": "the newest"},
        ),
    ] = "all"
    denominator: Annotated[
        Literal["answers", "shown"],
        Help(
            "What answers are divided by.",
            {"answers": "answers, as is the custom", "shown": "answers and dismissed surveys"},
        ),
    ] = "answers"
    csat_scale: Annotated[
        AtLeastOne,
        Help(
            "Highest score of CSAT; the lowest is 1. Answers with a scale_max of their own are "
            "converted: lowest to lowest, highest to highest.",
        ),
    ] = 5
    csat_satisfied_min: Annotated[
        AtLeastOne, Help("Lowest score that is satisfied.", why="4 and 5 of 5 are the custom.")
    ] = 4
    ces_scale: Annotated[
        AtLeastOne,
        Help(
            "Highest score of CES; the lowest is 1. Other scales are converted as those of CSAT.",
            why="1 to 7, as in CES 2.0.",
        ),
    ] = 7
    ces_mode: Annotated[
        Literal["mean", "top_box"],
        Help(
            "How CES is computed.",
            {
                "mean": "mean of the scores, as in CES 2.0",
                "top_box": f"share of answers in the {TOP_BOX} easiest scores",
            },
        ),
    ] = "mean"
    ces_higher_is_easier: Annotated[
        bool,
        Help(
            "Which end of CES is easy.",
            {
                "true": "the highest score, as in CES 2.0",
                "false": "the lowest score: the question asked for effort",
            },
        ),
    ] = True
    rating_scale: Annotated[
        AtLeastOne,
        Help("Highest rating; the lowest is 0. Other scales are converted.", why="0 to 5 stars."),
    ] = 5


class SupportSettings(Table, frozen=True, kw_only=True):
    """Waiting time of support tickets."""

    business_hours: Annotated[
        Annotated[str, Meta(pattern=_HOURS)],
        Help(
            "Hours of the site in which waiting counts.",
            {'""': "always"},
            example='business_hours = "09:00-17:00"',
        ),
    ] = ""
    business_days: Annotated[tuple[Day, ...], Help("Days with business hours.")] = (
        "mon", "tue", "wed", "thu", "fri",
    )  # fmt: skip
    holidays: Annotated[
        tuple[Annotated[str, Meta(pattern=_DATE)], ...],
        Help("Days without business hours.", example='holidays = ["2025-12-25", "2025-12-26"]'),
    ] = ()
    response_kind: Annotated[
        Literal["first", "every"],
        Help(
            "Which replies have a response time.",
            {
                "first": "the first reply to each ticket",
                "every": "the first reply after each message of the customer",
            },
        ),
    ] = "first"
    response_bucket: Annotated[
        Literal["response", "opened"],
        Help(
            "Window in which a response or resolution time counts.",
            {
                "response": "that of the reply or the resolution",
                "opened": "that in which the ticket was opened",
            },
        ),
    ] = "response"
    clock_skew_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=3_600)],
        Help(
            "Seconds before the opening of a ticket that still belong to it. Messages and "
            "resolutions in them count at the opening.",
            why="The clocks of two systems differ by seconds; a minute is beyond them.",
        ),
    ] = 60
    exclude_bots: Annotated[
        bool,
        Help(
            "Whether replies of bots are left out.",
            {"true": "a customer waits for a human", "false": "a bot's reply ends the wait"},
        ),
    ] = True


class ValueSettings(Table, frozen=True, kw_only=True):
    """Lifetime value and acquisition cost of customers."""

    customers: Annotated[
        Literal["subscribers", "buyers"],
        Help(
            "Who is a new customer in customer_acquisition_cost.",
            {
                "subscribers": "a person who begins to subscribe",
                "buyers": "a person who orders for the first time",
            },
        ),
    ] = "subscribers"
    lifetime_years: Annotated[
        Positive, Help("Years that a customer is expected to buy, for the simple lifetime value.")
    ] = 1.0
    gross_margin: Annotated[
        Share, Help("Share of revenue that is earned, for the recurring lifetime value.")
    ] = 1.0
    max_lifetime_months: Annotated[
        AtLeastOne,
        Help(
            "Longest lifetime in the recurring lifetime value, when few customers leave.",
            why="Five years.",
        ),
    ] = 60
    clv_mode: Annotated[
        Literal["auto", "historic", "simple", "recurring"],
        Help(
            "Lifetime value in clv_to_cac.",
            {
                "auto": "recurring for subscribers, simple for buyers",
                "historic": "revenue to date ÷ customers",
                "simple": "order value × frequency × value.lifetime_years",
                "recurring": "revenue of a customer × value.gross_margin ÷ churn_rate",
            },
        ),
    ] = "auto"


class SocialSettings(Table, frozen=True, kw_only=True):
    """Engagement with posts on social networks."""

    denominator: Annotated[
        Literal["impressions", "reach", "followers"],
        Help(
            "What reactions are divided by in social_engagement_rate.",
            {
                "impressions": "impressions, which every network reports",
                "reach": "people reached, of social_reach events",
                "followers": "followers, of social_followers events",
            },
        ),
    ] = "impressions"
    engagement_kinds: Annotated[
        tuple[Kind, ...],
        Help("Kinds of reactions that count. A reaction without a kind always counts."),
    ] = ("like", "comment", "share", "save", "click")
    weights: Annotated[
        dict[Kind, Annotated[float, Meta(ge=0, le=100)]],
        Help(
            "Weights of the kinds of reactions; a kind without one has the weight 1.",
            example="weights = { comment = 2, share = 3 }",
        ),
    ] = field(default_factory=dict)
