"""Metrics of orders: orders, buyers, revenue and refunds."""

from collections.abc import Collection, Sequence
from typing import Any

from stream.counters.measures import MICROS
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.buyers import OrderIndex
from stream.history.events import HistoryEntry, Index, entries_over
from stream.history.purchases import (
    BUYERS_28D,
    BUYERS_DAY,
    BUYERS_MONTH,
    BUYERS_TO_DATE,
    FORGOTTEN_MS,
    NEW_BUYERS,
    ORDERED_MICROS,
    ORDERS,
    REFUNDED_MICROS,
    REVENUE_MICROS,
    REVENUE_TO_DATE_MICROS,
    entry_of,
    forgotten,
)
from stream.history.spending import BUYERS_365D, REVENUE_365D_MICROS, SPENT_365D
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.histogram_terms import TopTenth
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Per, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_MEASURES = (
    ORDERS, ORDERED_MICROS, REFUNDED_MICROS, REVENUE_MICROS, BUYERS_DAY, BUYERS_28D, BUYERS_MONTH,
    NEW_BUYERS, BUYERS_365D, REVENUE_365D_MICROS, SPENT_365D, BUYERS_TO_DATE, REVENUE_TO_DATE_MICROS,
)  # fmt: skip
COUNTED_BY: CountedBy = dict.fromkeys(_MEASURES, PERSON)


class Orders(Aggregate):
    """Aggregate of a person's orders and refunds.

    Of orders with one id the earliest counts. A refund counts in the segments of the order that it
    names, at its own time but not before the order. It takes at most the rest of the
    order. A refund of an order that the person never made is unmatched. An order without revenue
    counts, and adds no money.
    """

    name = "orders"
    types: Collection[str] = ("order", "refund")
    #: Days for which an order id is known when it comes again. The first order is kept for good.
    keep_days = 3_660

    def __init__(self, *, to_date: bool = False) -> None:
        #: Whether sums so far are counted for the end of each day.
        self._to_date = to_date

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the kind of event, the order and the amount."""
        return entry_of(event)

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by order, and by group of segments."""
        return OrderIndex(registry, self.in_order, self._to_date)

    def settled(
        self,
        history: list[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,  # noqa: ARG002
        registry: SegmentRegistry,  # noqa: ARG002
    ) -> list[HistoryEntry]:
        """Replace the orders before `oldest_ms` by the first of them in each segment set."""
        over = entries_over(history, oldest_ms)
        if not over or history[over - 1][0] == FORGOTTEN_MS:
            return history
        return [*forgotten(history[:over]), *history[over:]]


BUYERS = ByWindow(
    {
        "day": Total(BUYERS_DAY),
        "trailing_28d": AtEnd(BUYERS_28D),
        "month": AtStart(BUYERS_MONTH),
        # Each buyer is new once.
        "all": Total(NEW_BUYERS),
    }
)

METRICS = (
    Metric(
        name="orders",
        help="Orders placed. Several of one person with one order_id count as one, the first.",
        unit="orders",
        formula="number of orders",
        numerator=Total(ORDERS),
        windows=("hour", "day", "trailing_28d", "month", "all"),
        gauge="orders",
        example=Example("two people order twice, one once, one order is sent again", 5, None, 5),
    ),
    Metric(
        name="buyers",
        help="People with an order in the window.",
        unit="people",
        formula="distinct people with an order",
        numerator=BUYERS,
        windows=("day", "trailing_28d", "month", "all"),
        gauge="buyers",
        example=Example("two people order twice, one once", 3, None, 3),
    ),
    Metric(
        name="new_buyers",
        help="People whose first order ever is in the window.",
        unit="people",
        formula="distinct people with their first order",
        numerator=Total(NEW_BUYERS),
        windows=("day", "month", "all"),
        gauge="new_buyers",
        example=Example("3 people order, one of them also last month", 2, None, 2),
    ),
    Metric(
        name="revenue",
        help="Money of orders less refunds, each in its own window. It can be negative.",
        unit="currency",
        formula="revenue of orders − refunds, each at its own time",
        numerator=Per(Total(REVENUE_MICROS), MICROS),
        windows=("hour", "day", "trailing_28d", "month", "all"),
        gauge="revenue",
        example=Example("orders of 100, 60 and 40, a refund of 30", 170, None, 170),
    ),
    Metric(
        name="refunds",
        help="Money refunded in the window, at most the amount of each order.",
        unit="currency",
        formula="sum of refunds of known orders",
        numerator=Per(Total(REFUNDED_MICROS), MICROS),
        windows=("day", "trailing_28d", "month", "all"),
        gauge="refunds",
        example=Example("refunds of 30 and 90 for an order of 100", 100, None, 100),
    ),
    Metric(
        name="average_order_value",
        help="Mean amount of an order when it is placed, before refunds.",
        unit="currency",
        formula="revenue of orders ÷ orders",
        numerator=Per(Total(ORDERED_MICROS), MICROS),
        denominator=Total(ORDERS),
        windows=("day", "trailing_28d", "month", "all"),
        gauge="average_order_value",
        example=Example("orders of 100, 60 and 50", 210, 3, 70),
    ),
    Metric(
        name="purchase_frequency",
        help="Mean number of orders of a buyer in the window.",
        unit="orders",
        formula="orders ÷ distinct people with an order",
        numerator=Total(ORDERS),
        denominator=BUYERS,
        windows=("trailing_28d", "month", "all"),
        gauge="purchase_frequency",
        example=Example("5 orders of 2 people", 5, 2, 2.5),
    ),
    Metric(
        name="high_value_customers",
        own_window=True,
        help="Buyers of 365 days who spent as much as the highest tenth of them.",
        unit="people",
        formula="buyers of 365 days whose revenue reaches its 90th percentile, to within 9 %",
        numerator=TopTenth(SPENT_365D),
        windows=("trailing_365d",),
        gauge="high_value_customers",
        approximate=True,
        example=Example("3 of 30 buyers spend 500, the others 20", 3, None, 3),
        level=True,
    ),
)  # fmt: skip


def lifetime_value_mode(settings: Settings) -> str:
    """Return the lifetime value that is compared with the cost of winning a customer."""
    chosen = settings.value.clv_mode
    if chosen != "auto":
        return chosen
    return "simple" if settings.value.customers == "buyers" else "recurring"


THEME = Theme(
    title="Orders and revenue",
    text="Orders, the people who place them, and their revenue.",
    metrics=lambda _settings: METRICS,
    aggregates=lambda settings: (Orders(to_date=lifetime_value_mode(settings) == "historic"),),
    counted_by=COUNTED_BY,
)
