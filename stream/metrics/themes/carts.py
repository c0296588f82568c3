"""Metrics of carts: ordered, abandoned and recovered ones."""

from collections.abc import Collection, Sequence
from typing import Any

from stream.counters import measures
from stream.counters.calendar import DAY_MS, HOUR_MS
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.cart_outcomes import (
    ADDED,
    CARTS_ORDERED,
    CARTS_RECOVERED,
    CHECKOUT,
    ORDERED,
    REMOVED,
    CartIndex,
    CartRules,
)
from stream.history.events import HistoryEntry, Index
from stream.history.replay import condensed
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Sum, Term, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

CARTS_ABANDONED = measures.CARTS_ABANDONED
_CART = ("cart.basis", "cart.start_event", "cart.timeout_hours", *PERSON)
COUNTED_BY: CountedBy = {
    CARTS_ORDERED: _CART,
    CARTS_ABANDONED: _CART,
    CARTS_RECOVERED: ("cart.recovery_days", *_CART),
}
#: Kinds of changes as they are kept; at one instant they sort in this order.
_KIND = {
    "add_to_cart": ADDED, "remove_from_cart": REMOVED, "checkout_started": CHECKOUT, "order": ORDERED,
}  # fmt: skip


class Carts(Aggregate):
    """Aggregate of a person's carts, by cart_id or, without one, of the open cart.

    An emptied cart is neither ordered nor abandoned. An order takes the cart that it names; if there is
    no such cart, the one changed last. A cart is known until it can be recovered no more. An order
    without any cart, and a removal from a cart that is not open, do not count. An order at the last
    instant is in time. A cart that begins with the checkout holds what was added before it.
    """

    name = "cart"
    types: Collection[str] = tuple(_KIND)
    keeps_equal = True

    def __init__(self, settings: Settings) -> None:
        cart = settings.cart
        self._one_cart = cart.basis == "user"
        self._rules = CartRules(
            _KIND[cart.start_event], cart.timeout_hours * HOUR_MS, cart.recovery_days * DAY_MS
        )
        self.keep_days = cart.timeout_hours // 24 + cart.recovery_days + 31

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep its kind and its cart."""
        return _KIND[event.__struct_config__.tag], None if self._one_cart else event.cart_id

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index that replays the changes of carts."""

        return CartIndex(self._rules, registry, self.in_order)

    def settled(
        self,
        history: list[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """Replace the settled changes by the carts that they leave."""
        return condensed(
            history, oldest_ms, settled_ms, CartIndex(self._rules, registry, self.in_order).begin
        )


def aggregates(settings: Settings) -> tuple[Carts, ...]:
    """Return what is kept of people's carts; nothing if the settings count sessions."""
    return () if settings.cart.basis == "session" else (Carts(settings),)


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return abandonment on the basis that the settings choose, and recovery."""
    cart = settings.cart
    abandoned: Term = Total(CARTS_ABANDONED)
    resolved: Term = Sum(Total(CARTS_ORDERED), abandoned)
    formula = f"carts without an order {cart.timeout_hours} h after their last change ÷ those and ordered carts"
    if cart.basis == "session":
        abandoned, resolved = Total(measures.ABANDONED_SESSIONS), Total(measures.CARTED_SESSIONS)
        formula = "sessions with a cart and no order ÷ sessions with a cart"
    abandonment = Metric(
        name="cart_abandonment_rate",
        help="Share of carts that were abandoned, in the window in which they were ordered or abandoned. "
        "A cart_id is known by person.",
        unit="ratio",
        formula=formula,
        numerator=abandoned,
        denominator=resolved,
        windows=("day", "all"),
        gauge="cart_abandonment_ratio",
        example=Example("7 of 10 carts", 7, 10, 0.70),
        chosen_by=("cart.basis",),
        totals=("carts_abandoned", "carts_resolved"),
    )
    if cart.basis == "session":
        return (abandonment,)
    recovered = Metric(
        name="recovered_carts",
        help="Abandoned carts that were ordered later, in the window of the order.",
        unit="carts",
        formula="orders of a cart that was counted as abandoned",
        numerator=Total(CARTS_RECOVERED),
        windows=("day", "all"),
        gauge="recovered_carts",
        example=Example("an order 30 h after the last change", 1, None, 1),
    )
    return abandonment, recovered


THEME = Theme(
    title="Carts",
    text="Which carts became orders, which were abandoned, and which of these were recovered.",
    metrics=metrics,
    aggregates=aggregates,
    counted_by=COUNTED_BY,
)
