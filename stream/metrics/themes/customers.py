"""Metrics of customers: who pays, who came, who left, and recurring revenue."""

from collections.abc import Iterator
from dataclasses import replace

from stream.counters import measures
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import (
    AtEnd,
    AtStart,
    ByWindow,
    DailyRates,
    Level,
    Per,
    Sum,
    Term,
    Total,
)  # fmt: skip
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_AT_START = Level(measures.CUSTOMERS_CHANGE, at_start=True)
_LOST = ByWindow({"trailing_30d": AtEnd(measures.LOST_30D), "month": AtStart(measures.LOST_MONTH)})
_LOST_INVOLUNTARY = ByWindow({
    "trailing_30d": AtEnd(measures.LOST_INVOLUNTARY_30D),
    "month": AtStart(measures.LOST_INVOLUNTARY_MONTH),
})  # fmt: skip
_MRR_AT_START = Per(Level(measures.MRR_CHANGE_MICROS, at_start=True), measures.MICROS)
_LOST_MICROS = Sum(Total(measures.MRR_CHURNED_MICROS), Total(measures.MRR_CONTRACTED_MICROS))
_GAINED_MICROS = Sum(Total(measures.MRR_EXPANDED_MICROS), Total(measures.MRR_REACTIVATED_MICROS))

#: Settings that choose the terms of the churn rate.
CHURN_CHOSEN = ("churn.denominator",)

METRICS = (
    Metric(
        name="active_customers",
        help="Customers with a live paid subscription at the end of the window.",
        unit="customers",
        formula="customers with a paid subscription at the end of the day; trials do not count",
        numerator=Level(measures.CUSTOMERS_CHANGE),
        windows=("day", "trailing_30d"),
        gauge="active_customers",
        example=Example("100 started, 10 left", 90, None, 90),
        level=True,
    ),
    Metric(
        name="new_customers",
        help="Customers who began to pay in the window, for the first time or again.",
        unit="customers",
        formula="days at whose end a person is a customer, and was none the day before",
        numerator=Total(measures.CUSTOMER_STARTS),
        windows=("day", "trailing_30d"),
        gauge="new_customers",
        example=Example("10 people subscribe, one of them to two plans", 10, None, 10),
    ),
    Metric(
        name="churned_customers",
        help="Customers whose last paid subscription ended in the window. A subscription_id is known by "
        "person.",
        unit="customers",
        formula="days at whose end a person is no customer, and was one the day before",
        numerator=Total(measures.CUSTOMER_ENDS),
        windows=("day", "trailing_30d"),
        gauge="churned_customers",
        example=Example("12 cancel, 2 of them keep another subscription", 10, None, 10),
    ),
    Metric(
        name="customer_retention_rate",
        help="Share of the customers at the start who stayed through the window.",
        unit="ratio",
        formula="(customers at the start − lost ones) ÷ customers at the start",
        numerator=Sum(_AT_START, _LOST, sign=-1),
        denominator=_AT_START,
        windows=("trailing_30d", "month"),
        gauge="customer_retention_ratio",
        example=Example("100 at the start, 10 new, 90 at the end", 80, 100, 0.80),
        level=True,
    ),
    Metric(
        name="mrr",
        help="Monthly recurring revenue at the end of the window; of one that is not over, by now.",
        unit="currency",
        formula="sum of the monthly amounts of paid subscriptions",
        numerator=Per(Level(measures.MRR_CHANGE_MICROS), measures.MICROS),
        windows=("day", "month"),
        gauge="mrr",
        example=Example("9 customers at 20, one at 30", 210, None, 210),
        level=True,
    ),
)


