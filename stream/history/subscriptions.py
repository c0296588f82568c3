"""One subscription: what each of its events makes of it, and what it pays a month from then on."""

from bisect import bisect_left
from typing import Any, NamedTuple

from stream.counters.calendar import DAY_MS

#: A cancellation that ends payment at once although it takes effect later. A renewal before that
#: date undoes it. It sorts like a cancellation.
CANCELLED_AT_ONCE = "cancelled_at_once"
#: Price of a free plan, if `churn.free_is_churn` says that it is no payment.
FREE = -1
#: Edition of the events that are stored now. Events without one keep the effect with which they were
#: counted: each change ended a trial; a renewal after the end, and a change before any start, did
#: nothing.
EDITION = 1
#: A subscription that is over is known for this long: a later renewal does not know its price.
KNOWN_MS = 400 * DAY_MS
#: At one instant an end comes before a new start, and a start before its changes.
_TURN = {"started": 1, "changed": 2, "renewed": 3}


class SubscriptionEvent(NamedTuple):
    """One event of one subscription. Amounts are millionths of the currency a month."""

    time_ms: int
    #: started, changed, renewed, cancelled (or CANCELLED_AT_ONCE), ended
    kind: str
    subscription_id: str
    #: The price; FREE: the plan is none that counts; None: the event says none.
    mrr_micros: int | None = 0
    #: None: the event says nothing about a trial.
    trial: bool | None = False
    effective_ms: int | None = None
    segment_set_id: int = 0
    #: A cancellation or an end against the customer's will.
    involuntary: bool = False
    #: See EDITION; 0: stored before there were editions.
    edition: int = 0


class State(NamedTuple):
    """State of a subscription after an event."""

    #: Segment set of the event that it began with; None: it has not begun.
    segment_set_id: int | None = None
    #: Whether it runs, paid or as a trial.
    live: bool = False
    trial: bool = False
    mrr_micros: int | None = None
    #: Time at which a cancellation takes effect.
    ends_ms: int | None = None
    #: Whether its payment ended with a cancellation that takes effect later.
    left: bool = False
    #: Whether that cancellation was against the customer's will.
    involuntary: bool = False
    #: When it ended, if it is over.
    over_ms: int = 0

    @property
    def paid(self) -> int | None:
        """Monthly payment; None: it is not paid."""
        is_paid = self.live and not self.trial and not self.left
        return self.mrr_micros if is_paid and self.mrr_micros != FREE else None


#: A subscription of which nothing is known.
NEW = State()


class Step(NamedTuple):
    """From `time_ms` on the subscription pays `mrr_micros` a month; None: it is not paid."""

    time_ms: int
    mrr_micros: int | None
    #: It ended against the customer's will.
    involuntary: bool = False
    #: Payment before the step.
    before: int | None = None
    segment_set_id: int = 0


class Effect(NamedTuple):
    """Effect of one event on its subscription."""

    state: State
    steps: tuple[Step, ...] = ()
    #: Segment set of an event that ends or renews a subscription of which nothing is known.
    unmatched_id: int | None = None


def advance(state: State, event: SubscriptionEvent) -> Effect:
    """Return the effect of the next event in order."""
    ended = None
    if state.ends_ms is not None and state.ends_ms <= event.time_ms:
        ended, state = final_step(state), _over(state, state.ends_ms)
    if event.edition and not state.live and event.time_ms - state.over_ms > KNOWN_MS:
        state = NEW
    after = _after(state, event)
    if after.segment_set_id is None:
        is_unmatched = event.edition and event.kind != "changed"
        unmatched_id = event.segment_set_id if is_unmatched else None
        return Effect(after, () if ended is None else (ended,), unmatched_id)
    before, paid = state.paid, after.paid
    step = Step(event.time_ms, paid, event.involuntary, before, after.segment_set_id)
    steps = (ended, None if before == paid else step)
    return Effect(after, tuple(one for one in steps if one is not None))


def final_step(state: State) -> Step | None:
    """Return the step of a cancellation that has yet to take effect; None without one."""
    if state.ends_ms is None or state.paid is None:
        return None
    return Step(state.ends_ms, None, state.involuntary, state.paid, state.segment_set_id or 0)


