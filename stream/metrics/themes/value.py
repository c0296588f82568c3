"""Metrics of value: lifetime value of a customer, and the cost of winning one."""

from stream.counters import measures
from stream.counters.measures import MICROS
from stream.history import purchases, spending
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtLeast, Has, Level, Per, Product, Quotient, Term, Total
from stream.metrics.theme import Theme
from stream.metrics.themes import customers, orders, social
from stream.settings.application import Settings

_SIMPLE = ("value.lifetime_years",)
_RECURRING = ("value.gross_margin", "value.max_lifetime_months", *customers.CHURN_CHOSEN)
_CAC = Benchmark("3 to 5 times the cost of winning a customer", "subscription industry surveys")


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return lifetime value in three ways, acquisition cost, and their ratio."""
    return (
        _simple(settings),
        _recurring(settings),
        _HISTORIC,
        _acquisition_cost(settings),
        _clv_to_cac(settings),
    )


_HISTORIC = Metric(
    name="customer_lifetime_value_historic",
    own_window=True,
    help="Mean amount that a buyer has spent so far, less refunds.",
    unit="currency",
    formula="revenue to date ÷ distinct people with an order",
    numerator=Per(Total(purchases.REVENUE_MICROS), MICROS),
    denominator=Total(purchases.NEW_BUYERS),
    windows=("all",),
    gauge="customer_lifetime_value_historic",
    example=Example("3 buyers have spent 100, 60 and 50", 210, 3, 70),
)


def _spent(settings: Settings) -> Term:
    return Per(Level(spending.REVENUE_365D_MICROS, scale=settings.value.lifetime_years), MICROS)


def _simple(settings: Settings) -> Metric:
    return Metric(
        name="customer_lifetime_value_simple",
        own_window=True,
        help="Revenue of a buyer in 365 days × the years that a customer stays.",
        unit="currency",
        formula="revenue of 365 days × value.lifetime_years ÷ distinct people with an order in them",
        numerator=_spent(settings),
        denominator=Level(spending.BUYERS_365D),
        windows=("trailing_365d",),
        gauge="customer_lifetime_value_simple",
        example=Example("a buyer orders for 100, 12 times a year, for a year", 1_200, 1, 1_200),
        chosen_by=_SIMPLE,
        benchmark=_CAC,
        level=True,
    )


def _recurring(settings: Settings) -> Metric:
    return Metric(
        name="customer_lifetime_value_recurring",
        own_window=True,
        help="Monthly payment of a subscriber over the lifetime that churn predicts, at most "
        f"{settings.value.max_lifetime_months} months. Null without churn.",
        unit="currency",
        formula="average revenue per account × value.gross_margin × "
        "min(1 ÷ churn rate, value.max_lifetime_months)",
        numerator=_margin(settings),
        denominator=_churn(settings),
        windows=("trailing_30d", "month"),
        gauge="customer_lifetime_value_recurring",
        example=Example("10 customers pay 20 each, 1 of 10 has left", 20, 0.1, 200),
        chosen_by=_RECURRING,
        benchmark=_CAC,
        level=True,
    )


def _margin(settings: Settings) -> Term:
    arpa = Quotient(Level(measures.MRR_CHANGE_MICROS), Level(measures.CUSTOMERS_CHANGE))
    return Per(Product(arpa, scale=settings.value.gross_margin), MICROS)


def _churn(settings: Settings) -> Term:
    """Build the churn rate, whose inverse is the lifetime; 0 without churn or customers."""
    top, bottom, _ = customers.churn_terms(settings)
    least = 1 / settings.value.max_lifetime_months
    return Product(AtLeast(Quotient(top, bottom), least), Has(Level(measures.CUSTOMERS_CHANGE)))


def _won(settings: Settings) -> Term:
    buyers = settings.value.customers == "buyers"
    return Total(purchases.NEW_BUYERS if buyers else measures.FIRST_STARTS)


def _acquisition_cost(settings: Settings) -> Metric:
    return Metric(
        name="customer_acquisition_cost",
        help=f"Marketing spend per new customer, {_who(settings)} for the first time.",
        unit="currency",
        formula="marketing spend ÷ new customers",
        numerator=Per(Total(social.SPEND_MICROS), MICROS),
        denominator=_won(settings),
        windows=("month",),
        gauge="customer_acquisition_cost",
        example=Example("750 spent, 3 customers won", 750, 3, 250),
        chosen_by=("value.customers",),
    )


def _who(settings: Settings) -> str:
    return "who orders" if settings.value.customers == "buyers" else "who pays for a subscription"


def _worth(settings: Settings) -> Term:
    """Build the lifetime value that the settings choose, as of the end of the window."""
    mode = orders.lifetime_value_mode(settings)
    if mode == "recurring":
        return Quotient(_margin(settings), _churn(settings))
    if mode == "simple":
        return Quotient(_spent(settings), Level(spending.BUYERS_365D))
    revenue = Per(Level(purchases.REVENUE_TO_DATE_MICROS), MICROS)
    return Quotient(revenue, Level(purchases.BUYERS_TO_DATE))


def _clv_to_cac(settings: Settings) -> Metric:
    value, which = _worth(settings), orders.lifetime_value_mode(settings)
    spend = Per(Total(social.SPEND_MICROS), MICROS)
    return Metric(
        name="clv_to_cac",
        own_window=True,
        help=f"Lifetime value of a customer ({which}) divided by the cost of winning one.",
        unit="score",
        formula=f"customer_lifetime_value_{which} ÷ customer_acquisition_cost",
        numerator=value,
        denominator=Product(Quotient(spend, _won(settings)), Has(value)),
        windows=("month",),
        gauge="clv_to_cac",
        example=Example("a lifetime value of 720, a cost of 180", 720, 180, 4),
        chosen_by=("value.clv_mode", "value.customers", *_SIMPLE, *_RECURRING),
        benchmark=Benchmark("3 to 5", "subscription industry surveys"),
        level=True,
    )  # fmt: skip


THEME = Theme(
    title="Value",
    text="What a customer is worth, and what it costs to win one.",
    metrics=metrics,
)
