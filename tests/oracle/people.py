"""Distinct people by brute force: the union of all people in a window, window by window."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tests.oracle.terms import Answer, Choices, EventDict, counts, holds, within
from tests.oracle.time import Wall, Window

#: Types without a person.
PERSONLESS = {"social_impression", "social_engagement", "social_reach", "marketing_spend"}


class People:
    """People of one site."""

    def __init__(self, wall: Wall, choices: Choices, untimely: Collection[tuple[str, str]]) -> None:
        self.wall, self.choices, self.untimely = wall, choices, untimely
        #: The first day on which somebody of the site was active.
        self.begins: int | None = None

    def begin_with(self, events: Iterable[EventDict]) -> None:
        """Note the day on which counting the site's active people began."""
        days = (self.wall.day(event["ms"]) for event in events if self.is_active(event))
        self.begins = min(days, default=None)

    def person(self, event: EventDict) -> str | None:
        """metrics.md, identity: "person = user_id if present, else visitor id"; or the reverse."""
        user, visitor = event.get("user_id"), event.get("visitor_id")
        return (user or visitor) if self.choices.by_user else (visitor or user)

    def is_active(self, event: EventDict) -> bool:
        """metrics.md, active user: "any non-bot, non-system event except passive ones"."""
        if event["type"] in PERSONLESS or event["type"] in self.choices.passive:
            return False
        # "refund, a cancellation for an involuntary reason and a ticket opened by support (direction
        # outgoing) are not done by the person"; nor is a support message to a customer.
        if event["type"] in ("ticket_message", "ticket_opened"):
            by_agent = "outgoing" if event.get("author") else "incoming"
            return event.get("direction", by_agent) == "incoming"
        if event["type"] == "subscription_cancelled":
            return event.get("reason") not in self.choices.involuntary
        return True

    def table(self, events: Sequence[EventDict]) -> dict[str, dict[Window, Answer]]:
        """Distinct people, and the metrics derived from them."""
        active = [event for event in events if self.is_active(event)]
        choices = self.choices
        dau = self.distinct(active, "day")
        wau, mau = (self.distinct(active, kind) for kind in (choices.week_kind, choices.month_kind))
        live = [
            event
            for event in events
            if event["type"] not in PERSONLESS
            and (event.get("site", "default"), event["event_id"]) not in self.untimely
        ]
        table = {
            "daily_active_users": counts(dau),
            "weekly_active_users": counts(wau),
            "monthly_active_users": counts(mau),
            # "distinct persons with any event in the last 5 min of event time"
            "live_visitors": counts(self.distinct(live, choices.live_kind)),
            "stickiness": {
                window: Answer(self.daily(dau, window), len(people))
                for window, people in (mau if choices.sticky_base == "month" else wau).items()
            },
        }
        if choices.rolling_hours:
            table["rolling_active_users"] = {
                window: Answer(len(people))
                for kind in ("trailing_24h", "trailing_168h")
                for window, people in self.distinct(active, kind).items()
            }
        return table | self.newcomers(active)

    def daily(self, dau: Mapping[Window, Collection[Any]], window: Window) -> float:
        """metrics.md: "mean of daily DAU over the MAU window"; `point`: DAU of the window's last day.

        Days before the site's first active day are no days of the mean: nobody counted then.
        """
        inside = [day for day in dau if within(day, window)]
        if self.choices.sticky_of != "mean_dau":
            return sum(len(dau[day]) for day in inside if day.end_ms == window.end_ms)
        first, end = (self.wall.day(ms) for ms in (window.start_ms or 0, (window.end_ms or 0) - 1))
        first = max(first, self.begins or first)
        return sum(len(dau[day]) for day in inside) / (end - first + 1)

    def newcomers(self, active: Sequence[EventDict]) -> dict[str, dict[Window, Answer]]:
        """metrics.md: "new = first-ever event_time of the person falls in the period, returning =
        active and first seen before; new + returning = unique".

        In a segment: first active there. `new.scope: lookback_days`: no activity for that many days
        before the first active day of the period.
        """
        first: dict[str | None, int] = {}
        days: dict[str | None, set[int]] = {}
        for event in active:
            who = self.person(event)
            first[who] = min(first.get(who, event["ms"]), event["ms"])
            days.setdefault(who, set()).add(self.wall.day(event["ms"]))
        pause = self.choices.new_after_days

        def is_new(who: str | None, window: Window) -> bool:
            if not pause or window.kind == "all":
                return holds(window, first[who])
            start, end = (self.wall.day(ms) for ms in (window.start_ms or 0, window.end_ms or 0))
            arrival = min(day for day in days[who] if start <= day < end)
            return not any(arrival - pause <= day < arrival for day in days[who])

        unique: dict[Window, Answer] = {}
        new: dict[Window, Answer] = {}
        returning: dict[Window, Answer] = {}
        for kind in ("day", "week", "month", "all"):
            for window, people in self.distinct(active, kind).items():
                fresh = {who for who in people if is_new(who, window)}
                unique[window], new[window] = Answer(len(people)), Answer(len(fresh))
                if kind != "all":
                    returning[window] = Answer(len(people - fresh))
        return {"unique_visitors": unique, "new_visitors": new, "returning_visitors": returning}

    def distinct(self, events: Iterable[EventDict], kind: str) -> dict[Window, set[str | None]]:
        """Return the people of every window with activity: a union, event by event."""
        found: dict[Window, set[str | None]] = {}
        for event in events:
            for window in self.wall.windows(kind, event["ms"]):
                found.setdefault(window, set()).add(self.person(event))
        return found
