"""Settings of what customers are worth, say and ask: churn aside, which is older."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.connections import AtLeastOne, Table

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["like", "comment", "share", "save", "click"]
Positive = Annotated[float, Meta(gt=0)]
#: How many scores of effort are the easiest ones.
TOP_BOX = 3
_HOURS = "^$|^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
_DATE = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class SurveySettings(Table, frozen=True, kw_only=True):
    window_days: Annotated[
        Literal[30, 90], "a month of answers, as most report it; 90 where few people answer"
    ] = 30
    dedupe: Annotated[
        Literal["all", "latest_per_user"],
        "all: every answer counts; latest_per_user: in each window the newest of each person",
    ] = "all"
    denominator: Annotated[
        Literal["answers", "shown"], "answers: the custom; shown: surveys that were closed as well"
    ] = "answers"
    csat_scale: Annotated[AtLeastOne, "1 to 5; answers that name their own scale fit in"] = 5
    csat_satisfied_min: Annotated[AtLeastOne, "4 and 5 of 5 are satisfied"] = 4
    ces_scale: Annotated[AtLeastOne, "1 to 7, as in CES 2.0"] = 7
    ces_mode: Annotated[
        Literal["mean", "top_box"],
        "mean: of the scores, as CES 2.0; top_box: share of answers in the three easiest scores",
    ] = "mean"
    ces_higher_is_easier: Annotated[
        bool, "what the help says of the direction; the old wording asked for effort: false"
    ] = True
    rating_scale: Annotated[AtLeastOne, "0 to 5 stars"] = 5


class SupportSettings(Table, frozen=True, kw_only=True):
    business_hours: Annotated[
        Annotated[str, Meta(pattern=_HOURS)],
        'as "09:00-17:00" in the zone of the site; waiting counts only then; "": always',
    ] = ""
    business_days: Annotated[tuple[Day, ...], "days that have business hours"] = (
        "mon", "tue", "wed", "thu", "fri",
    )  # fmt: skip
    holidays: Annotated[
        tuple[Annotated[str, Meta(pattern=_DATE)], ...], 'days that have none, as "2025-12-25"'
    ] = ()
    response_kind: Annotated[
        Literal["first", "every"],
        "first: of each ticket the first reply; every: each reply to what was not yet answered",
    ] = "first"
    response_bucket: Annotated[
        Literal["response", "opened"],
        "window of a time: that in which the reply or the end came, or the ticket was opened",
    ] = "response"
    exclude_bots: Annotated[bool, "true: a customer waits until a human replies"] = True


class ValueSettings(Table, frozen=True, kw_only=True):
    customers: Annotated[
        Literal["subscribers", "buyers"],
        "whom marketing wins: those who begin to subscribe, or those who order for the first time",
    ] = "subscribers"
    lifetime_years: Annotated[
        Positive, "simple lifetime value: for how many years a customer is expected to buy"
    ] = 1.0
    gross_margin: Annotated[
        Annotated[float, Meta(gt=0, le=1)], "recurring lifetime value: the share that is earned"
    ] = 1.0
    max_lifetime_months: Annotated[
        AtLeastOne, "five years: recurring lifetime value counts no more, however few leave"
    ] = 60
    clv_mode: Annotated[
        Literal["auto", "historic", "simple", "recurring"],
        "lifetime value that clv_to_cac uses; auto: recurring for subscribers, simple for buyers",
    ] = "auto"


class SocialSettings(Table, frozen=True, kw_only=True):
    denominator: Annotated[
        Literal["impressions", "reach", "followers"],
        "what every network tells; reach: people, by social_reach; followers: by social_followers",
    ] = "impressions"
    engagement_kinds: Annotated[
        tuple[Kind, ...], "which reactions engage; those that name no kind always do"
    ] = ("like", "comment", "share", "save", "click")
    weights: Annotated[
        dict[Kind, Annotated[float, Meta(ge=0, le=100)]],
        "how much a reaction of a kind counts; 1 where none is given, as for those without a kind",
    ] = field(default_factory=dict)
