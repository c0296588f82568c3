"""Money, feedback, support and reach match the oracle for any order, batches, shards and crashes."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outputs import WindowKind
from stream.settings.application import ChurnSettings, Settings
from stream.settings.customers import (
    SocialSettings,
    SupportSettings,
    SurveySettings,
    ValueSettings,
)
from tests.oracle import (
    money as oracle_money,
)
from tests.oracle import (
    movements as oracle_movements,
)
from tests.oracle import (
    service as oracle_service,
)
from tests.oracle.terms import Answers, EventDict
from tests.oracle.time import Wall
from tests.properties.compare import choices_of, differences, published
from tests.properties.engine import EVERYONE, Action, LogRecord, final_records, run
from tests.properties.inputs.traffic import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Sent,
    logs_of,
    moments,
    schedules,
)

DIMENSIONS = ("country", "channel")
KINDS: tuple[WindowKind, ...] = (
    "hour", "day", "month", "trailing_7d", "trailing_28d", "trailing_30d",
    "trailing_90d", "all",
)  # fmt: skip
DAYS = (0, 0, 1, 2, 27, 28, 29, 30, 45)
#: Days farther apart than hours are kept; no metric of surveys counts by the hour.
FAR_DAYS = (*DAYS, 89, 90)
METRICS = {
    "orders": {
        "orders", "buyers", "new_buyers", "revenue", "refunds", "average_order_value",
        "purchase_frequency", "customer_lifetime_value_historic",
    },
    "surveys": {
        "nps", "nps_promoters_share", "nps_passives_share", "nps_detractors_share", "csat", "ces",
        "average_rating", "feedback_count", "feedback_off_scale",
    },
    "tickets": {
        "tickets_opened", "tickets_resolved_gross", "tickets_resolved", "tickets_reopened",
        "tickets_waiting", "first_response_time", "first_response_time_p50",
        "first_response_time_p90", "resolution_time", "resolution_time_p50", "resolution_time_p90",
    },
    "reach": {"social_engagement_rate", "marketing_spend"},
    "movements": {
        "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation",
        "gross_mrr_churn", "net_mrr_churn", "average_revenue_per_account",
        "involuntary_churn_rate", "voluntary_churn_rate", "churned_customers_involuntary",
        "customer_lifetime_value_recurring",
    },
}  # fmt: skip


def _one(**choices: Sequence[Any]) -> st.SearchStrategy[EventDict]:
    """Return events with one of the values of each field; None omits the field."""
    fields = {name: st.sampled_from(given) for name, given in choices.items()}
    return st.fixed_dictionaries(fields).map(
        lambda event: {name: value for name, value in event.items() if value is not None}
    )


EVENTS: dict[str, st.SearchStrategy[EventDict]] = {
    "orders": _one(type=["order"], order_id="abc", revenue=[None, 0, 9.99, 20, 100])
    | _one(type=["order", "refund"], order_id="ab", revenue=[5, 15.5, 60]),
    "surveys": _one(
        type=["survey_response"],
        survey=["nps", "nps", "csat", "ces", "rating"],
        score=[1, 2, 4, 5, 7, 8, 9, 10],
        scale_max=[None, None, 10, 5],
        response_id=[None, None, "r", "s"],
    ).filter(lambda event: event["survey"] == "nps" or event["score"] <= event.get("scale_max", 10))
    | _one(type=["survey_dismissed"], survey=["nps", "csat", None]),
    "tickets": _one(
        type=["ticket_opened"], ticket_id="tu", direction=[None, "incoming", "outgoing"]
    )
    | _one(
        type=["ticket_message"],
        ticket_id="tu",
        direction=["incoming", "outgoing", "outgoing"],
        author=[None, "agent", "bot"],
    )
    | _one(type=["ticket_resolved", "ticket_reopened"], ticket_id="tu"),
    "reach": _one(
        type=["social_impression", "social_engagement", "social_reach"],
        post_id="pq",
        network=[None, "x", "y"],
        kind=[None, "like", "save", "share"],
        count=[1, 7, 100],
    ).map(lambda e: e | ({} if e["type"] == "social_engagement" else {"kind": "like"}))
    | _one(type=["social_followers"], network=[None, "x", "y"], count=[0, 3, 40])
    | _one(type=["marketing_spend"], channel=["ads", "mail"], amount=[10, 0.25, 99.9]),
    "movements": _one(
        type=["subscription_started"],
        subscription_id="st",
        mrr=[0, 9.99, 20, 30.5],
        trial=[False, False, True],
    )
    | _one(
        type=["subscription_changed"],
        subscription_id="st",
        mrr=[0, 5, 20, 40],
        trial=[None, None, True, False],
    )
    | _one(type=["subscription_renewed"], subscription_id="st", mrr=[None, None, 0, 12])
    | _one(
        type=["subscription_cancelled", "subscription_ended"],
        subscription_id="st",
        reason=[None, "payment_failed", "too dear"],
    ),
}


#: Settings of support.
supports = st.builds(
    SupportSettings,
    response_kind=st.sampled_from(["first", "every"]),
    response_bucket=st.sampled_from(["response", "opened"]),
    exclude_bots=st.booleans(),
    clock_skew_seconds=st.sampled_from([0, 60, 3_600]),
)


@st.composite
def traffic(
    draw: st.DrawFn, aggregate: str, base_ms: int, days: Sequence[int] = DAYS
) -> list[Sent]:
    """Draw events of an aggregate, each at its own instant; they arrive up to five minutes late."""
    sent = []
    for number in range(draw(st.integers(1, 12))):
        event = dict(draw(EVENTS[aggregate]))
        account = draw(st.sampled_from("abc"))
        slot = draw(st.integers(0, 3)) * 30 * MINUTE_MS + draw(st.sampled_from([0, 0, 61_000]))
        event["event_time"] = base_ms + draw(st.sampled_from(days)) * DAY_MS + slot + number
        event |= {"event_id": f"e{number}", "user_id": account}
        if event["type"] == "subscription_cancelled":
            later = draw(st.sampled_from([None, 2 * HOUR_MS, 20 * DAY_MS]))
            event |= {"effective_at": event["event_time"] + later} if later else {}
        context = draw(
            st.sampled_from([None, {"country": "DE"}, {"country": "FR", "channel": "ads"}])
        )
        event |= {"context": context} if context else {}
        topic = draw(st.sampled_from(["page-views", "clicks", "subscriptions"]))
        sent.append(Sent(event, account, topic, draw(st.integers(0, 5 * MINUTE_MS))))
    for event in (one.event for one in sent):
        later = [s.event["event_time"] for s in sent if s.event["event_time"] > event["event_time"]]
        if "effective_at" in event and later and draw(st.booleans()):
            # A cancellation takes effect at the very instant of another event.
            event["effective_at"] = draw(st.sampled_from(later))
    return sent


def config_for(
    zone: str,
    support: SupportSettings | None = None,
    months: int = 60,
    social: EventDict | None = None,
    free_is_churn: bool = False,
    **survey: Any,
) -> Settings:
    return Settings(
        churn=ChurnSettings(free_is_churn=free_is_churn),
        support=support or SupportSettings(),
        value=ValueSettings(max_lifetime_months=months),
        timezone=zone,
        dimensions=DIMENSIONS,
        survey=SurveySettings(**survey),
        social=SocialSettings(
            engagement_kinds=("like", "comment", "share", "click"), **(social or {})
        ),
    )


def answers(aggregate: str, sent: Iterable[Sent], config: Settings) -> Answers:
    """Return the oracle's answers."""
    events, wall = oracle_money.instants(one.event for one in sent), Wall(config.timezone)
    all_days = [wall.day(event["ms"]) for event in events]
    days = range(min(all_days), max(all_days) + 1)
    if aggregate == "orders":
        found = oracle_money.orders(events, wall, DIMENSIONS)
    elif aggregate == "surveys":
        survey = config.survey
        latest, shown = survey.dedupe == "latest_per_user", survey.denominator == "shown"
        easiest = (5, 6, 7) if survey.ces_higher_is_easier else (0, 1, 2, 3)
        found = oracle_service.surveys(
            events, wall, DIMENSIONS, latest=latest, shown=shown, days=survey.window_days,
            easiest=easiest if survey.ces_mode == "top_box" else (),
        )  # fmt: skip
    elif aggregate == "tickets":
        support = config.support
        found = oracle_service.support(
            events, wall, DIMENSIONS, days,
            every=support.response_kind == "every",
            at_opening=support.response_bucket == "opened",
            bots=not support.exclude_bots,
            skew_ms=support.clock_skew_seconds * 1000,
        )  # fmt: skip
    elif aggregate == "reach":
        per = config.social.denominator.removesuffix("s")
        weights = config.social.weights
        if per == "follower":
            found = oracle_money.followed(events, wall, DIMENSIONS, days, weights)
        else:
            found = oracle_money.reach(events, wall, DIMENSIONS, per, weights)
    else:
        far_days = range(days[0], days[-1] + 22)
        found = oracle_movements.movements(
            events, wall, DIMENSIONS, days, far_days, config.value.max_lifetime_months,
            free=not config.churn.free_is_churn,
        )  # fmt: skip
    return {key: answer for key, answer in found.items() if any(answer)}


