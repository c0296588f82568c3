"""Days of one customer in a group of segments: when they pay and how much, and the counts that this adds."""

from bisect import insort
from collections.abc import Iterator
from typing import NamedTuple

from stream.counters import measures
from stream.counters.segments import Group
from stream.history.contributions import Contributions
from stream.history.groups import GroupState
from stream.history.subscriptions import Step

#: Length of the rolling churn window in days.
CHURN_DAYS = 30
#: Measures of a start that follows an earlier stay, and of a customer's first.
_AGAIN = measures.CUSTOMER_STARTS, measures.CUSTOMERS_CHANGE
_FIRST = *_AGAIN, measures.FIRST_STARTS


class Stay(NamedTuple):
    """Days as a customer, from `start` to the day before `end`; end None: still a customer."""

    start: int
    end: int | None
    #: It is the customer's first one.
    is_first: bool
    #: It began before the days that are kept.
    is_carried: bool = False


class CustomerDays(GroupState):
    """Changes that the subscriptions of a customer make in a group of segments, day by day.

    The days before the first kept one are folded into three numbers.
    """

    __slots__ = ("_ends", "_mrr", "_paid", "paid", "since", "was_customer")

    def __init__(
        self, group: Group, paid: int = 0, since: int = 0, was_customer: bool = False
    ) -> None:
        super().__init__(group)
        #: Paid subscriptions before the kept days.
        self.paid = paid
        #: Day on which the stay began that they belong to.
        self.since = since
        #: Whether a stay began before the kept days.
        self.was_customer = was_customer
        #: Day → change of the number of paid subscriptions.
        self._paid: dict[int, int] = {}
        #: Day → change of the monthly revenue in millionths.
        self._mrr: dict[int, int] = {}
        #: Day → (time, involuntary) of each end of payment, in order.
        self._ends: dict[int, list[tuple[int, bool]]] = {}

    def new(self, group: Group) -> "CustomerDays":
        """Return the state of a group without subscriptions."""
        return CustomerDays(group)

    def copy(self, group: Group) -> "CustomerDays":
        """Return a copy for a part of the group."""
        found = CustomerDays(group, self.paid, self.since, self.was_customer)
        found._paid, found._mrr = self._paid.copy(), self._mrr.copy()
        found._ends = {day: ends[:] for day, ends in self._ends.items()}
        return found

    def add(self, step: Step, times: int) -> None:
        """Add a step of a subscription's payment; `times` −1 takes it away."""
        day = self.group.calendar.day_of(step.time_ms)
        change = (step.mrr_micros or 0) - (step.before or 0)
        _change(self._mrr, day, times * change)
        paid = (step.mrr_micros is not None) - (step.before is not None)
        _change(self._paid, day, times * paid)
        if step.mrr_micros is None:
            ends = self._ends.setdefault(day, [])
            end = step.time_ms, step.involuntary
            if times > 0:
                insort(ends, end)
            else:
                ends.remove(end)

    def fold(self, first_day: int) -> None:
        """Fold the days before `first_day`: none of them can change any more."""
        for day in sorted(day for day in self._paid if day < first_day):
            before = self.paid
            self.paid += self._paid.pop(day)
            if not before and self.paid:
                self.since, self.was_customer = day, True
        for days in (self._mrr, self._ends):
            for day in [day for day in days if day < first_day]:
                del days[day]

    def stays(self) -> Iterator[Stay]:
        """Yield the runs of days at whose end a subscription is paid, the present or last one last.

        An end and a start on one day are a change of plan. A day that begins and ends unpaid is none.
        """
        paid, start = self.paid, self.since
        is_first, is_carried = not self.was_customer, bool(paid)
        for day in sorted(self._paid):
            before, paid = paid, paid + self._paid[day]
            if before and not paid:
                yield Stay(start, day, is_first, is_carried)
                is_first = is_carried = False
            elif paid and not before:
                start = day
        if paid:
            yield Stay(start, None, is_first, is_carried)

    def count(self, counts: Contributions, times: int, first_day: int = 0) -> None:
        """Add what the kept days from `first_day` on contribute; `times` −1 takes it away.

        A change on a day leaves the contributions of the days before it as they are.
        """
        group = self.group
        starts: dict[int, bool] = {}
        ended: set[int] = set()
        for stay in self.stays():
            if not stay.is_carried and stay.start >= first_day:
                starts[stay.start] = stay.is_first
                for measure in _FIRST if stay.is_first else _AGAIN:
                    counts.on(measure, group, stay.start, times)
            if stay.end is not None and stay.end >= first_day:
                ended.add(stay.end)
                self._count_end(counts, stay.start, stay.end, times)
        for day, change in self._mrr.items():
            if day < first_day:
                continue
            counts.on(measures.MRR_CHANGE_MICROS, group, day, times * change)
            measure = _movement(change, starts.get(day), day in ended)
            counts.on(measure, group, day, times * abs(change))

    def _count_end(self, counts: Contributions, start: int, end: int, times: int) -> None:
        counts.on(measures.CUSTOMER_ENDS, self.group, end, times)
        counts.on(measures.CUSTOMERS_CHANGE, self.group, end, -times)
        self._count_lost(counts, start, end, times, measures.LOST_30D, measures.LOST_MONTH)
        # The last subscription to end on the day gives the reason.
        if self._ends[end][-1][1]:
            counts.on(measures.INVOLUNTARY_ENDS, self.group, end, times)
            self._count_lost(
                counts, start, end, times,
                measures.LOST_INVOLUNTARY_30D, measures.LOST_INVOLUNTARY_MONTH,
            )  # fmt: skip

    def _count_lost(
        self, counts: Contributions, start: int, end: int, times: int, rolling: str, monthly: str
    ) -> None:
        """Count the customer as lost in each window that they began as a customer and in which they left."""
        first = max(end, start + CHURN_DAYS)
        counts.during(rolling, self.group, first, end + CHURN_DAYS - 1, times)
        month = self.group.calendar.month_of(end)
        if start < month:
            counts.on(monthly, self.group, month, times)


def _movement(change: int, is_first: bool | None, is_end: bool) -> str:
    """Return the cause of a day's change of a customer's revenue; `is_first` None: no stay begins."""
    if is_end:
        return measures.MRR_CHURNED_MICROS
    if is_first is not None:
        return measures.MRR_NEW_MICROS if is_first else measures.MRR_REACTIVATED_MICROS
    return measures.MRR_EXPANDED_MICROS if change > 0 else measures.MRR_CONTRACTED_MICROS


def _change(days: dict[int, int], day: int, change: int) -> None:
    found = days.get(day, 0) + change
    if found:
        days[day] = found
    else:
        days.pop(day, None)
