"""Goals, features, funnels and carts by brute force: every number asked for is searched for anew."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple

from tests.oracle.time import Wall, Window

EventDict = dict[str, Any]
Fits = Callable[[EventDict], bool]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Place(NamedTuple):
    """A site as a whole, or one value of one dimension."""

    site: str
    dimension: str = ""
    value: str = ""

    def holds(self, event: EventDict) -> bool:
        """Whether an event is of the site and has the value in its context."""
        if event.get("site", "default") != self.site:
            return False
        return not self.dimension or (event.get("context") or {}).get(self.dimension) == self.value


def within(window: Window, time_ms: int) -> bool:
    return window.start_ms is None or window.start_ms <= time_ms < (window.end_ms or 0)


def people(events: Iterable[EventDict], place: Place, window: Window, fits: Fits) -> set[str]:
    """Who has such an event in a window."""
    return {
        event["user_id"]
        for event in events
        if place.holds(event) and within(window, event["ms"]) and fits(event)
    }


# ---- funnels


def depth_from(
    first: EventDict, theirs: Sequence[EventDict], steps: Sequence[Fits], order: str, window_ms: int
) -> int:
    """How many steps the best way from an event leads through, all of one person's events given."""
    after = [e for e in theirs if first["ms"] < e["ms"] <= first["ms"] + window_ms]
    if order == "unordered":
        fitting = [event for event in after if any(fits(event) for fits in steps)]
        sizes = range(min(len(steps), len(fitting) + 1))
        chosen = (some for size in sizes for some in combinations(fitting, size))
        return max(_dealt([first, *some], steps) for some in chosen)
    if not steps[0](first):
        return 0

    def longest(step: int, rest: Sequence[EventDict]) -> int:
        if step == len(steps):
            return step
        ways = rest[:1] if order == "strict" else rest
        found = [
            longest(step + 1, rest[n + 1 :]) for n, event in enumerate(ways) if steps[step](event)
        ]
        return max(found, default=step)

    return longest(1, after)


def _dealt(events: Sequence[EventDict], steps: Sequence[Fits]) -> int:
    """How many of the events can each have a step of its own at best."""
    return max(
        sum(steps[step](event) for step, event in zip(order, events, strict=True))
        for order in permutations(range(len(steps)), len(events))
    )


def attempts(
    events: Sequence[EventDict],
    steps: Sequence[Fits],
    *,
    order: str,
    window_ms: int,
    by_session: bool,
    active: Fits,
    excluded: Fits = lambda event: False,
) -> list[tuple[EventDict, int]]:
    """(event that begins, how many steps) of all attempts in the events of a site.

    metrics.md: `funnel.exclusions`; README: they end an attempt when they lie between its steps.
    """
    found = []
    for event in events:
        if not any(fits(event) for fits in steps):
            continue
        theirs = [
            other
            for other in events
            if other["user_id"] == event["user_id"]
            and (active(other) if order == "strict" else any(fits(other) for fits in steps))
            and (not by_session or other.get("session_id") == event.get("session_id"))
        ]
        theirs.sort(key=lambda other: other["ms"])
        ends = [e["ms"] for e in events if e["user_id"] == event["user_id"] and excluded(e)
                and (not by_session or e.get("session_id") == event.get("session_id"))
                and e["ms"] > event["ms"]]  # fmt: skip
        reached = [other for other in theirs if not ends or other["ms"] < min(ends)]
        found.append((event, depth_from(event, reached, steps, order, window_ms)))
    return found


def first_of_each(found: Iterable[tuple[EventDict, int]]) -> list[tuple[EventDict, int]]:
    """metrics.md, choice of the entry: "first entry"; an attempt that takes no step is none."""
    begun = sorted((one for one in found if one[1]), key=lambda one: -int(one[0]["ms"]))
    return list({event["user_id"]: (event, depth) for event, depth in begun}.values())


# ---- carts


class Fate(NamedTuple):
    """What became of a cart: when, and the event that changed it last."""

    outcome: str
    ms: int
    event: EventDict


def fates(events: Iterable[EventDict], one_cart: bool) -> list[Fate]:
    """All carts of all people of a site, with an alarm clock for each."""
    by_person: dict[str, list[EventDict]] = {}
    for event in events:
        by_person.setdefault(event["user_id"], []).append(event)
    return [fate for theirs in by_person.values() for fate in _fates(theirs, one_cart)]


def _fates(theirs: Iterable[EventDict], one_cart: bool) -> Iterator[Fate]:
    agenda: list[tuple[int, int, int, Any]] = []
    for number, event in enumerate(theirs):
        heapq.heappush(agenda, (event["ms"], 0, number, event))
    carts: dict[str, dict[str, Any]] = {}
    while agenda:
        ms, is_alarm, _, what = heapq.heappop(agenda)
        if is_alarm:
            name, last = what
            cart = carts.get(name)
            if cart and cart["open"] and cart["last"] is last:
                cart["open"] = False
                yield Fate("abandoned", ms, last)
            continue
        name = "" if one_cart else what.get("cart_id") or ""
        cart = carts.get(name)
        if what["type"] == "order":
            known = [n for n in carts if carts[n]["open"]] or [*carts]
            named = "" if one_cart else what.get("cart_id")
            if one_cart or named not in carts:
                named = max(known, key=lambda n: carts[n]["last"]["ms"]) if known else None
            if named in carts:
                cart = carts.pop(named)
                late = ms > cart["last"]["ms"] + 31 * DAY_MS
                if cart["open"] or not late:
                    yield Fate("ordered" if cart["open"] else "recovered", ms, cart["last"])
            continue
        if not (cart and cart["open"]):
            if what["type"] != "add_to_cart":
                continue
            cart = carts[name] = {"open": True, "holds": 0}
        cart["last"] = what
        cart["holds"] += {"add_to_cart": 1, "remove_from_cart": -1}.get(what["type"], 0)
        if what["type"] == "remove_from_cart" and not cart["holds"]:
            del carts[name]
            continue
        heapq.heappush(agenda, (ms + DAY_MS, 1, len(agenda), (name, what)))


def windows_of(wall: Wall, kind: str, times: Iterable[int]) -> set[Window]:
    """All windows of a kind with an instant in them."""
    return {window for time_ms in times for window in wall.windows(kind, time_ms)}
