"""Metrics of carts: ordered, abandoned and recovered ones."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from stream.counters import measures
from stream.counters.calendar import DAY_MS, HOUR_MS
from stream.counters.segments import SegmentRegistry
from stream.history.events import Aggregate, Contributions, HistoryEntry, at
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Sum, Term, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

CARTS_ORDERED = "carts_ordered"
CARTS_ABANDONED = measures.CARTS_ABANDONED
CARTS_RECOVERED = "carts_recovered"
_CART = ("cart.basis", "cart.start_event", "cart.timeout_hours", *PERSON)
COUNTED_BY: CountedBy = {
    CARTS_ORDERED: _CART,
    CARTS_ABANDONED: _CART,
    CARTS_RECOVERED: ("cart.recovery_days", *_CART),
}
#: Kinds of changes as they are kept; at one instant they sort in this order.
_ADDED, _REMOVED, _CHECKOUT, _ORDERED = range(4)
_KIND = {
    "add_to_cart": _ADDED, "remove_from_cart": _REMOVED,
    "checkout_started": _CHECKOUT, "order": _ORDERED,
}  # fmt: skip

Outcome = Literal["ordered", "abandoned", "recovered"]
_MEASURE: dict[Outcome, str] = {
    "ordered": CARTS_ORDERED, "abandoned": CARTS_ABANDONED, "recovered": CARTS_RECOVERED,
}  # fmt: skip


class Change(NamedTuple):
    """Change of a person's carts. An order may name no cart."""

    time_ms: int
    kind: int
    cart: str | None
    segment_set_id: int


class _Cart:
    """Cart while it is open or, once abandoned, while it can be recovered."""

    __slots__ = ("changed_ms", "holds", "segment_set_id")

    def __init__(self) -> None:
        self.holds = 0
        self.changed_ms = 0
        self.segment_set_id = 0


class CartRules(NamedTuple):
    """The change that opens a cart, and the times until it is abandoned and can be recovered."""

    opens: int
    timeout_ms: int
    recovery_ms: int


class Carts(Aggregate):
    """Aggregate of a person's carts, by cart_id or, without one, of the open cart.

    An emptied cart is neither ordered nor abandoned. An order takes the cart that it names; if there is
    no such cart, the one changed last. An order without any cart, and a removal from a cart that is not
    open, do not count. An order at the last instant is in time.
    """

    name = "cart"
    types: Collection[str] = tuple(_KIND)

    def __init__(self, settings: Settings) -> None:
        cart = settings.cart
        self._one_cart = cart.basis == "user"
        self._rules = CartRules(
            _KIND[cart.start_event], cart.timeout_hours * HOUR_MS, cart.recovery_days * DAY_MS
        )
        #: Long enough for a cart that is changed for a month before it is abandoned.
        self.keep_days = cart.timeout_hours // 24 + cart.recovery_days + 31

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep its kind and its cart."""
        return _KIND[event.__struct_config__.tag], None if self._one_cart else event.cart_id

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Count each outcome at its instant; that of an abandoned cart may be in the future."""
        changes = [
            Change(time, kind, cart, segment_set) for time, segment_set, kind, cart in history
        ]
        counts: Contributions = Contributions()
        for outcome, time_ms, segment_set_id in outcomes(changes, self._rules):
            for segment in registry.by_id(segment_set_id).segments:
                at(counts, _MEASURE[outcome], segment, time_ms)
        return counts


def outcomes(changes: Sequence[Change], rules: CartRules) -> Iterator[tuple[Outcome, int, int]]:
    """Yield (outcome, time, segment set of the last change) of carts, from changes sorted by time and kind."""
    carts: dict[str, _Cart] = {}
    abandoned: dict[str, _Cart] = {}
    for change in changes:
        for name, cart in [*carts.items()]:
            if change.time_ms > cart.changed_ms + rules.timeout_ms:
                yield "abandoned", cart.changed_ms + rules.timeout_ms, cart.segment_set_id
                abandoned[name] = carts.pop(name)
        if change.kind == _ORDERED:
            yield from _ordered(change, carts, abandoned, rules)
        else:
            _changed(change, carts, abandoned, rules)
    for cart in carts.values():
        yield "abandoned", cart.changed_ms + rules.timeout_ms, cart.segment_set_id


def _changed(
    change: Change, carts: dict[str, _Cart], abandoned: dict[str, _Cart], rules: CartRules
) -> None:
    name = change.cart or ""
    cart = carts.get(name)
    if cart is None:
        if change.kind != rules.opens:
            return
        # A cart that is filled again is another one; the abandoned one stays abandoned.
        abandoned.pop(name, None)
        cart = carts[name] = _Cart()
    cart.changed_ms, cart.segment_set_id = change.time_ms, change.segment_set_id
    cart.holds += (change.kind == _ADDED) - (change.kind == _REMOVED)
    if change.kind == _REMOVED and cart.holds <= 0:
        del carts[name]


def _ordered(
    change: Change, carts: dict[str, _Cart], abandoned: dict[str, _Cart], rules: CartRules
) -> Iterator[tuple[Outcome, int, int]]:
    for outcome, known in (("ordered", carts), ("recovered", abandoned)):
        if change.cart in known and change.cart is not None:
            yield from _taken(outcome, change, change.cart, known, rules)
            return
    for outcome, known in (("ordered", carts), ("recovered", abandoned)):
        if known:
            newest = max(known, key=lambda name: (known[name].changed_ms, name))
            yield from _taken(outcome, change, newest, known, rules)
            return


def _taken(
    outcome: str, change: Change, name: str, known: dict[str, _Cart], rules: CartRules
) -> Iterator[tuple[Outcome, int, int]]:
    cart = known.pop(name)
    if outcome == "ordered":
        yield "ordered", change.time_ms, cart.segment_set_id
    elif change.time_ms <= cart.changed_ms + rules.timeout_ms + rules.recovery_ms:
        yield "recovered", change.time_ms, cart.segment_set_id


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
