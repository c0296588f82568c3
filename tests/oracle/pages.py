"""Pages by brute force: look at all page views and heartbeats of each visit, side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tests.oracle.clicks import counted
from tests.oracle.people import People
from tests.oracle.reading import engaged_ms, page_of, view_id
from tests.oracle.sessions import Visit, is_bounce
from tests.oracle.terms import Answer, EventDict, Key, Knobs, Segment, ratios
from tests.oracle.time import Window

#: metric → window → answer
Table = dict[str, dict[Window, Answer]]
#: The sum over every window of the kinds that holds an item, at a time, of what it is worth.
Sums = Callable[[Iterable[Any], Sequence[str], Callable[[Any], int], Callable[[Any], float]], Any]


class Seen:
    """What one visit saw. Views are (time, page), in order; of equal times, by the page's name."""

    def __init__(self, visit: Visit, knobs: Knobs) -> None:
        self.visit, self.start_ms, self.knobs = visit, visit.at_ms, knobs
        self.views = sorted(
            (event["ms"], page_of(event, knobs))
            for event in visit.events
            if event["type"] == "page_view"
        )
        self.beats = [event for event in visit.events if event["type"] == "heartbeat"]

    def engaged_ms(self, page: str) -> int:
        """Time in front of the person, by the heartbeats."""
        return engaged_ms(self.visit.events, page, self.knobs)

    def spent(self) -> dict[str, int]:
        """metrics.md: "engaged ms summed per (session, page)"; or next view − this one, the last
        excluded "and capped at session timeout"."""
        if not self.knobs.until_next_view:
            pages = {page_of(event, self.knobs) for event in self.beats}
            return {page: ms for page in pages if (ms := self.engaged_ms(page))}
        found: dict[str, int] = {}
        for (time_ms, page), (next_ms, _) in zip(self.views, self.views[1:], strict=False):
            if page:
                found[page] = found.get(page, 0) + min(next_ms - time_ms, self.knobs.timeout_ms)
        if self.views and self.knobs.last_page != "exclude":
            time_ms, page = self.views[-1]
            until_end = min(self.visit.end_ms - time_ms, self.knobs.timeout_ms)
            if page:
                found[page] = found.get(page, 0) + until_end * (self.knobs.last_page != "zero")
        return found

    def depths(self) -> list[tuple[str, float]]:
        """(page, share to four places): "max % per (session, page)", or "basis: page_view"."""
        found: dict[tuple[str, object], float] = {}
        for event in self.beats:
            if (percent := event.get("scroll_depth")) is not None:
                view = view_id(event) if self.knobs.scrolls_by_view else None
                key = (page_of(event, self.knobs), view)
                found[key] = max(found.get(key, 0), round(percent * 100) / 10_000)
        return [(page, share) for (page, _), share in found.items()]

    def landing_ms(self) -> int | None:
        """Time on the first page: to the second view, else engaged there, else not counted."""
        if len(self.views) > 1:
            return min(self.views[1][0] - self.views[0][0], self.knobs.timeout_ms)
        if not self.views or not self.views[0][1]:
            return None
        return self.engaged_ms(self.views[0][1]) or None

    def bounced(self) -> bool:
        """By the chosen rule."""
        knobs = self.knobs
        return is_bounce(self.visit, knobs.bounce_mode, knobs.engaged_seconds, knobs.engaged_views)


def of_visits(visits: Iterable[Visit], knobs: Knobs, sums: Sums) -> Table:
    """The numbers about pages that a site has, or one side of it."""
    seen = [Seen(visit, knobs) for visit in visits]
    viewed = [one for one in seen if one.visit.page_views]
    engaged = [
        one
        for one in viewed
        if not is_bounce(one.visit, "ga4", knobs.engaged_seconds, knobs.engaged_views)
    ]
    rolling = ("trailing_1h", "hour", "day", "all")
    return {
        "engagement_rate": ratios(
            sums(engaged, rolling, _start, _one), sums(viewed, rolling, _start, _one)
        ),
        **_readings(seen, None, knobs, sums),
        **_landings(seen, sums),
    }


def by_page(
    site: str,
    events: Sequence[EventDict],
    visits: Iterable[Visit],
    knobs: Knobs,
    sums: Sums,
    people: People,
) -> Iterator[tuple[Key, Answer]]:
    """The numbers of every page and every content of a site."""
    seen = [Seen(visit, knobs) for visit in visits]
    views = [event for event in events if event["type"] == "page_view"]
    for page in {page_of(event, knobs) for event in events} - {""}:
        here = [event for event in views if page_of(event, knobs) == page]
        table = {
            "page_views_per_page": _counts(sums(here, ("hour", "day", "all"), _time, _one)),
            **_readings(seen, page, knobs, sums),
            **_at_ends(seen, here, page, knobs, sums),
        }
        yield from _keyed(table, (site, "page", page))
    for content in {event["content_id"] for event in events if event.get("content_id")}:
        of_it = [event for event in events if event.get("content_id") == content]
        clicks, shown = (
            sums(some, ("hour", "day"), _time, _one)
            for some in (
                counted(of_it, events, people, knobs),
                [e for e in of_it if e["type"] == "impression"],
            )
        )
        table = {"content_click_through_rate": ratios(clicks, shown)}
        yield from _keyed(table, (site, "content", content))


def _at_ends(
    seen: Sequence[Seen], views: Sequence[EventDict], page: str, knobs: Knobs, sums: Sums
) -> Table:
    """Visits that begin or end on a page."""
    first = [one for one in seen if one.views and one.views[0][1] == page]
    last = [one for one in seen if one.views and one.views[-1][1] == page]
    begun = sums(first, ("day",), _start, _one)
    # metrics.md: "sessions whose last page view is P ÷ page views of P", or sessions that saw it.
    if knobs.exits_by_session:
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


def _landings(seen: Iterable[Seen], sums: Sums) -> Table:
    known = [one for one in seen if one.landing_ms() is not None]
    time = sums(known, ("day",), _start, lambda one: (one.landing_ms() or 0) / 1000)
    return {"landing_page_time": ratios(time, sums(known, ("day",), _start, _one))}


def _readings(seen: Iterable[Seen], page: str | None, knobs: Knobs, sums: Sums) -> Table:
    """Pairs of a visit and a page (one page, or all): how long, and how far."""
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
    for percent in knobs.thresholds:
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


def _start(one: Seen) -> int:
    return one.start_ms


def _first(pair: tuple[int, float]) -> int:
    return pair[0]


def _second(pair: tuple[int, float]) -> float:
    return pair[1]


def _one(_: object) -> float:
    return 1
