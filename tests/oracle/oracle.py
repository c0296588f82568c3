"""Every metric, computed the slow and obvious way from its definition.

Shares no code with the engine. Quotations are from the definitions of the metrics and the design.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from tests.oracle import pages as oracle_pages
from tests.oracle import session_numbers
from tests.oracle.clicks import counted
from tests.oracle.customers import (
    Period,
    Stay,
    beginning,
    daily_churn,
    is_customer,
    is_lost,
    lives,
    micros_at_end_of,
    paid_periods,
    stays,
    with_grace,
)
from tests.oracle.lifecycle import Lifecycle, Table, rates
from tests.oracle.people import People
from tests.oracle.reading import whole_page_of
from tests.oracle.sessions import Session, is_interactive, pairs_of, sessions
from tests.oracle.terms import Answer, Answers, Choices, EventDict, Key, Segment, ratios
from tests.oracle.time import Window


def expected(
    events: Iterable[EventDict],
    choices: Choices,
    untimely: Collection[tuple[str, str]] = frozenset(),
) -> Answers:
    """Return every number that is not zero; `untimely` are (site, id) of events too late for live numbers."""
    # metrics.md, bots: "exclude from all metrics".
    counted = [
        {"arrival": (0, number), **event, "ms": instant(event["event_time"])}
        for number, event in enumerate(events)
    ]
    counted = [event for event in counted if not event.get("is_bot")]
    answers: Answers = {}
    for site in {event.get("site", "default") for event in counted}:
        own_events = [event for event in counted if event.get("site", "default") == site]
        site_numbers = SiteNumbers(site, own_events, choices, untimely)
        for segment in site_numbers.segments():
            answers.update(site_numbers.answers(segment))
    return {key: answer for key, answer in answers.items() if any(answer)}


def instant(time: str | int) -> int:
    """Return the epoch ms of an event time."""
    if isinstance(time, int):
        return time
    return int(datetime.fromisoformat(time).timestamp() * 1000)


class SiteNumbers:
    """One site: its events, its sessions, its customers."""

    def __init__(
        self,
        site: str,
        events: list[EventDict],
        choices: Choices,
        untimely: Collection[tuple[str, str]],
    ) -> None:
        self.site, self.events, self.choices = site, events, choices
        self.wall = choices.wall(site)
        self.people = People(self.wall, choices, untimely)
        self.people.begin_with(events)
        self.sessions = sessions(
            events,
            by_user=choices.by_user,
            source=choices.source,
            timeout_ms=choices.timeout_ms,
            splits_at_timeout=choices.splits_at_timeout,
            choices=choices,
            max_hours=choices.session_hours,
            day_of=self.wall.day if choices.splits_at_midnight else None,
            unbouncing=choices.unbouncing,
        )
        days = [self.wall.day(event["ms"]) for event in events]
        self.first_day, self.last_day = min(days), max(days)

    def segments(self) -> set[Segment]:
        """Return the whole site, and each value of each dimension, one at a time."""
        return {segment for event in self.events for segment in self.segments_of(event)}

    def segments_of(self, event: EventDict) -> list[Segment]:
        """Return the segments in which an event counts."""
        pairs = pairs_of(event, self.choices.dimensions)
        return [(self.site, "", ""), *((self.site, name, value) for name, value in pairs)]

    def answers(self, segment: Segment) -> Iterator[tuple[Key, Answer]]:
        """Yield every number of one segment."""
        events = [event for event in self.events if segment in self.segments_of(event)]
        seen = [session for session in self.sessions if segment in self.segments_of(session.first)]
        lifecycle = Lifecycle(self.people, events, self.choices)
        tables = {
            **self.people.table(events), **self.pages(events),
            **session_numbers.of_sessions(seen, self.choices, self.sums, self.wall),
            **self.customers(segment), **lifecycle.table(self.last_day),
            **oracle_pages.of_sessions(seen, self.choices, self.sums),
        }  # fmt: skip
        tables |= self.frequencies(tables, events, seen, segment)
        if self.choices.new_by_visit:
            tables |= session_numbers.newcomers(seen, self.sessions, self.choices, self.sums)
        for metric, windows in tables.items():
            for window, answer in windows.items():
                yield Key(metric, segment, window), answer
        if not segment[1]:
            yield from lifecycle.bars(self.site).items()
            yield from oracle_pages.by_page(
                self.site, self.events, self.sessions, self.choices, self.sums, self.people
            )

    def frequencies(
        self,
        tables: Table,
        events: Sequence[EventDict],
        seen: Sequence[Session],
        segment: Segment,
    ) -> Table:
        """metrics.md: "sessions ÷ active users" of the month, and the metrics of `rates`."""
        ends = range(self.first_day, self.last_day + 1)
        days, months = (
            [self.wall.day_windows(kind, day)[0] for day in ends]
            for kind in ("day", self.choices.month_kind)
        )
        all_stays, _ = self.stays(segment)
        # "customers with a paid subscription at the end": of a month that is over, at its end.
        paying = {
            window: float(
                sum(is_customer(s, self.wall.day((window.end_ms or 0) - 1)) for s in all_stays)
            )
            for window in (*days, *months)
        }
        people = tables["unique_visitors"].items()
        in_month = {window: answer.numerator for window, answer in people if window.kind == "month"}
        interactive = [e for e in events if is_interactive(e, self.choices.interactions)]
        kind = {1: "day", 7: "trailing_7d", 28: "trailing_28d"}[self.choices.interaction_days]
        active = [event for event in events if self.people.is_active(event)]
        among = {w: float(len(who)) for w, who in self.people.distinct(active, kind).items()}
        monthly_sessions = self.sums(seen, ("month",), lambda session: session.at_ms)
        return {
            **rates(tables, days, months, paying),
            # "interactive events ÷ active users in 7 d", or in the configured number of days.
            "interaction_frequency": ratios(self.sums(interactive, (kind,)), among),
            "visit_frequency": ratios(monthly_sessions, in_month),
        }

    # ---- pages and clicks

    def pages(self, events: Sequence[EventDict]) -> dict[str, dict[Window, Answer]]:
        """metrics.md, CTR: "clicks with content_id ÷ impressions …, overall = sum/sum"."""
        views = [event for event in events if event["type"] == "page_view"]
        shown = [event for event in events if event["type"] == "impression"]
        clicks = counted(events, self.events, self.people, self.choices)
        bottom = views if self.choices.ctr_of_page_views else shown
        kinds = ("trailing_1h", "hour", "day", "all")
        clickers = self.people.distinct(clicks, "day")
        seen = self.sums(shown, ("day",))
        if self.choices.ctr_of_viewers:
            seen = {day: len(who) for day, who in self.people.distinct(shown, "day").items()}
        return {
            "page_views": {
                w: Answer(n) for w, n in self.sums(views, ("minute", "hour", "day", "all")).items()
            },
            "cut_page_views": {
                w: Answer(n)
                for w, n in self.sums(
                    [view for view in views if len(whole_page_of(view, self.choices)) > 256],
                    ("day", "all"),
                ).items()
            },
            "click_through_rate": ratios(self.sums(clicks, kinds), self.sums(bottom, kinds)),
            # "people who clicked ÷ impressions", or "distinct clickers ÷ distinct viewers"
            "unique_click_through_rate": ratios({day: len(c) for day, c in clickers.items()}, seen),
        }

    def sums(
        self,
        items: Iterable[Any],
        kinds: Iterable[str],
        at: Callable[[Any], int] = lambda event: event["ms"],
        worth: Callable[[Any], float] = lambda _: 1,
    ) -> dict[Window, float]:
        """Return the sum over every window that contains an item."""
        totals: dict[Window, float] = {}
        wanted = tuple(kinds)
        for item in items:
            for kind in wanted:
                for window in self.wall.windows(kind, at(item)):
                    totals[window] = totals.get(window, 0) + worth(item)
        return totals

    # ---- customers

    def customers(self, segment: Segment) -> dict[str, dict[Window, Answer]]:
        """Return the numbers of the customers of a segment."""
        all_stays, periods = self.stays(segment)
        return {**self.changes(all_stays), **self.levels(all_stays, periods)} if periods else {}

    def stays(self, segment: Segment) -> tuple[list[Stay], list[Period]]:
        """Return who was a customer when: a subscription belongs to the segment that it begins in."""
        of_person: dict[str | None, list[Period]] = {}
        for (person, _), events in self.subscriptions().items():
            for life in lives(events):
                first = beginning(life)
                if first is not None and segment in self.segments_of(first):
                    free = not self.choices.free_is_churn
                    of_person.setdefault(person, []).extend(paid_periods(life, free=free))
        periods = [period for own_events in of_person.values() for period in own_events]
        own_stays = (stays(own_events, self.wall) for own_events in of_person.values())
        return [stay for found in own_stays for stay in found], periods

    def subscriptions(self) -> dict[tuple[str | None, str], list[EventDict]]:
        """Return the events of every subscription."""
        found: dict[tuple[str | None, str], list[EventDict]] = {}
        for event in self.events:
            if event["type"].startswith("subscription_") and event.get("subscription_id"):
                key = (self.people.person(event), event["subscription_id"])
                found.setdefault(key, []).append(
                    with_grace(
                        event,
                        self.choices.grace_ms,
                        self.choices.involuntary,
                        self.choices.churn_at_request,
                    )
                )
        return found

    def changes(self, all_stays: Sequence[Stay]) -> dict[str, dict[Window, Answer]]:
        """metrics.md: "starts; ends of the last subscription"."""
        table: dict[str, dict[Window, Answer]] = {"new_customers": {}, "churned_customers": {}}
        for metric, days in (
            ("new_customers", [stay.start for stay in all_stays]),
            ("churned_customers", [stay.end for stay in all_stays if stay.end is not None]),
        ):
            for day in days:
                for kind in ("day", "trailing_30d"):
                    for window in self.wall.day_windows(kind, day):
                        before = table[metric].get(window, Answer(0))
                        table[metric][window] = Answer(before.numerator + 1)
        return table

    def levels(
        self, all_stays: Sequence[Stay], periods: Sequence[Period]
    ) -> dict[str, dict[Window, Answer]]:
        """Levels in the windows that end (calendar months: begin) between the first and the last event."""
        kinds = ("active_customers", "mrr", "churn_rate", "customer_retention_rate")
        table: dict[str, dict[Window, Answer]] = {name: {} for name in kinds}
        for day in range(self.first_day, self.last_day + 1):
            for kind, length in (("day", 1), ("trailing_30d", 30), ("month", 0)):
                windows = self.wall.day_windows(kind, day)
                window = windows[0]  # The window that ends with the day, or the month around it.
                first = self.wall.day(window.start_ms or 0) if not length else day - length + 1
                last = self.wall.day((window.end_ms or 0) - 1)
                customers = sum(is_customer(stay, last) for stay in all_stays)
                money = micros_at_end_of(periods, last, self.wall) / 1_000_000
                if kind != "month":
                    table["active_customers"][window] = Answer(customers)
                if kind != "trailing_30d":
                    table["mrr"][window] = Answer(money)
                if kind != "day":
                    churn, retention = self.churn(all_stays, first, last)
                    table["churn_rate"][window] = churn
                    table["customer_retention_rate"][window] = retention
        return table

    def churn(self, all_stays: Sequence[Stay], first: int, last: int) -> tuple[Answer, Answer]:
        """metrics.md: "customers lost who were there at the start ÷ customers at the start".

        Stripe: all lost customers ÷ (start + new). Retention: the share of the starting customers
        who stayed.
        """
        at_start = [stay for stay in all_stays if is_customer(stay, first - 1)]
        lost = [stay for stay in at_start if is_lost(stay, first, last)]
        new = [stay for stay in all_stays if first <= stay.start <= last]
        gone = [s for s in all_stays if s.end is not None and first <= s.end <= last]
        at_end = [stay for stay in all_stays if is_customer(stay, last)]
        churn = {
            "start": Answer(len(lost), len(at_start)),
            "start_plus_new": Answer(len(gone), len(at_start) + len(new)),
            "average": Answer(len(gone), (len(at_start) + len(at_end)) / 2),
            "daily_sum": Answer(*daily_churn(all_stays, first, last)),
        }[self.choices.churn_of]
        return churn, Answer(len(at_start) - len(lost), len(at_start))
