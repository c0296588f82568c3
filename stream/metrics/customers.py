"""Customers: who pays, who came, who left, and what they pay a month."""

from stream import measures
from stream.knobs import Settings
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Level, Sum, Term, Total

_AT_START = Level(measures.CUSTOMERS_CHANGE, at_start=True)
_LOST = ByWindow({"trailing_30d": AtEnd(measures.LOST_30D), "month": AtStart(measures.LOST_MONTH)})

METRICS = (
    Metric(
        name="active_customers",
        help="Customers with a live paid subscription at the end of the window.",
        unit="customers",
        formula="customers with a paid subscription; trials do not count",
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
        formula="starts of being a customer; a change of plan on one day is none",
        numerator=Total(measures.CUSTOMER_STARTS),
        windows=("day", "trailing_30d"),
        gauge="new_customers",
        example=Example("10 people subscribe, one of them to two plans", 10, None, 10),
    ),
    Metric(
        name="churned_customers",
        help="Customers whose last paid subscription ended in the window.",
        unit="customers",
        formula="ends of being a customer",
        numerator=Total(measures.CUSTOMER_ENDS),
        windows=("day", "trailing_30d"),
        gauge="churned_customers",
        example=Example("of 12 cancellations 2 keep another subscription", 10, None, 10),
    ),
    Metric(
        name="customer_retention_rate",
        help="Share of the customers at the start who stayed through the window.",
        unit="ratio",
        formula="(customers at the start − lost ones) ÷ customers at the start: those at the end, less new",
        numerator=Sum(_AT_START, _LOST, sign=-1),
        denominator=_AT_START,
        windows=("trailing_30d", "month"),
        gauge="customer_retention_ratio",
        example=Example("100 at the start, 10 new, 90 at the end", 80, 100, 0.80),
        level=True,
    ),
    Metric(
        name="mrr",
        help="Monthly recurring revenue at the end of the window.",
        unit="currency",
        formula="sum of what paid subscriptions pay a month",
        numerator=Level(measures.MRR_CHANGE_MICROS, scale=1e-6),
        windows=("day", "month"),
        gauge="mrr",
        example=Example("9 customers at 20, one at 30", 210, None, 210),
        knobs=("currency",),
        level=True,
    ),
)


def churn(settings: Settings) -> Metric:
    """Customer churn over the denominator that the settings choose."""
    numerator: Term = _LOST
    denominator: Term = _AT_START
    formula = "customers lost who were there at the start ÷ customers at the start"
    if settings.churn.denominator == "start_plus_new":
        numerator = Total(measures.CUSTOMER_ENDS)
        denominator = Sum(_AT_START, Total(measures.CUSTOMER_STARTS))
        formula = "customers lost ÷ (customers at the start + new ones)"
    return Metric(
        name="churn_rate",
        help="Share of the customers at the start who left in the window.",
        unit="ratio",
        formula=formula,
        numerator=numerator,
        denominator=denominator,
        windows=("trailing_30d", "month"),
        gauge="churn_ratio",
        example=Example("10 of 100", 10, 100, 0.10),
        benchmark=Benchmark("0.02 to 0.08 a month is healthy", "subscription industry surveys"),
        knobs=("churn.denominator",),
        level=True,
    )
