"""Applies what only few types of events count: content clicks, subscriptions, histories, event counters."""

from typing import Any

from schemas.codec import epoch_ms
from schemas.events import Event
from schemas.events.orders import AddToCart, CheckoutStarted, Order, RemoveFromCart
from stream.counters.calendar import DAY_MS
from stream.counters.measures import CROWDED_EVENTS, MICROS
from stream.counters.segments import SegmentSet
from stream.engine.event_rules import EventRule
from stream.engine.state import ShardState
from stream.history.aggregates.aggregate import Aggregate
from stream.history.contributions import Contributions
from stream.history.customer import Customer
from stream.history.events import HISTORY_MAX, HistoryEntry
from stream.history.learning import learn
from stream.history.subscriptions import CANCELLED_AT_ONCE, EDITION, FREE, SubscriptionEvent
from stream.people.person import BITMAP_DAYS, Person

#: A cancellation that takes effect later than this is cut to it: the date may be a placeholder.
_FAR_AHEAD_MS = 3_660 * DAY_MS

_WITH_CART = (AddToCart, RemoveFromCart, CheckoutStarted, Order)


def apply_person_event(
    state: ShardState,
    person: Person,
    segment_set: SegmentSet,
    rule: EventRule,
    event: Event,
    time_ms: int,
) -> None:
    """Count what an event adds about its person beyond activity and sessions."""
    if rule.click:
        state.activity.mark_click(person, segment_set, segment_set.calendar.day_of(time_ms))
    elif rule.subscription:
        _subscribe(state, person, segment_set, rule.subscription, event, time_ms)
    activation = state.rules.activation
    if rule.activating and rule.active and activation is not None:
        settled_ms = _settled_ms(state, time_ms)
        change = activation.learn(person, segment_set, event, time_ms, settled_ms, state.registry)
        counts = _counts_of(state)
        for (measure, segment, _, day), count in change.items():
            counts.on(measure, segment, day, count)
        _note_range(state, person, counts)
    for aggregate in rule.aggregates:
        _learn(state, person, segment_set, aggregate, event, time_ms)
    if isinstance(event, _WITH_CART) and event.cart_id is not None:
        state.id_changes.carts.note(event.cart_id, person.key)


def count_event(
    state: ShardState, rule: EventRule, event: Any, segment_set: SegmentSet, time_ms: int
) -> None:
    """Count what an event adds by itself, for its segment set and its own segments."""
    at = state.contributions.at
    for counter in rule.event_counters:
        counted = tuple(counter.counts(event))
        for measure, count in counted:
            at(measure, segment_set, time_ms, count)
        for dimension, value in counter.own_segments(event):
            segment = state.registry.own_segment(event.site, dimension, value)
            for measure, count in counted:
                at(measure, segment, time_ms, count)


def _learn(
    state: ShardState,
    person: Person,
    segment_set: SegmentSet,
    aggregate: Aggregate,
    event: Any,
    time_ms: int,
) -> None:
    """Add an event to its person's history of an aggregate, and count the difference."""
    kept = aggregate.entry(event)
    if kept is None:
        return
    if aggregate.shifts_time:
        time_ms = aggregate.entry_ms(time_ms, segment_set.calendar)
    entry: HistoryEntry = (time_ms, segment_set.id, *kept)
    name = aggregate.name
    known = person.history.get(name)
    counts = _counts_of(state)
    index = person.indexes.get(name)
    settled_ms = _settled_ms(state, time_ms)
    learned = learn(known, entry, settled_ms, aggregate, state.registry, counts, index)
    if learned.is_crowded:
        counts.at(CROWDED_EVENTS, segment_set, time_ms)
    if learned.entries is not known:
        person.history = {**person.history, name: learned.entries}
    if learned.kept_index is not index:
        person.indexes = {**person.indexes, name: learned.kept_index}
    if len(learned.entries) >= HISTORY_MAX:
        person.full |= {name}
    _note_range(state, person, counts)


def _settled_ms(state: ShardState, time_ms: int) -> int:
    """Return the instant before which no event can arrive after an event at `time_ms`."""
    # The log clock is that of the end of the batch, which may be months ahead of this event.
    return min(state.batch_oldest_ms, time_ms - state.rules.horizon_ms)


def _counts_of(state: ShardState) -> Contributions:
    """Return where the changes of a person's counts go: to those of the shard, or first to a range of days."""
    return state.contributions if state.range_people is None else Contributions()


def _note_range(state: ShardState, person: Person, counts: Contributions) -> None:
    """Hand the changes of a person's counts to the range of a report, if there is one."""
    if state.range_people is not None:
        state.range_people.add(person.key, counts)
        state.contributions.merge(counts)


def _subscribe(
    state: ShardState,
    person: Person,
    segment_set: SegmentSet,
    kind: str,
    event: Any,
    time_ms: int,
) -> None:
    """Add a subscription event to its customer, and count the difference."""
    if event.subscription_id is None:
        return  # A renewal without an id changes no subscription.
    customer = person.customer
    if customer is None:
        customer = person.customer = Customer.restored(person.subscriptions, state.registry)
        person.subscriptions = []
    calendar = segment_set.calendar
    day = calendar.day_of(_settled_ms(state, time_ms))
    if state.churn_risk is not None:
        # The churn model asks who paid, as far back as the active days of people reach.
        day = min(day, max(state.churn_risk.next_day, BITMAP_DAYS))
    customer.settle(day - BITMAP_DAYS, calendar)
    counts = _counts_of(state)
    customer.add(_subscription_event(state, segment_set, kind, event, time_ms), counts)
    _note_range(state, person, counts)


def _subscription_event(
    state: ShardState, segment_set: SegmentSet, kind: str, event: Any, time_ms: int
) -> SubscriptionEvent:
    """Return what is kept of a subscription event; `churn.effective` and `churn.grace_period_days` apply."""
    given = getattr(event, "effective_at", None)
    effective_ms = None if given is None else min(epoch_ms(given), time_ms + _FAR_AHEAD_MS)
    is_involuntary = state.rules.is_involuntary(getattr(event, "reason", None))
    churn = state.rules.settings.churn
    is_at_request = kind == "cancelled" and churn.effective == "request"
    if is_involuntary and churn.grace_period_days:
        # As a cancellation for later: until then they are customers, and a renewal takes it back.
        ends_ms = time_ms if is_at_request else max(effective_ms or 0, time_ms)
        kind, effective_ms = "cancelled", ends_ms + churn.grace_period_days * DAY_MS
    elif is_at_request:
        kind = CANCELLED_AT_ONCE
    mrr = getattr(event, "mrr", None)
    mrr_micros = None if mrr is None else round(mrr * MICROS)
    if churn.free_is_churn and mrr_micros == 0:
        mrr_micros = FREE
    return SubscriptionEvent(
        time_ms,
        kind,
        event.subscription_id,
        mrr_micros,
        getattr(event, "trial", None),
        effective_ms,
        _with_plan(state, segment_set, event).id,
        is_involuntary,
        EDITION,
    )


def _with_plan(state: ShardState, segment_set: SegmentSet, event: Any) -> SegmentSet:
    """Return the segment set with the event's plan, if `plan` is a dimension and the context has none."""
    plan = getattr(event, "plan", None)
    context = event.context or {}
    if not plan or "plan" not in state.registry.dimensions or "plan" in context:
        return segment_set
    return state.registry.segment_set_of(event.site, {**context, "plan": plan})
