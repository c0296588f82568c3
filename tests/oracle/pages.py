"""Pages by brute force: all page views and heartbeats of each session, side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tests.oracle.clicks import counted
from tests.oracle.people import People
from tests.oracle.reading import engaged_ms, page_of, view_id
from tests.oracle.sessions import Session, in_order, is_bounce
from tests.oracle.terms import Answer, Choices, EventDict, Key, Segment, ratios
from tests.oracle.time import Window

#: metric → window → answer
Table = dict[str, dict[Window, Answer]]
#: Function that sums the worth of items, at their times, over every window of the kinds.
Sums = Callable[[Iterable[Any], Sequence[str], Callable[[Any], int], Callable[[Any], float]], Any]


class SessionPages:
    """Pages of one session. Views are (time, page), ordered by time and then by arrival."""

    def __init__(self, session: Session, choices: Choices) -> None:
        self.session, self.start_ms, self.choices = session, session.at_ms, choices
        views = [event for event in session.events if event["type"] == "page_view"]
        views.sort(key=lambda event: in_order(event, choices))
        self.views = [(event["ms"], page_of(event, choices)) for event in views]
        self.beats = [event for event in session.events if event["type"] == "heartbeat"]

    def engaged_ms(self, page: str) -> int:
        """Return the time in front of the person, from the heartbeats."""
        return engaged_ms(self.session.events, page, self.choices)

    def spent(self) -> dict[str, int]:
        """metrics.md: "engaged ms summed per (session, page)"; or next view − this one.

        The last view is excluded; others are "capped at session timeout".
        """
        if not self.choices.until_next_view:
            pages = {page_of(event, self.choices) for event in self.beats}
            return {page: ms for page in pages if (ms := self.engaged_ms(page))}
        found: dict[str, int] = {}
        for (time_ms, page), (next_ms, _) in zip(self.views, self.views[1:], strict=False):
            if page:
                found[page] = found.get(page, 0) + min(next_ms - time_ms, self.choices.timeout_ms)
        if self.views and self.choices.last_page != "exclude":
            time_ms, page = self.views[-1]
            until_end = min(self.session.end_ms - time_ms, self.choices.timeout_ms)
            if page:
                found[page] = found.get(page, 0) + until_end * (self.choices.last_page != "zero")
        return found

    def depths(self) -> list[tuple[str, float]]:
        """(page, share to four places): "max % per (session, page)", or "basis: page_view"."""
        found: dict[tuple[str, object], float] = {}
        for event in self.beats:
            if (percent := event.get("scroll_depth")) is not None:
                view = view_id(event) if self.choices.scrolls_by_view else None
                key = (page_of(event, self.choices), view)
                found[key] = max(found.get(key, 0), round(percent * 100) / 10_000)
        return [(page, share) for (page, _), share in found.items()]

    def landing_ms(self) -> int | None:
        """Return the time on the first page: up to the second view, else its engaged time, else None."""
        if len(self.views) > 1:
            return min(self.views[1][0] - self.views[0][0], self.choices.timeout_ms)
        if not self.views or not self.views[0][1]:
            return None
        return self.engaged_ms(self.views[0][1]) or None

    def bounced(self) -> bool:
        """Return whether the session bounced by the chosen rule."""
        choices = self.choices
        return is_bounce(
            self.session, choices.bounce_mode, choices.engaged_seconds, choices.engaged_views
        )


def of_sessions(sessions: Iterable[Session], choices: Choices, sums: Sums) -> Table:
    """Return the page numbers of a site, or of one segment."""
    seen = [SessionPages(session, choices) for session in sessions]
    viewed = [one for one in seen if one.session.page_views]
    engaged = [
        one
        for one in viewed
        if not is_bounce(one.session, "ga4", choices.engaged_seconds, choices.engaged_views)
    ]
    rolling = ("trailing_1h", "hour", "day", "all")
    return {
        "engagement_rate": ratios(
            sums(engaged, rolling, _start, _one), sums(viewed, rolling, _start, _one)
        ),
        **_readings(seen, None, choices, sums),
        **_landings(seen, sums),
    }


def by_page(
    site: str,
    events: Sequence[EventDict],
    sessions: Iterable[Session],
    choices: Choices,
    sums: Sums,
    people: People,
) -> Iterator[tuple[Key, Answer]]:
    """Yield the numbers of every page and every content of a site."""
    seen = [SessionPages(session, choices) for session in sessions]
    views = [event for event in events if event["type"] == "page_view"]
    for page in {page_of(event, choices) for event in events} - {""}:
        here = [event for event in views if page_of(event, choices) == page]
        table = {
            "page_views_per_page": _counts(sums(here, ("hour", "day", "all"), _time, _one)),
            **_readings(seen, page, choices, sums),
            **_at_ends(seen, here, page, choices, sums),
        }
        yield from _keyed(table, (site, "page", page))
    for content in {event["content_id"] for event in events if event.get("content_id")}:
        of_it = [event for event in events if event.get("content_id") == content]
        clicks, shown = (
            sums(some, ("hour", "day"), _time, _one)
            for some in (
                counted(of_it, events, people, choices),
                [e for e in of_it if e["type"] == "impression"],
            )
        )
        table = {"content_click_through_rate": ratios(clicks, shown)}
        yield from _keyed(table, (site, "content", content))


def _at_ends(
    seen: Sequence[SessionPages],
    views: Sequence[EventDict],
    page: str,
    choices: Choices,
    sums: Sums,
) -> Table:
    """Return the numbers of sessions that begin or end on a page."""
    first = [one for one in seen if one.views and one.views[0][1] == page]
    last = [one for one in seen if one.views and one.views[-1][1] == page]
    begun = sums(first, ("day",), _start, _one)
    # metrics.md: "sessions whose last page view is P ÷ page views of P", or ÷ sessions that viewed
    # P.
    if choices.exits_by_session:
        among = [one for one in seen if page in [name for _, name in one.views]]
        exits = ratios(sums(last, ("day",), _start, _one), sums(among, ("day",), _start, _one))
    else:
        exits = ratios(
            sums(last, ("day",), lambda one: one.views[-1][0], _one),
            sums(views, ("day",), _time, _one),
        )
    bounced = sums([one for one in first if one.bounced()], ("day",), _start, _one)
    return {
        "landing_sessions": _counts(begun),
        "landing_bounce_rate": ratios(bounced, begun),
        "exit_rate": exits,
        **_landings(first, sums),
    }


def _landings(seen: Iterable[SessionPages], sums: Sums) -> Table:
    known = [one for one in seen if one.landing_ms() is not None]
    time = sums(known, ("day",), _start, lambda one: (one.landing_ms() or 0) / 1000)
    return {"landing_page_time": ratios(time, sums(known, ("day",), _start, _one))}


def _readings(
    seen: Iterable[SessionPages], page: str | None, choices: Choices, sums: Sums
) -> Table:
    """Time and scroll depth of pairs of a session and a page; `page` None: all pages."""
    spent, depths = [], []
    for one in seen:
        spent += [(one.start_ms, ms / 1000) for p, ms in one.spent().items() if page in (None, p)]
        depths += [(one.start_ms, share) for p, share in one.depths() if page in (None, p)]
    days = ("day",)
    number = sums(depths, days, _first, _one)
    table = {
        "time_on_page": ratios(
            sums(spent, ("hour", "day"), _first, _second),
            sums(spent, ("hour", "day"), _first, _one),
        ),
        "scroll_depth": ratios(sums(depths, days, _first, _second), number),
    }
    for percent in choices.thresholds:
        far = [pair for pair in depths if pair[1] >= percent / 100]
        table[f"scroll_reached_{percent}"] = ratios(sums(far, days, _first, _one), number)
    return table


def _keyed(table: Table, segment: Segment) -> Iterator[tuple[Key, Answer]]:
    for metric, windows in table.items():
        for window, answer in windows.items():
            yield Key(metric, segment, window), answer


def _counts(sums: dict[Window, float]) -> dict[Window, Answer]:
    return {window: Answer(number) for window, number in sums.items()}


def _time(event: EventDict) -> int:
    return int(event["ms"])


def _start(one: SessionPages) -> int:
    return one.start_ms


def _first(pair: tuple[int, float]) -> int:
    return pair[0]


def _second(pair: tuple[int, float]) -> float:
    return pair[1]


def _one(_: object) -> float:
    return 1
