"""One customer: a person's subscriptions, and the counts that they contribute together.

The counts are a pure function of the set of events. A new event counts only the difference, so late and
reordered events give the same numbers. Its cost does not grow with the events before it: one
subscription is renewed from the event on, and days are added up, not events.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.segments import Segment, SegmentRegistry, SegmentSet
from stream.history.contributions import Contributions, Expanded
from stream.history.customer_days import CustomerDays
from stream.history.groups import Groups, segments_of
from stream.history.subscriptions import (
    KNOWN_MS,
    Effect,
    State,
    Subscription,
    SubscriptionEvent,
    in_order,
)

#: Stored among the events, in the place of their kind: the settled state of a subscription, and the
#: folded days of a segment.
_SETTLED, _FOLDED = "settled", "folded"


class Customer:
    """The subscriptions of one person of a site."""

    __slots__ = ("_days", "_moving", "_registry", "_settled_day", "_subscriptions")

    def __init__(self, registry: SegmentRegistry) -> None:
        self._registry = registry
        self._subscriptions: dict[str, Subscription] = {}
        self._days: Groups[CustomerDays] | None = None
        #: Subscriptions with events, or with an end to come: the others are settled.
        self._moving: set[str] = set()
        self._settled_day = 0

    @classmethod
    def restored(cls, stored: Iterable[Sequence[Any]], registry: SegmentRegistry) -> "Customer":
        """Restore a customer from what `stored` returned, or from plain events."""
        customer = cls(registry)
        folded: dict[tuple[Any, ...], list[Segment]] = {}
        for fields in stored:
            if fields[1] == _SETTLED:
                customer._load_folded(folded)
                course = Subscription(State(*fields[3:]))
                customer._subscriptions[fields[2]] = course
                customer._moving.add(fields[2])
                customer._change([], [course.last])
            elif fields[1] == _FOLDED:
                folded.setdefault(tuple(fields[4:]), []).append(registry.segment(fields[3]))
            else:
                customer._load_folded(folded)
                customer._change(*customer._place(SubscriptionEvent(*fields)))
        customer._load_folded(folded)
        return customer

    def _load_folded(self, folded: dict[tuple[Any, ...], list[Segment]]) -> None:
        """Take in the folded days of segments; equal ones are one group again."""
        for fields, segments in folded.items():
            group = SegmentSet(0, segments[0].site, tuple(segments))
            days = CustomerDays(group, *fields)
            if self._days is None:
                self._days = Groups(days)
            self._days.put(days)
        folded.clear()

    def stored(self, oldest_ms: int) -> list[tuple[Any, ...]]:
        """Return the events that can still matter, and what the others amount to.

        No event before `oldest_ms` can arrive any more.
        """
        found: list[tuple[Any, ...]] = [
            (0, _FOLDED, "", segment.id, days.paid, days.since, days.was_customer)
            for days in self._all_days()
            if days.paid or days.was_customer
            for segment in segments_of(days.group)
        ]
        for name, course in self._subscriptions.items():
            settled = course.settled
            if course.events or settled.live or settled.over_ms >= oldest_ms - KNOWN_MS:
                if settled.segment_set_id is not None:
                    found.append((0, _SETTLED, name, *settled))
                found += map(tuple, course.events)
        return found

    def add(self, event: SubscriptionEvent, counts: Contributions) -> None:
        """Add an event, and count the change."""
        removed, added = self._place(event)
        if removed[0] == added[-1]:
            removed, added = removed[1:], added[:-1]
        self._count_change(removed, added, counts)
        for effects, times in ((removed, -1), (added, 1)):
            for effect in effects:
                if effect.unmatched_id is not None:
                    segment_set = self._registry.by_id(effect.unmatched_id)
                    counts.ever(measures.UNMATCHED_EVENTS, segment_set, times)

    def _count_change(
        self, removed: Sequence[Effect], added: Sequence[Effect], counts: Contributions
    ) -> None:
        """Renew the days of the groups in which a step changes, and count the difference."""
        steps = [step for effect in (*removed, *added) for step in effect.steps]
        if not steps:
            return
        ids = {step.segment_set_id for step in steps}
        for segment_set_id in ids:
            self._days_of(segment_set_id)
        changed: list[CustomerDays] = []
        # A second look, as the later ones may have split groups of the earlier ones.
        for segment_set_id in ids:
            changed += [days for days in self._days_of(segment_set_id) if days not in changed]
        calendar = changed[0].group.calendar
        first_day = min([calendar.day_of(step.time_ms) for step in steps])
        for days in changed:
            days.count(counts, -1, first_day)
        self._change(removed, added)
        for days in changed:
            days.count(counts, 1, first_day)

    def settle(self, first_day: int, calendar: Calendar) -> None:
        """Fold what came before a day: no such event can arrive any more."""
        if first_day <= self._settled_day:
            return
        self._settled_day = first_day
        before_ms = calendar.day_start_ms(first_day)
        for name in list(self._moving):
            course = self._subscriptions[name]
            course.settle(before_ms)
            if not course.events and course.settled.ends_ms is None:
                self._moving.discard(name)
                if course.settled.segment_set_id is None:
                    del self._subscriptions[name]
        for days in self._all_days():
            days.fold(first_day)

    def _place(self, event: SubscriptionEvent) -> tuple[list[Effect], list[Effect]]:
        """Put an event into its subscription; return the effects that it removes, and those it adds."""
        name = event.subscription_id
        course = self._subscriptions.get(name)
        if course is None:
            course = self._subscriptions[name] = Subscription()
        self._moving.add(name)
        order = self._registry.by_id(event.segment_set_id).order
        return course.add(event, in_order(event, order))

    def _change(self, removed: Sequence[Effect], added: Sequence[Effect]) -> None:
        for effects, times in ((removed, -1), (added, 1)):
            for effect in effects:
                for step in effect.steps:
                    for days in self._days_of(step.segment_set_id):
                        days.add(step, times)

    def _days_of(self, segment_set_id: int) -> list[CustomerDays]:
        segment_set = self._registry.by_id(segment_set_id)
        if self._days is None:
            self._days = Groups(CustomerDays(segment_set))
        return self._days.of(segment_set)

    def _all_days(self) -> Sequence[CustomerDays]:
        return () if self._days is None else self._days.all

    def days(self, segment: Segment) -> CustomerDays:
        """Return the days of a segment."""
        for days in self._all_days():
            if segment in segments_of(days.group):
                return days
        return CustomerDays(segment)


def contributions(events: Iterable[SubscriptionEvent], registry: SegmentRegistry) -> Expanded:
    """Return what one customer's events add to the counts."""
    customer, counts = Customer(registry), Contributions()
    for event in events:
        customer.add(event, counts)
    return counts.expanded()


def pays_at(stored: Iterable[Sequence[Any]], time_ms: int) -> bool:
    """Return whether a stored customer pays for a subscription at an instant in epoch ms."""
    courses: dict[str, Subscription] = {}
    for fields in stored:
        if fields[1] == _SETTLED:
            courses[fields[2]] = Subscription(State(*fields[3:]))
        elif fields[1] != _FOLDED:
            event = SubscriptionEvent(*fields)
            course = courses.setdefault(event.subscription_id, Subscription())
            course.add(event, in_order(event))
    return any(course.pays_at(time_ms) for course in courses.values())
