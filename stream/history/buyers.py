"""Index of a person's orders: by order, and by group of segments their times, days and spending."""

from bisect import bisect_left, insort
from collections.abc import Sequence

from stream.counters.calendar import month_of
from stream.counters.measures import UNMATCHED_EVENTS
from stream.counters.segments import Group, SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.distinct_days import DayWindows, DistinctDays
from stream.history.events import FieldsKey, HistoryEntry, Index
from stream.history.groups import Groups, GroupState
from stream.history.order import EntryOrder
from stream.history.purchases import (
    BUYERS_28D,
    BUYERS_DAY,
    BUYERS_MONTH,
    BUYERS_TO_DATE,
    NEW_BUYERS,
    ORDERED_MICROS,
    ORDERS,
    REFUNDED_MICROS,
    REVENUE_MICROS,
    REVENUE_TO_DATE_MICROS,
    Returned,
    Sale,
    is_forgotten,
    is_refund,
    sale_of,
)
from stream.history.spending import YEAR_DAYS, Spending


class OrderIndex(Index):
    """A person's orders. A new entry changes one order, and its neighbours in each group of segments."""

    __slots__ = ("_buyers", "_entries", "_fields", "_registry", "_sales", "_to_date")

    def __init__(self, registry: SegmentRegistry, fields: FieldsKey, to_date: bool) -> None:
        self._registry = registry
        self._fields = fields
        self._to_date = to_date
        self._entries: dict[bytes, list[HistoryEntry]] = {}
        self._sales: dict[bytes, Sale] = {}
        self._buyers: Groups[_Buyer] | None = None

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        for entry in entries:
            if is_forgotten(entry):
                for buyer in self._buyers_of(entry[1]):
                    buyer.forget(entry[3])
            else:
                self._entries.setdefault(entry[3], []).append(entry)
        for order, of_order in self._entries.items():
            sale = sale_of(of_order)
            if sale is not None:
                self._sales[order] = sale
                self._count(sale, 1, None)

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count what it changes of its order."""
        order: bytes = entry[3]
        entries = self._entries.get(order)
        if entries is None:
            entries = self._entries[order] = []
        sale = self._sales.get(order)
        place = 0
        if entries:
            place = EntryOrder(self._registry, self._fields).place(entries, entry)
        entries.insert(place, entry)
        if sale is None:
            self._begin(order, entry, counts)
        elif is_refund(entry):
            later = [one for one in entries[place + 1 :] if is_refund(one)]
            self._change_refunds(sale, sale.insert(entry, later), counts)
        else:
            changed = sale_of(entries)
            if changed is not None and not sale.equals(changed):
                self._sales[order] = changed
                self._count(sale, -1, counts)
                self._count(changed, 1, counts)

    def _begin(self, order: bytes, entry: HistoryEntry, counts: Contributions) -> None:
        """Count the first order of an id, or a refund without an order, which is unmatched until then."""
        if is_refund(entry):
            self._count_unmatched(entry, 1, counts)
            return
        entries = self._entries[order]
        sale = sale_of(entries)
        if sale is None:
            return
        self._sales[order] = sale
        self._count(sale, 1, counts)
        for known in entries:
            if is_refund(known):
                self._count_unmatched(known, -1, counts)

    def _count(self, sale: Sale, by: int, counts: Contributions | None) -> None:
        """Count an order with its refunds, or take it back (`by` is -1)."""
        for buyer in self._buyers_of(sale.segment_set_id):
            buyer.count(sale, by, counts)
        if counts is not None:
            self._count_money(sale, by, counts)
            for refund in sale.refunds:
                self._count_refund(sale, refund, by, counts)

    def _change_refunds(
        self, sale: Sale, changed: tuple[list[Returned], list[Returned]], counts: Contributions
    ) -> None:
        """Count other refunds of an order than before."""
        for refunds, by in ((changed[0], -1), (changed[1], 1)):
            for refund in refunds:
                for buyer in self._buyers_of(sale.segment_set_id):
                    buyer.count_refund(sale, refund, by, counts)
                self._count_refund(sale, refund, by, counts)

    def _buyers_of(self, segment_set_id: int) -> "list[_Buyer]":
        segment_set = self._registry.by_id(segment_set_id)
        if self._buyers is None:
            self._buyers = Groups(_Buyer(segment_set, self._to_date))
        return self._buyers.of(segment_set)

    def _count_unmatched(self, refund: HistoryEntry, by: int, counts: Contributions) -> None:
        counts.at(UNMATCHED_EVENTS, self._registry.by_id(refund[1]), refund[0], by)

    def _count_money(self, sale: Sale, by: int, counts: Contributions) -> None:
        segment_set = self._registry.by_id(sale.segment_set_id)
        counts.at(ORDERS, segment_set, sale.time_ms, by)
        counts.at(ORDERED_MICROS, segment_set, sale.time_ms, by * sale.micros)
        counts.at(REVENUE_MICROS, segment_set, sale.time_ms, by * sale.micros)
        if self._to_date:
            day = segment_set.calendar.day_of(sale.time_ms)
            counts.on(REVENUE_TO_DATE_MICROS, segment_set, day, by * sale.micros)

    def _count_refund(self, sale: Sale, refund: Returned, by: int, counts: Contributions) -> None:
        segment_set = self._registry.by_id(sale.segment_set_id)
        time_ms, micros = refund
        counts.at(REFUNDED_MICROS, segment_set, time_ms, by * micros)
        counts.at(REVENUE_MICROS, segment_set, time_ms, -by * micros)
        if self._to_date:
            day = segment_set.calendar.day_of(time_ms)
            counts.on(REVENUE_TO_DATE_MICROS, segment_set, day, -by * micros)


class _Buyer(GroupState):
    """A person's orders in a group of segments."""

    __slots__ = ("_days", "_spending", "_times", "_to_date")

    def __init__(self, group: Group, to_date: bool) -> None:
        super().__init__(group)
        self._to_date = to_date
        #: Times of the orders, sorted.
        self._times: list[int] = []
        self._days = DistinctDays(group, _WINDOWS)
        self._spending = Spending()

    def new(self, group: Group) -> "_Buyer":
        """Return the state of a group without orders."""
        return _Buyer(group, self._to_date)

    def copy(self, group: Group) -> "_Buyer":
        """Return a copy for a part of the group."""
        found = _Buyer(group, self._to_date)
        found._times = self._times[:]
        found._days = self._days.copy(group)
        found._spending = self._spending.copy()
        return found

    def count(self, sale: Sale, by: int, counts: Contributions | None) -> None:
        """Count an order with its refunds, or take it back (`by` is -1)."""
        group = self._days.group = self.group
        day = group.calendar.day_of(sale.time_ms)
        self._days.change(day, by, counts)
        self._change_times(sale.time_ms, by, counts)
        self._spending.add(group, day, day + YEAR_DAYS, by, by * sale.micros, counts)
        for refund in sale.refunds:
            self.count_refund(sale, refund, by, counts)

    def forget(self, first_ms: int) -> None:
        """Note the first of the orders that are forgotten."""
        insort(self._times, first_ms)

    def count_refund(
        self, sale: Sale, refund: Returned, by: int, counts: Contributions | None
    ) -> None:
        """Take a refund from what was spent, until the day on which its order leaves the year."""
        calendar = self.group.calendar
        end = calendar.day_of(sale.time_ms) + YEAR_DAYS
        day = calendar.day_of(refund[0])
        if day < end:
            self._spending.add(self.group, day, end, 0, -by * refund[1], counts)

    def _change_times(self, time_ms: int, by: int, counts: Contributions | None) -> None:
        """Add or remove the time of an order; the first one makes its person a new buyer."""
        times = self._times
        before = times[0] if times else -1
        if by > 0:
            insort(times, time_ms)
        else:
            del times[bisect_left(times, time_ms)]
        after = times[0] if times else -1
        if counts is None or before == after:
            return
        if before >= 0:
            self._count_first(before, -1, counts)
        if after >= 0:
            self._count_first(after, 1, counts)

    def _count_first(self, time_ms: int, by: int, counts: Contributions) -> None:
        counts.at(NEW_BUYERS, self.group, time_ms, by)
        if self._to_date:
            counts.on(BUYERS_TO_DATE, self.group, self.group.calendar.day_of(time_ms), by)


_WINDOWS = DayWindows(((1, BUYERS_DAY), (28, BUYERS_28D)), ((BUYERS_MONTH, month_of),))