def _after(state: State, event: SubscriptionEvent) -> State:
    begun = state.segment_set_id
    segment_set_id = event.segment_set_id if begun is None else begun
    if event.kind == "started":
        return State(segment_set_id, True, bool(event.trial), event.mrr_micros)
    if event.kind in ("changed", "renewed"):
        price = event.mrr_micros if event.edition or event.kind == "changed" else None
        if begun is None:
            if price is None or not event.edition:
                return state
            state = State(segment_set_id, True, False, price)
        return _paid_on(state, event, state.mrr_micros if price is None else price)
    if begun is None or not state.live:
        return state
    ends_ms = event.time_ms if event.effective_ms is None else event.effective_ms
    if event.kind == "ended" or ends_ms <= event.time_ms:
        return _over(state, event.time_ms)
    left = state.left or event.kind == CANCELLED_AT_ONCE
    return state._replace(ends_ms=ends_ms, left=left, involuntary=event.involuntary)


def _paid_on(state: State, event: SubscriptionEvent, price: int | None) -> State:
    """Apply a change, which may end or begin a trial, or a renewal, which undoes every end."""
    if event.kind == "changed":
        trial = state.trial if event.edition and event.trial is None else bool(event.trial)
        return state._replace(mrr_micros=price, trial=trial)
    if not state.live and not event.edition:
        return state
    return State(state.segment_set_id, True, False, price)


def _over(state: State, time_ms: int) -> State:
    return State(state.segment_set_id, mrr_micros=state.mrr_micros, over_ms=time_ms)


#: Sort key of an event of one subscription.
Key = tuple[Any, ...]


def in_order(event: SubscriptionEvent, segments: object = ()) -> Key:
    """Return the sort key of an event. `segments` decide between equal ones: ids differ by shard."""
    return (
        event.time_ms, _TURN.get(event.kind, 0), event.kind, event.mrr_micros or 0,
        event.trial is not None, bool(event.trial), event.effective_ms or 0, event.involuntary,
        segments,
    )  # fmt: skip


class Subscription:
    """The course of one subscription: a settled state, the events since, and the effect of each."""

    __slots__ = ("_effects", "_keys", "events", "settled")

    def __init__(self, settled: State = NEW) -> None:
        #: State before the first event.
        self.settled = settled
        self.events: list[SubscriptionEvent] = []
        self._keys: list[Key] = []
        self._effects: list[Effect] = []

    @property
    def state(self) -> State:
        """State after the last event."""
        return self._effects[-1].state if self._effects else self.settled

    @property
    def last(self) -> Effect:
        """Effect of a cancellation that has yet to take effect."""
        step = final_step(self.state)
        return Effect(self.state, () if step is None else (step,))

    def steps(self) -> list[Step]:
        """Return the steps of its payment, the last one of a cancellation that has yet to take effect."""
        return [step for effect in (*self._effects, self.last) for step in effect.steps]

    def add(self, event: SubscriptionEvent, key: Key) -> tuple[list[Effect], list[Effect]]:
        """Put an event into its place. Return the effects that this removes, and those that it adds.

        The effects after the event are renewed as far as they change.
        """
        place = bisect_left(self._keys, key)
        self.events.insert(place, event)
        self._keys.insert(place, key)
        removed = [self.last]
        state = self._effects[place - 1].state if place else self.settled
        known = self._effects
        effects: list[Effect] = []
        for number in range(place, len(self.events)):
            effect = advance(state, self.events[number])
            effects.append(effect)
            if number > place and effect == known[number - 1]:
                # From here on everything is as before.
                effects.pop()
                break
            state = effect.state
        gone = len(effects) - 1
        removed += known[place : place + gone]
        known[place : place + gone] = effects
        return removed, [*effects, self.last]

    def settle(self, before_ms: int) -> None:
        """Forget the events before an instant; only their state is kept. None can come before it."""
        count = 0
        while count < len(self.events) and self.events[count].time_ms < before_ms:
            count += 1
        if count:
            self.settled = self._effects[count - 1].state
            del self.events[:count], self._keys[:count], self._effects[:count]
        ends_ms = self.settled.ends_ms
        if ends_ms is not None and ends_ms < before_ms:
            self.settled = _over(self.settled, ends_ms)
            if self.events:
                self._effects[0] = advance(self.settled, self.events[0])

    def pays_at(self, time_ms: int) -> bool:
        """Return whether it is paid at an instant, which is not before its settled state."""
        count = 0
        while count < len(self.events) and self.events[count].time_ms <= time_ms:
            count += 1
        state = self._effects[count - 1].state if count else self.settled
        has_ended = state.ends_ms is not None and state.ends_ms <= time_ms
        return state.paid is not None and not has_ended
