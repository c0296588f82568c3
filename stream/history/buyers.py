"""Index of a person's orders: by order, and by segment their times, days and spending."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from stream.counters.measures import UNMATCHED_EVENTS
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.distinct_days import DistinctDays
from stream.history.events import Contributions, HistoryEntry, at, on
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


class OrderIndex:
    """A person's orders. A new entry changes one order, and its neighbours in each segment."""

    def __init__(self, registry: SegmentRegistry, order: EntryOrder, to_date: bool) -> None:
        self._registry = registry
        self._order = order
        self._to_date = to_date
        self._entries: dict[bytes, list[HistoryEntry]] = {}
        self._sales: dict[bytes, Sale | None] = {}
        self._buyers: dict[Segment, _Buyer] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        for entry in entries:
            if is_forgotten(entry):
                for segment in self._registry.by_id(entry[1]).segments:
                    self._buyer(segment).forget(entry[3])
            else:
                self._entries.setdefault(entry[3], []).append(entry)
        for order, of_order in self._entries.items():
            sale = self._sales[order] = sale_of(of_order)
            self._count(sale, 1, None)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        counts: Contributions = Contributions()
        for entry in new:
            self._add(entry, counts)
        return counts

    def _add(self, entry: HistoryEntry, counts: Contributions) -> None:
        order = entry[3]
        entries, sale = self._entries.setdefault(order, []), self._sales.get(order)
        place = self._order.place(entries, entry)
        entries.insert(place, entry)
        if sale is None:
            self._begin(order, entry, counts)
        elif is_refund(entry):
            before, after = sale.insert(
                entry, [one for one in entries[place + 1 :] if is_refund(one)]
            )
            for buyer in self._buyers_of(sale):
                buyer.change_refunds(sale, before, after, counts)
        else:
            changed = self._sales[order] = sale_of(entries)
            if not sale.equals(changed):
                self._count(sale, -1, counts)
                self._count(changed, 1, counts)

    def _begin(self, order: bytes, entry: HistoryEntry, counts: Contributions) -> None:
        """Count the first order of an id, or a refund without an order, which is unmatched until then."""
        if is_refund(entry):
            self._count_unmatched(entry, 1, counts)
            return
        self._sales[order] = sale_of(self._entries[order])
        self._count(self._sales[order], 1, counts)
        for known in self._entries[order]:
            if is_refund(known):
                self._count_unmatched(known, -1, counts)

    def _count(self, sale: Sale | None, by: int, counts: Contributions | None) -> None:
        if sale is not None:
            for buyer in self._buyers_of(sale):
                buyer.count(sale, by, counts)

    def _buyers_of(self, sale: Sale) -> Iterator["_Buyer"]:
        for segment in self._registry.by_id(sale.segment_set_id).segments:
            yield self._buyer(segment)

    def _buyer(self, segment: Segment) -> "_Buyer":
        found = self._buyers.get(segment)
        if found is None:
            found = self._buyers[segment] = _Buyer(segment, self._to_date)
        return found

    def _count_unmatched(self, refund: HistoryEntry, by: int, counts: Contributions) -> None:
        for segment in self._registry.by_id(refund[1]).segments:
            at(counts, UNMATCHED_EVENTS, segment, refund[0], by)


class _Buyer:
    """A person's orders in one segment."""

    __slots__ = ("_days", "_segment", "_spending", "_times", "_to_date")

    def __init__(self, segment: Segment, to_date: bool) -> None:
        self._segment = segment
        self._to_date = to_date
        #: Times of the orders, sorted.
        self._times: list[int] = []
        rolling = {1: BUYERS_DAY, 28: BUYERS_28D}
        self._days = DistinctDays(segment, rolling, {BUYERS_MONTH: segment.calendar.month_of})
        self._spending = Spending(segment)

    def count(self, sale: Sale, by: int, counts: Contributions | None) -> None:
        """Count an order with its refunds, or take it back (`by` is -1)."""
        day = self._segment.calendar.day_of(sale.time_ms)
        (self._days.add if by > 0 else self._days.remove)(day, counts)
        self._change_times(sale.time_ms, by, counts)
        self._spending.add(day, day + YEAR_DAYS, by, by * sale.micros, counts)
        for refund in sale.refunds:
            self._spend_less(day + YEAR_DAYS, refund, by, counts)
        if counts is not None:
            self._count_money(counts, sale, by)
            for refund in sale.refunds:
                self._count_refund(counts, refund, by)

    def change_refunds(
        self,
        sale: Sale,
        before: Sequence[Returned],
        after: Sequence[Returned],
        counts: Contributions,
    ) -> None:
        """Count other refunds of an order than before."""
        end = self._segment.calendar.day_of(sale.time_ms) + YEAR_DAYS
        for refunds, by in ((before, -1), (after, 1)):
            for refund in refunds:
                self._spend_less(end, refund, by, counts)
                self._count_refund(counts, refund, by)

    def forget(self, first_ms: int) -> None:
        """Note the first of the orders that are forgotten."""
        insort(self._times, first_ms)

    def _spend_less(
        self, end: int, refund: Returned, by: int, counts: Contributions | None
    ) -> None:
        """Take a refund from what was spent, until the day `end`, on which its order leaves the year."""
        day = self._segment.calendar.day_of(refund[0])
        if day < end:
            self._spending.add(day, end, 0, -by * refund[1], counts)

    def _change_times(self, time_ms: int, by: int, counts: Contributions | None) -> None:
        """Add or remove the time of an order; the first one makes its person a new buyer."""
        times = self._times
        before = times[0] if times else None
        if by > 0:
            insort(times, time_ms)
        else:
            del times[bisect_left(times, time_ms)]
        after = times[0] if times else None
        if counts is None or before == after:
            return
        for first_ms, sign in ((before, -1), (after, 1)):
            if first_ms is not None:
                at(counts, NEW_BUYERS, self._segment, first_ms, sign)
                if self._to_date:
                    day = self._segment.calendar.day_of(first_ms)
                    on(counts, BUYERS_TO_DATE, self._segment, day, sign)

    def _count_money(self, counts: Contributions, sale: Sale, by: int) -> None:
        segment = self._segment
        at(counts, ORDERS, segment, sale.time_ms, by)
        at(counts, ORDERED_MICROS, segment, sale.time_ms, by * sale.micros)
        at(counts, REVENUE_MICROS, segment, sale.time_ms, by * sale.micros)
        if self._to_date:
            day = segment.calendar.day_of(sale.time_ms)
            on(counts, REVENUE_TO_DATE_MICROS, segment, day, by * sale.micros)

    def _count_refund(self, counts: Contributions, refund: Returned, by: int) -> None:
        segment, (time_ms, micros) = self._segment, refund
        at(counts, REFUNDED_MICROS, segment, time_ms, by * micros)
        at(counts, REVENUE_MICROS, segment, time_ms, -by * micros)
        if self._to_date:
            day = segment.calendar.day_of(time_ms)
            on(counts, REVENUE_TO_DATE_MICROS, segment, day, -by * micros)
