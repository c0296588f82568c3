"""Metrics of orders: orders, buyers, revenue and refunds."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from schemas.events.orders import Order, Refund
from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.measures import MICROS
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.events import Aggregate, Contributions, HistoryEntry, at, distinct, on
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.histogram_terms import TopTenth
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Per, Total
from stream.metrics.theme import Theme
from stream.sessions.session import sid_digest
from stream.settings.application import Settings

ORDERS = "orders"
ORDERED_MICROS = "ordered_micros"
REFUNDED_MICROS = "refunded_micros"
REVENUE_MICROS = "revenue_micros"
BUYERS_DAY, BUYERS_28D, BUYERS_MONTH = "buyers_day", "buyers_28d", "buyers_month"
#: People who ordered for the first time.
NEW_BUYERS = "new_buyers"
#: People with an order in the last 365 days, their revenue in these, and its histogram.
BUYERS_365D = "level_buyers_365d"
REVENUE_365D_MICROS = "level_revenue_365d_micros"
SPENT_365D = "level_spent_365d"
#: People with an order so far, and revenue so far.
BUYERS_TO_DATE = "level_buyers"
REVENUE_TO_DATE_MICROS = "level_revenue_micros"
_MEASURES = (
    ORDERS, ORDERED_MICROS, REFUNDED_MICROS, REVENUE_MICROS, BUYERS_DAY, BUYERS_28D, BUYERS_MONTH,
    NEW_BUYERS, BUYERS_365D, REVENUE_365D_MICROS, SPENT_365D, BUYERS_TO_DATE, REVENUE_TO_DATE_MICROS,
)  # fmt: skip
_MEASURES = (
    ORDERS, ORDERED_MICROS, REFUNDED_MICROS, REVENUE_MICROS, BUYERS_DAY, BUYERS_28D, BUYERS_MONTH,
    NEW_BUYERS, BUYERS_365D, REVENUE_365D_MICROS, SPENT_365D, BUYERS_TO_DATE, REVENUE_TO_DATE_MICROS,
)  # fmt: skip
COUNTED_BY: CountedBy = dict.fromkeys(_MEASURES, PERSON)

YEAR_DAYS = 365
_CENT_MICROS = 10_000
_ORDER, _REFUND = "o", "r"


class Sale(NamedTuple):
    """One order with its refunds."""

    time_ms: int
    micros: int
    segments: tuple[Segment, ...]
    #: (epoch ms, millionths) of each; together at most the order.
    refunds: list[tuple[int, int]]


class Orders(Aggregate):
    """Aggregate of a person's orders and refunds.

    Of orders with one id the earliest counts. A refund counts in the segments of the order that it
    names, at its own time but not before the order. It takes at most the rest of the
    order. A refund of an order that the person never made does not count. An order without revenue
    counts, and adds no money.
    """

    name = "orders"
    types: Collection[str] = ("order", "refund")
    #: The first order ever must stay known, and every order id.
    keep_days = 3_660

    def __init__(self, *, to_date: bool = False) -> None:
        #: Whether sums so far are counted for the end of each day.
        self._to_date = to_date

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the kind of event, the order and the amount."""
        if isinstance(event, Order):
            return _ORDER, sid_digest(event.order_id), round((event.revenue or 0) * MICROS)
        if isinstance(event, Refund):
            digest = sid_digest(event.order_id)
            return _REFUND, digest, round(event.revenue * MICROS), sid_digest(event.event_id)
        return None

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Count orders and money at their times, and buyers in each of their windows."""
        counts: Contributions = Contributions()
        by_segment: dict[Segment, list[Sale]] = {}
        for sale in sales(history, registry):
            for segment in sale.segments:
                by_segment.setdefault(segment, []).append(sale)
        for segment, of_segment in by_segment.items():
            _count_money(counts, segment, of_segment)
            _count_buyer(counts, segment, of_segment)
            _count_year(counts, segment, of_segment)
            if self._to_date:
                _count_to_date(counts, segment, of_segment)
        return counts


def sales(history: Sequence[HistoryEntry], registry: SegmentRegistry) -> Iterable[Sale]:
    """Return the orders among entries sorted by time, with their refunds."""
    found: dict[bytes, Sale] = {}
    for time_ms, segment_set_id, kind, order, micros, *_ in history:
        if kind == _ORDER and order not in found:
            found[order] = Sale(time_ms, micros, registry.by_id(segment_set_id).segments, [])
    for time_ms, _, kind, order, micros, *_ in history:
        sale = found.get(order)
        if kind == _REFUND and sale is not None:
            left = sale.micros - sum(amount for _, amount in sale.refunds)
            sale.refunds.append((max(time_ms, sale.time_ms), min(micros, left)))
    return found.values()


def _count_money(counts: Contributions, segment: Segment, of_segment: Iterable[Sale]) -> None:
    for sale in of_segment:
        at(counts, ORDERS, segment, sale.time_ms)
        at(counts, ORDERED_MICROS, segment, sale.time_ms, sale.micros)
        at(counts, REVENUE_MICROS, segment, sale.time_ms, sale.micros)
        for time_ms, micros in sale.refunds:
            at(counts, REFUNDED_MICROS, segment, time_ms, micros)
            at(counts, REVENUE_MICROS, segment, time_ms, -micros)


def _count_buyer(counts: Contributions, segment: Segment, of_segment: Sequence[Sale]) -> None:
    calendar = segment.calendar
    first = min(sale.time_ms for sale in of_segment)
    days = {calendar.day_of(sale.time_ms) for sale in of_segment}
    at(counts, NEW_BUYERS, segment, first)
    for day in days:
        on(counts, BUYERS_DAY, segment, day)
    distinct(counts, {28: BUYERS_28D}, segment, days)
    for month in {calendar.month_of(day) for day in days}:
        on(counts, BUYERS_MONTH, segment, month)


def _count_to_date(counts: Contributions, segment: Segment, of_segment: Sequence[Sale]) -> None:
    day_of = segment.calendar.day_of
    on(counts, BUYERS_TO_DATE, segment, day_of(min(sale.time_ms for sale in of_segment)))
    for sale in of_segment:
        on(counts, REVENUE_TO_DATE_MICROS, segment, day_of(sale.time_ms), sale.micros)
        for time_ms, micros in sale.refunds:
            on(counts, REVENUE_TO_DATE_MICROS, segment, day_of(time_ms), -micros)


def _count_year(counts: Contributions, segment: Segment, of_segment: Iterable[Sale]) -> None:
    """Count each order, less its refunds so far, in the level of its day and of the 364 after it."""
    day_of = segment.calendar.day_of
    changes: dict[int, tuple[int, int]] = {}

    def change(day: int, orders: int, micros: int) -> None:
        before = changes.get(day, (0, 0))
        changes[day] = before[0] + orders, before[1] + micros

    for sale in of_segment:
        day = day_of(sale.time_ms)
        end, left = day + YEAR_DAYS, sale.micros
        change(day, 1, sale.micros)
        for time_ms, micros in sale.refunds:
            if (refunded := day_of(time_ms)) < end:
                left -= micros
                change(refunded, 0, -micros)
        change(end, -1, -left)
    orders = spent = 0
    for day, (more_orders, more_micros) in sorted(changes.items()):
        was = histogram_measure(SPENT_365D, duration_bucket(spent // _CENT_MICROS))
        if orders:
            on(counts, was, segment, day, -1)
            on(counts, BUYERS_365D, segment, day, -1)
        orders, spent = orders + more_orders, spent + more_micros
        now = histogram_measure(SPENT_365D, duration_bucket(spent // _CENT_MICROS))
        if orders:
            on(counts, now, segment, day)
            on(counts, BUYERS_365D, segment, day)
        on(counts, REVENUE_365D_MICROS, segment, day, more_micros)


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
