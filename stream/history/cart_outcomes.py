"""Carts of a person while they are open or can be recovered, and the outcome of each."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from stream.history.events import HistoryEntry
from stream.history.replay import Outcomes

#: Kinds of changes as they are kept; at one instant they sort in this order.
ADDED, REMOVED, CHECKOUT, ORDERED = range(4)
#: Kinds of entries that stand for a cart, and for what is held before a cart begins.
_CART, _HELD = 4, 5
#: Time of these entries.
_STORED_MS = -1

Outcome = Literal["ordered", "abandoned", "recovered"]


class CartRules(NamedTuple):
    """The change that opens a cart, and the times until it is abandoned and can be recovered."""

    opens: int
    timeout_ms: int
    recovery_ms: int


class Cart(NamedTuple):
    """A cart as its last change left it."""

    changed_ms: int
    segment_set_id: int
    #: Number of things in it.
    holds: int


class KnownCarts:
    """The carts of a person, by name, in the order of their last changes.

    An open cart counts as abandoned at the end of its time already: a later change takes that back.
    """

    __slots__ = ("_carts", "_held", "_rules")

    def __init__(self, rules: CartRules) -> None:
        self._rules = rules
        self._carts: dict[str, Cart] = {}
        #: With carts that begin with the checkout: what was added and not removed, also before it.
        self._held: dict[str, Cart] = {}

    @staticmethod
    def restored(rules: CartRules, stored: Sequence[HistoryEntry]) -> "KnownCarts":
        """Return the carts that entries stand for."""
        found = KnownCarts(rules)
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
        found = KnownCarts(self._rules)
        found._carts, found._held = {**self._carts}, {**self._held}
        return found

    @property
    def size(self) -> int:
        """Number of carts."""
        return len(self._carts) + len(self._held)

    def take(self, entry: HistoryEntry, outcomes: Outcomes) -> None:
        """Take the change that comes next."""
        time_ms, segment_set_id, kind, name = entry
        self._forget(time_ms)
        if kind == ORDERED:
            self._order(time_ms, name, outcomes)
        else:
            self._change(Cart(time_ms, segment_set_id, 0), kind, name or "", outcomes)

    def _change(self, change: Cart, kind: int, name: str, outcomes: Outcomes) -> None:
        cart, more = self._carts.get(name), (kind == ADDED) - (kind == REMOVED)
        holds = self._hold(change, name, more) if self._rules.opens == CHECKOUT else more
        if cart is not None and self._is_open(cart, change.changed_ms):
            self._count_abandoned(cart, -1, outcomes)
            if self._rules.opens != CHECKOUT:
                holds += cart.holds
        elif kind != self._rules.opens:
            return
        # A cart that is filled again is another one; the abandoned one stays abandoned.
        self._carts.pop(name, None)
        if kind != REMOVED or holds > 0:
            cart = self._carts[name] = change._replace(holds=holds)
            self._count_abandoned(cart, 1, outcomes)

    def _hold(self, change: Cart, name: str, more: int) -> int:
        """Hold more or less under a name, and return how much that is."""
        held = self._held.pop(name, None)
        holds = max((held.holds if held else 0) + more, 0)
        if holds:
            self._held[name] = change._replace(holds=holds)
        return holds

    def _order(self, time_ms: int, name: str | None, outcomes: Outcomes) -> None:
        taken = name if name in self._carts else self._newest()
        if taken is None:
            self._held.pop(name or "", None)
            return
        self._held.pop(taken, None)
        cart = self._carts.pop(taken)
        if self._is_open(cart, time_ms):
            self._count_abandoned(cart, -1, outcomes)
            outcomes["ordered", time_ms, cart.segment_set_id] += 1
        else:
            outcomes["recovered", time_ms, cart.segment_set_id] += 1

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

    def _count_abandoned(self, cart: Cart, by: int, outcomes: Outcomes) -> None:
        end_ms = cart.changed_ms + self._rules.timeout_ms
        outcomes["abandoned", end_ms, cart.segment_set_id] += by

    def _forget(self, time_ms: int) -> None:
        """Forget the carts that can be recovered no more."""
        oldest_ms = time_ms - self._rules.timeout_ms - self._rules.recovery_ms
        for known in (self._carts, self._held):
            while known:
                first = next(iter(known))
                if known[first].changed_ms >= oldest_ms:
                    break
                del known[first]
