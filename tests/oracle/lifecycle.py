"""Lifecycle and retention by brute force: every person's calendar, window by window."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tests.oracle.people import People
from tests.oracle.terms import Answer, Choices, EventDict, Key, Segment, ratios
from tests.oracle.time import Window

Who = str | None
Table = dict[str, dict[Window, Answer]]
PERIODS = ("day", "week", "month")


class Lifecycle:
    """Active people of one segment."""

    def __init__(self, people: People, events: Iterable[EventDict], choices: Choices) -> None:
        self.people, self.wall, self.choices = people, people.wall, choices
        self.active = [event for event in events if people.is_active(event)]
        self.days: dict[Who, set[int]] = {}
        for event in self.active:
            who = people.person(event)
            self.days.setdefault(who, set()).add(self.wall.day(event["ms"]))

    def table(self, last_day: int) -> Table:
        """Return every table except the histograms; `last_day` is the site's last day with events."""
        if not self.days:
            return {}
        return {
            **self.lifecycle(),
            "at_risk_users": self.by_day(self.is_at_risk),
            "churn_risk_users": self.by_day(self.comes_less_than_half_as_often),
            "behavioural_churn_rate": self.stays_away(),
            **self.retention(last_day),
        }

    # ---- metrics.md: "active now, not in the previous period, seen before; active in the previous
    # period, not now"

    def lifecycle(self) -> Table:
        table: Table = {
            name: {} for name in ("retained_users", "resurrected_users", "dormant_users")
        }
        for kind in PERIODS:
            here = self.people.distinct(self.active, kind)
            nexts = {self.neighbour(window, after=True) for window in here}
            for window in {*here, *nexts}:
                now = here.get(window, set())
                before = here.get(self.neighbour(window, after=False), set())
                earlier = {w for w, days in self.days.items() if min(days) < self.first(window)}
                table["retained_users"][window] = Answer(len(now & before))
                table["resurrected_users"][window] = Answer(len((now & earlier) - before))
                table["dormant_users"][window] = Answer(len(before - now))
        return table

    def neighbour(self, window: Window, *, after: bool) -> Window:
        """Return the period next to this one."""
        day = self.wall.day(window.end_ms or 0) if after else self.first(window) - 1
        [found] = self.wall.day_windows(window.kind, day)
        return found

    def first(self, window: Window) -> int:
        return self.wall.day(window.start_ms or 0)

    # ---- metrics.md, predictive

    def by_day(self, test: Callable[[Collection[int], int], bool]) -> dict[Window, Answer]:
        """Return how many people pass a test at the end of each day."""
        every = set().union(*self.days.values())
        found = {}
        for day in range(min(every), max(every) + 30):
            [window] = self.wall.day_windows("day", day)
            found[window] = Answer(sum(test(days, day) for days in self.days.values()))
        return found

    def is_at_risk(self, days: Collection[int], today: int) -> bool:
        """ "people active in the last 28 d, not in the last 7 d" """
        ago = {today - day for day in days if day <= today}
        return any(n < 28 for n in ago) and not any(n < 7 for n in ago)

    def comes_less_than_half_as_often(self, days: Collection[int], today: int) -> bool:
        """ "recent activity (7 d) fell below half of their own earlier rate (21 d before)" """
        ago = {today - day for day in days if day <= today}
        recent = len([n for n in ago if n < 7]) / 7
        earlier = len([n for n in ago if 7 <= n < 28]) / 21
        # Different rates of days out of 7 and out of 21 differ by at least 1/42.
        return recent < earlier / 2 - 1e-6

    # ---- metrics.md: "Behavioural churn: active in the previous window, not in this one"

    def stays_away(self) -> dict[Window, Answer]:
        length = self.choices.inactive_days
        every, found = set().union(*self.days.values()), {}
        for today in range(min(every), max(every) + 2 * length + 1):
            now = range(today - length + 1, today + 1)
            before = range(today - 2 * length + 1, today - length + 1)
            came = [days for days in self.days.values() if days.intersection(before)]
            gone = [days for days in came if not days.intersection(now)]
            [window] = self.wall.day_windows("day", today)
            found[window] = Answer(len(gone), len(came))
        return found

    # ---- metrics.md, retention: "first-time cohorts by calendar day, N-day"; "matured cohorts only"

    def retention(self, last_day: int) -> Table:
        firsts: dict[int, set[Who]] = {}
        everyone: dict[int, set[Who]] = {}
        for who, days in self.days.items():
            firsts.setdefault(min(days), set()).add(who)
            for day in days:
                everyone.setdefault(day, set()).add(who)
        choices = self.choices
        length = choices.first_week_days
        if choices.own_clock:
            first_week = self.by_own_clock(firsts, length, last_day)
        else:
            first_week = {
                "first_week_engagement": self.activated(firsts, length, last_day)
                if choices.activation
                else self.returns(
                    firsts, range(1, length), last_day, length - 1, choices.first_week_least
                ),
                "first_week_active_days": self.active_days_of(firsts, length, last_day),
            }
        table = dict(first_week)
        cohorts = everyone if choices.retention_of_all else firsts
        for number in choices.retention_days:
            # "on N or later, up to day 60"; a cohort is shown when day N is over.
            later = {
                "n_day": range(number, number + 1),
                "bracket": range(1, number + 1),
                "unbounded": range(number, 61),
            }[choices.retention_type]
            table[f"retention_d{number}"] = self.returns(cohorts, later, last_day, number)
        return table

    def returns(
        self,
        cohorts: Mapping[int, Collection[Who]],
        later: Sequence[int],
        last_day: int,
        matures: int,
        least: int = 1,
    ) -> dict[Window, Answer]:
        """Return who came on at least `least` of the days `later` than their cohort's; mature cohorts only."""
        found = {}
        for day, cohort in cohorts.items():
            if day + matures <= last_day:
                back = [w for w in cohort if sum(day + n in self.days[w] for n in later) >= least]
                [window] = self.wall.day_windows("day", day)
                found[window] = Answer(len(back), len(cohort))
        return found

    def activated(
        self, firsts: Mapping[int, Collection[Who]], length: int, last_day: int
    ) -> dict[Window, Answer]:
        """metrics.md, first week: "new users doing key action within 7 d"."""
        found = {}
        for day, cohort in firsts.items():
            if day + length - 1 <= last_day:
                did = [
                    self.people.person(event)
                    for event in self.active
                    if event["type"] == self.choices.activation
                    and day <= self.wall.day(event["ms"]) < day + length
                ]
                often = [w for w in cohort if did.count(w) >= self.choices.first_week_least]
                [window] = self.wall.day_windows("day", day)
                found[window] = Answer(len(often), len(cohort))
        return found

    def active_days_of(
        self, firsts: Mapping[int, Collection[Who]], length: int, last_day: int
    ) -> dict[Window, Answer]:
        """metrics.md, first week: "mean active days in the first 7 days"."""
        found = {}
        for day, cohort in firsts.items():
            if day + length - 1 <= last_day:
                came = [(w, n) for w in cohort for n in range(length) if day + n in self.days[w]]
                [window] = self.wall.day_windows("day", day)
                found[window] = Answer(len(came), len(cohort))
        return found

    def by_own_clock(
        self, firsts: Mapping[int, Collection[Who]], length: int, last_day: int
    ) -> Table:
        """metrics.md: "clock: user_24h"; "24-h windows per user with timestamps floored to the hour"."""
        choices = self.choices
        table: Table = {"first_week_engagement": {}, "first_week_active_days": {}}
        for day, cohort in firsts.items():
            if day + length > last_day:
                continue  # People who came at the end of the day have had less time.
            engaged = came = 0
            for who in cohort:
                own_events = [event for event in self.active if self.people.person(event) == who]
                hours = [(event["type"], event["ms"] // 3_600_000) for event in own_events]
                begin = min(hour for _, hour in hours)
                on = {(hour - begin) // 24 for _, hour in hours if hour < begin + 24 * length}
                did = [k for k, h in hours if k == choices.activation and h < begin + 24 * length]
                often = len(did) if choices.activation else len(on - {0})
                engaged += often >= choices.first_week_least
                came += len(on)
            [window] = self.wall.day_windows("day", day)
            table["first_week_engagement"][window] = Answer(engaged, len(cohort))
            table["first_week_active_days"][window] = Answer(came, len(cohort))
        return table

    # ---- metrics.md, stickiness: "a person with 3 active days in range is in bar 3"

    def bars(self, site: str) -> dict[Key, Answer]:
        """Return people by their number of active days in the week and in the month."""
        counts: dict[Key, int] = {}
        for kind in ("week", "month"):
            for days in self.days.values():
                windows = [self.wall.day_windows(kind, day)[0] for day in days]
                for window in set(windows):
                    segment: Segment = (site, "active_days", str(windows.count(window)))
                    key = Key("active_days", segment, window)
                    counts[key] = counts.get(key, 0) + 1
        if self.choices.counts_weeks:
            for days in self.days.values():
                one = self.wall.day_windows
                weeks = {(one("month", day)[0], one("week", day)[0]) for day in days}
                for month in {month for month, _ in weeks}:
                    number = sum(own_events == month for own_events, _ in weeks)
                    key = Key("active_weeks", (site, "active_weeks", str(number)), month)
                    counts[key] = counts.get(key, 0) + 1
        return {key: Answer(count) for key, count in counts.items()}


def rates(
    tables: Table,
    days: Iterable[Window],
    months: Iterable[Window],
    paying: Mapping[Window, float],
) -> Table:
    """Return the shares that are computed from other numbers.

    `paying`: customers at the end of each window.
    """

    def tops(metric: str) -> dict[Window, float]:
        return {window: answer.numerator for window, answer in tables.get(metric, {}).items()}

    def of_kinds(found: Mapping[Window, float], *kinds: str) -> dict[Window, float]:
        return {window: n for window, n in found.items() if window.kind in kinds}

    daily = {window: tops("daily_active_users").get(window, 0) for window in days}
    monthly = {window: tops("monthly_active_users").get(window, 0) for window in months}
    unique = of_kinds(tops("unique_visitors"), *PERIODS)
    return {
        "daily_activity_rate": ratios(daily, {w: paying.get(w, 0) for w in daily}),
        "monthly_activity_rate": ratios(monthly, {w: paying.get(w, 0) for w in monthly}),
        "new_visitor_share": ratios(of_kinds(tops("new_visitors"), *PERIODS), unique),
    }