MOVEMENTS = (
    *(
        Metric(
            name=f"mrr_{name}",
            help=f"{text} Counted by day and customer.",
            unit="currency",
            formula=formula,
            numerator=Per(Total(measure), measures.MICROS),
            windows=("day", "month", "trailing_30d"),
            gauge=f"mrr_{name}",
            example=Example(*example),
        )
        for name, text, formula, measure, example in (
            ("new", "Monthly revenue of first-time customers.",
             "MRR of first starts", measures.MRR_NEW_MICROS,
             ("two start, at 20 and 30", 50, None, 50)),
            ("expansion", "Monthly revenue that customers added.",
             "sum of increases of customers' MRR", measures.MRR_EXPANDED_MICROS,
             ("one goes from 20 to 30", 10, None, 10)),
            ("contraction", "Monthly revenue that customers gave up without leaving.",
             "sum of decreases of customers' MRR", measures.MRR_CONTRACTED_MICROS,
             ("one goes from 30 to 20", 10, None, 10)),
            ("churn", "Monthly revenue of customers who left.",
             "MRR of ends of being a customer", measures.MRR_CHURNED_MICROS,
             ("one at 10 leaves", 10, None, 10)),
            ("reactivation", "Monthly revenue of customers who came back, also by a late payment.",
             "MRR of starts after an end", measures.MRR_REACTIVATED_MICROS,
             ("one who left starts again at 20", 20, None, 20)),
        )
    ),
    Metric(
        name="gross_mrr_churn",
        help="Share of the monthly revenue at the start that was lost. New business does not offset it.",
        unit="ratio",
        formula="(churn + contraction) ÷ MRR at the start",
        numerator=Per(_LOST_MICROS, measures.MICROS),
        denominator=_MRR_AT_START,
        windows=("trailing_30d", "month"),
        gauge="gross_mrr_churn_ratio",
        example=Example("100 at the start, 10 churn, 10 contraction", 20, 100, 0.20),
        level=True,
    ),
    Metric(
        name="net_mrr_churn",
        help="Gross churn less revenue that customers added or brought back. Below 0, revenue grows by itself.",
        unit="ratio",
        formula="(churn + contraction − expansion − reactivation) ÷ MRR at the start",
        numerator=Per(Sum(_LOST_MICROS, _GAINED_MICROS, sign=-1), measures.MICROS),
        denominator=_MRR_AT_START,
        windows=("trailing_30d", "month"),
        gauge="net_mrr_churn_ratio",
        example=Example("100 at the start, 10 churn, 10 contraction, 10 expansion", 10, 100, 0.10),
        level=True,
    ),
    Metric(
        name="average_revenue_per_account",
        help="Mean monthly payment of a customer at the end of the window.",
        unit="currency",
        formula="MRR ÷ active customers",
        numerator=Per(Level(measures.MRR_CHANGE_MICROS), measures.MICROS),
        denominator=Level(measures.CUSTOMERS_CHANGE),
        windows=("day", "month"),
        gauge="average_revenue_per_account",
        example=Example("9 customers at 20, one at 30", 210, 10, 21),
        level=True,
    ),
    *(
        Metric(
            name=f"{name}_churn_rate",
            help=f"Share of the customers at the start who left in the window, {words}.",
            unit="ratio",
            formula=f"customers lost, {words} ÷ customers at the start",
            numerator=numerator,
            denominator=_AT_START,
            windows=("trailing_30d", "month"),
            gauge=f"{name}_churn_ratio",
            example=Example(f"{lost} of 100", lost, 100, lost / 100),
            level=True,
        )
        for name, words, numerator, lost in (
            ("involuntary", "for a reason such as a failed payment", _LOST_INVOLUNTARY, 4),
            ("voluntary", "by choice", Sum(_LOST, _LOST_INVOLUNTARY, sign=-1), 6),
        )
    ),
    Metric(
        name="churned_customers_involuntary",
        help="Customers whose last subscription ended for a reason such as a failed payment.",
        unit="customers",
        formula="ends of being a customer for an involuntary reason",
        numerator=Total(measures.INVOLUNTARY_ENDS),
        windows=("day", "trailing_30d"),
        gauge="churned_customers_involuntary",
        example=Example("4 of 10 who left had an expired card", 4, None, 4),
    ),
)  # fmt: skip


def levels(settings: Settings) -> tuple[Metric, ...]:
    """Return customers and their revenue, with the end of being a customer that the settings choose."""
    if settings.churn.effective == "period_end":
        return METRICS
    return tuple(
        replace(
            metric,
            help="Customers whose last paid subscription ended or was cancelled in the window.",
            formula="ends of being a customer; a cancelled subscription ends at its cancellation",
        )
        if metric.name == "churned_customers"
        else metric
        for metric in METRICS
    )


def churn_terms(settings: Settings) -> tuple[Term, Term, str]:
    """Return (numerator, denominator, formula) of churn, as the settings choose."""
    if settings.churn.denominator == "start_plus_new":
        return (
            Total(measures.CUSTOMER_ENDS),
            Sum(_AT_START, Total(measures.CUSTOMER_STARTS)),
            "customers lost ÷ (customers at the start + new ones)",
        )
    if settings.churn.denominator == "average":
        half = Level(measures.CUSTOMERS_CHANGE, at_start=True, scale=0.5)
        return (
            Total(measures.CUSTOMER_ENDS),
            Sum(half, Level(measures.CUSTOMERS_CHANGE, scale=0.5)),
            "customers lost ÷ mean of the customers at the start and at the end",
        )
    if settings.churn.denominator == "daily_sum":
        return (
            DailyRates(measures.CUSTOMER_ENDS, measures.CUSTOMERS_CHANGE),
            DailyRates(measures.CUSTOMER_ENDS, measures.CUSTOMERS_CHANGE, known=True),
            "sum of each day's customers lost ÷ customers at its start",
        )
    return _LOST, _AT_START, "customers lost who were there at the start ÷ customers at the start"


def churn(settings: Settings) -> Metric:
    """Build customer churn over the denominator that the settings choose."""
    numerator, denominator, formula = churn_terms(settings)
    at_request = settings.churn.effective == "request"
    return Metric(
        name="churn_rate",
        help="Share of the customers at the start who left in the window.",
        unit="ratio",
        formula=formula + ("; lost at the cancellation" if at_request else ""),
        numerator=numerator,
        denominator=denominator,
        windows=("trailing_30d", "month"),
        gauge="churn_ratio",
        example=Example("10 of 100", 10, 100, 0.10),
        chosen_by=CHURN_CHOSEN,
        benchmark=Benchmark("0.02 to 0.08 a month is healthy", "subscription industry surveys"),
        level=True,
    )


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of customers and their recurring revenue."""
    yield from levels(settings)
    yield churn(settings)
    yield from MOVEMENTS


THEME = Theme(
    title="Customers",
    text="Who pays, who came, who left, and what they pay a month.",
    metrics=metrics,
)
