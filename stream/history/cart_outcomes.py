"""Carts of a person while they are open or can be recovered, and the outcome of each."""

from collections.abc import Sequence
from typing import NamedTuple

from stream.counters.measures import CARTS_ABANDONED
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.events import FieldsKey, HistoryEntry
from stream.history.replay import Replay, ReplayState

CARTS_ORDERED, CARTS_RECOVERED = "carts_ordered", "carts_recovered"

#: Kinds of changes as they are kept; at one instant they sort in this order.
ADDED, REMOVED, CHECKOUT, ORDERED = range(4)
#: Kinds of entries that stand for a cart, and for what is held before a cart begins.
_CART, _HELD = 4, 5
#: Time of these entries.
_STORED_MS = -1


class CartRules(NamedTuple):
    """The change that opens a cart, and the times until it is abandoned and can be recovered."""

    opens: int
    timeout_ms: int
    recovery_ms: int


class Cart:
    """A cart as its last change left it."""

    __slots__ = ("changed_ms", "holds", "segment_set_id")

    def __init__(self, changed_ms: int, segment_set_id: int, holds: int) -> None:
        self.changed_ms = changed_ms
        self.segment_set_id = segment_set_id
        #: Number of things in it.
        self.holds = holds


class KnownCarts(ReplayState):
    """The carts of a person, by name, in the order of their last changes.

    An open cart counts as abandoned at the end of its time already: a later change takes that back.
    """

    __slots__ = ("_carts", "_held", "_registry", "_rules")

    def __init__(self, rules: CartRules, registry: SegmentRegistry) -> None:
        self._rules = rules
        self._registry = registry
        self._carts: dict[str, Cart] = {}
        #: With carts that begin with the checkout: what was added and not removed, also before it.
        self._held: dict[str, Cart] = {}

    @staticmethod
    def restored(
        rules: CartRules, registry: SegmentRegistry, stored: Sequence[HistoryEntry]
    ) -> "KnownCarts":
        """Return the carts that entries stand for."""
        found = KnownCarts(rules, registry)
        for _, segment_set_id, kind, name, changed_ms, holds in stored:
            kept = found._carts if kind == _CART else found._held
            kept[name] = Cart(changed_ms, segment_set_id, holds)
        return found

    def stored(self, settled_ms: int) -> list[HistoryEntry]:
        """Return entries that stand for the carts."""
        self._forget(settled_ms)
        return [
            (_STORED_MS, cart.segment_set_id, kind, name, cart.changed_ms, cart.holds)
            for kind, known in ((_CART, self._carts), (_HELD, self._held))
            for name, cart in known.items()
        ]

    def copy(self) -> "KnownCarts":
        """Return a copy."""
        found = KnownCarts(self._rules, self._registry)
        found._carts, found._held = self._carts.copy(), self._held.copy()
        return found

    @property
    def size(self) -> int:
        """Number of carts."""
        return len(self._carts) + len(self._held)

    def take(self, entry: HistoryEntry, by: int, counts: Contributions | None) -> None:
        """Take the change that comes next, and count the outcomes that it changes."""
        time_ms, segment_set_id, kind, name = entry
        self._forget(time_ms)
        if kind == ORDERED:
            self._order(time_ms, name, by, counts)
        else:
            self._change(time_ms, segment_set_id, kind, name or "", by, counts)

    def _change(
        self,
        time_ms: int,
        segment_set_id: int,
        kind: int,
        name: str,
        by: int,
        counts: Contributions | None,
    ) -> None:
        cart = self._carts.get(name)
        more = 1 if kind == ADDED else -1 if kind == REMOVED else 0
        begins_with_checkout = self._rules.opens == CHECKOUT
        holds = self._hold(time_ms, segment_set_id, name, more) if begins_with_checkout else more
        if cart is not None and self._is_open(cart, time_ms):
            self._count_abandoned(cart, -by, counts)
            if not begins_with_checkout:
                holds += cart.holds
        elif kind != self._rules.opens:
            return
        # A cart that is filled again is another one; the abandoned one stays abandoned.
        if cart is not None:
            del self._carts[name]
        if kind != REMOVED or holds > 0:
            cart = self._carts[name] = Cart(time_ms, segment_set_id, holds)
            self._count_abandoned(cart, by, counts)

    def _hold(self, time_ms: int, segment_set_id: int, name: str, more: int) -> int:
        """Hold more or less under a name, and return how much that is."""
        held = self._held.pop(name, None)
        holds = max((held.holds if held else 0) + more, 0)
        if holds:
            self._held[name] = Cart(time_ms, segment_set_id, holds)
        return holds

    def _order(self, time_ms: int, name: str | None, by: int, counts: Contributions | None) -> None:
        taken = name if name in self._carts else self._newest()
        if taken is None:
            self._held.pop(name or "", None)
            return
        self._held.pop(taken, None)
        cart = self._carts.pop(taken)
        measure = CARTS_RECOVERED
        if self._is_open(cart, time_ms):
            self._count_abandoned(cart, -by, counts)
            measure = CARTS_ORDERED
        if counts is not None:
            counts.at(measure, self._registry.by_id(cart.segment_set_id), time_ms, by)

    def _newest(self) -> str | None:
        """Return the cart changed last; of several at one instant, the last by name."""
        newest, changed_ms = None, 0
        for name, cart in reversed(self._carts.items()):
            if newest is not None and cart.changed_ms < changed_ms:
                break
            newest = name if newest is None else max(newest, name)
            changed_ms = cart.changed_ms
        return newest

    def _is_open(self, cart: Cart, time_ms: int) -> bool:
        return time_ms <= cart.changed_ms + self._rules.timeout_ms

    def _count_abandoned(self, cart: Cart, by: int, counts: Contributions | None) -> None:
        """Count an abandoned cart at the end of its time, which may be in the future."""
        if counts is not None:
            end_ms = cart.changed_ms + self._rules.timeout_ms
            counts.at(CARTS_ABANDONED, self._registry.by_id(cart.segment_set_id), end_ms, by)

    def _forget(self, time_ms: int) -> None:
        """Forget the carts that can be recovered no more."""
        oldest_ms = time_ms - self._rules.timeout_ms - self._rules.recovery_ms
        for known in (self._carts, self._held):
            while known:
                first = next(iter(known))
                if known[first].changed_ms >= oldest_ms:
                    break
                del known[first]


class CartIndex(Replay):
    """The changes of a person's carts, in the order of time."""

    __slots__ = ("_cart_registry", "_rules")

    def __init__(self, rules: CartRules, registry: SegmentRegistry, fields: FieldsKey) -> None:
        super().__init__(registry, fields)
        self._rules = rules
        self._cart_registry = registry

    def begin(self, stored: Sequence[HistoryEntry], is_first: bool) -> KnownCarts:  # noqa: ARG002
        """Return the carts that stored entries stand for."""
        return KnownCarts.restored(self._rules, self._cart_registry, stored)
