"""What only few types of events count: clicks on content, subscriptions, themes of facts, and tallies."""

from typing import TYPE_CHECKING, Any

from schemas.codec import epoch_ms
from schemas.events import Event
from stream.counters.calendar import DAY_MS
from stream.counters.measures import MICROS, Grain
from stream.counters.segments import Profile
from stream.engine.event_rules import Plan
from stream.history.events import Contributions, Daily, Theme, learn
from stream.history.subscriptions import CANCELLED_AT_ONCE, SubscriptionEvent, contributions
from stream.people.person import Person

if TYPE_CHECKING:
    from stream.engine.shard import Shard

#: A cancellation further ahead than this is one for ever.
_FAR_AHEAD_MS = 3_660 * DAY_MS


def count_more(
    shard: "Shard", person: Person, profile: Profile, plan: Plan, event: Event, time_ms: int
) -> None:
    """Count what the event adds about its person."""
    if plan.click:
        shard.activity.mark_click(person, profile, profile.calendar.day_of(time_ms))
    elif plan.subscription:
        _subscribe(shard, person, profile, plan.subscription, event, time_ms)
    activation = shard.rules.activation
    if plan.activating and plan.active and activation is not None:
        settled_ms = _settled_ms(shard, time_ms)
        change, capped = activation.learn(person, profile, event, time_ms, settled_ms, shard.names)
        _count(shard, change)
        shard.facts_capped += capped
    for theme in plan.themes:
        _learn(shard, person, profile, theme, event, time_ms)


def tally(shard: "Shard", plan: Plan, event: Any, profile: Profile, minute: int) -> None:
    """Count what the event adds whoever it is of."""
    for one in plan.tallies:
        segments = [shard.names.side(event.site, *side) for side in one.sides(event)]
        for measure, count in one.counts(event):
            shard.counters.add(measure, profile, minute, count)
            for segment in segments:
                shard.counters.add(measure, segment, minute, count)


def _learn(
    shard: "Shard", person: Person, profile: Profile, theme: Theme, event: Any, time_ms: int
) -> None:
    """Add an event to what a theme knows of its person, and count what that changes."""
    kept = theme.fact(event)
    if kept is None:
        return
    if isinstance(theme, Daily):
        calendar = profile.calendar
        time_ms = calendar.day_start_ms(calendar.day_of(time_ms))
    settled_ms = _settled_ms(shard, time_ms)
    known = person.facts.get(theme.name, ())
    new = (time_ms, profile.id, *kept)
    facts, change, capped = learn(known, new, settled_ms, theme, shard.names)
    person.facts = {**person.facts, theme.name: facts}
    shard.facts_capped += capped
    _count(shard, change)


def _settled_ms(shard: "Shard", time_ms: int) -> int:
    """No event before this instant can arrive after an event of `time_ms`."""
    # The shard's clock is at the end of the batch already, which may be months ahead of this event.
    return min(shard.oldest_ms(), time_ms - shard.rules.horizon_ms)


def _count(shard: "Shard", change: Contributions) -> None:
    for (measure, segment, grain, index), count in change.items():
        if count:
            shard.counters.add_in(grain, index, measure, segment, count)


def _subscribe(
    shard: "Shard", person: Person, profile: Profile, kind: str, event: Any, time_ms: int
) -> None:
    """Add a subscription event to its customer, and count what that changes."""
    if event.subscription_id is None:
        return  # A renewal of who knows what changes nothing that is counted.
    plan = getattr(event, "plan", None)
    if plan and "plan" in shard.names.dimensions and "plan" not in (event.context or {}):
        profile = shard.names.profile_of(event.site, {**(event.context or {}), "plan": plan})
    given = getattr(event, "effective_at", None)
    effective = None if given is None else min(epoch_ms(given), time_ms + _FAR_AHEAD_MS)
    involuntary = shard.rules.is_involuntary(getattr(event, "reason", None))
    at_once = kind == "cancelled" and shard.rules.cancels_at_once
    if involuntary and shard.rules.grace_ms:
        # As if they had cancelled for later: until then they are customers, and a renewal undoes it.
        ends = time_ms if at_once else max(effective or 0, time_ms)
        kind, effective = "cancelled", ends + shard.rules.grace_ms
    elif at_once:
        kind = CANCELLED_AT_ONCE
    new = SubscriptionEvent(
        time_ms,
        kind,
        event.subscription_id,
        round(getattr(event, "mrr", 0) * MICROS),
        bool(getattr(event, "trial", False)),
        effective,
        profile.id,
        involuntary,
    )
    before = [SubscriptionEvent(*fields) for fields in person.subscriptions]
    after = [*before, new]
    person.subscriptions = [tuple(event) for event in after]
    change = contributions(after, shard.names)
    change.subtract(contributions(before, shard.names))
    for (measure, segment, day), count in change.items():
        if count:
            shard.counters.add_range(Grain.DAY, measure, segment, day, day, count)