def wrong(
    aggregate: str,
    sent: Sequence[Sent],
    config: Settings,
    partitions: int = 1,
    schedule: Sequence[Action] = (),
    cached: int = EVERYONE,
) -> list[str]:
    """Return the differences between the records and the oracle's answers."""
    logs: list[dict[str, list[LogRecord]]] = logs_of(sent, partitions)
    workers = run(logs, config, schedule, people_cached=cached)
    assert sum(worker.outcomes()["applied"] for worker in workers) == len(sent)
    names = METRICS[aggregate]
    found = published(final_records(workers, config, KINDS, names))
    expected = answers(aggregate, sent, config)
    return differences(found, expected, choices_of(config), metrics=names, kinds=KINDS)


@pytest.mark.parametrize("aggregate", EVENTS)
@settings(max_examples=15)
@given(data=st.data())
def test_every_number_matches_the_oracle(aggregate: str, data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    days = FAR_DAYS if aggregate == "surveys" else DAYS
    sent = data.draw(traffic(aggregate, base_ms, days))
    config = config_for(
        zone,
        data.draw(supports),
        data.draw(st.sampled_from([1, 2, 60])),
        {
            "denominator": data.draw(st.sampled_from(["impressions", "reach", "followers"])),
            "weights": data.draw(st.sampled_from([{}, {"like": 0.25}, {"like": 0, "share": 3}])),
        },
        free_is_churn=data.draw(st.booleans()),
        dedupe=data.draw(st.sampled_from(["all", "latest_per_user"])),
        denominator=data.draw(st.sampled_from(["answers", "shown"])),
        window_days=data.draw(st.sampled_from([30, 90])),
        ces_mode=data.draw(st.sampled_from(["mean", "top_box"])),
        ces_higher_is_easier=data.draw(st.booleans()),
    )
    shards, cached = (
        data.draw(st.sampled_from([1, 2, 4])),
        data.draw(st.sampled_from([2, EVERYONE])),
    )
    found = wrong(aggregate, sent, config, shards, data.draw(schedules), cached)
    assert not found, "\n".join([f"{len(found)} numbers", *found[:8]])


@settings(max_examples=4)
@given(data=st.data())
def test_purchases_count_for_a_year(data: st.DataObject) -> None:
    zone, base_ms = data.draw(moments)
    sent = data.draw(traffic("orders", base_ms, days=(0, 1, 30, 364, 365, 366)))
    config = config_for(zone)
    workers = run(logs_of(sent, data.draw(st.sampled_from([1, 2]))), config, data.draw(schedules))
    names = {"customer_lifetime_value_simple", "high_value_customers"}
    found = published(final_records(workers, config, ["trailing_365d"], names))
    events, wall = oracle_money.instants(one.event for one in sent), Wall(zone)
    days = [wall.day(event["ms"]) for event in events]
    # Every day is published; these are the days with a change.
    turning_days = {d + n for d in days for n in (-1, 0, 1, 363, 364, 365)} & {
        *range(min(days), max(days) + 1)
    }
    expected = oracle_money.years(events, wall, DIMENSIONS, sorted(turning_days))
    compared = {key: value for key, value in found.items() if key in expected}
    answered = {key: answer for key, answer in expected.items() if any(answer)}
    wrong_ones = differences(compared, answered, choices_of(config), metrics=names)
    assert not wrong_ones, "\n".join(wrong_ones[:8])
