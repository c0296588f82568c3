"""Goals, features, funnels and carts by brute force: every number is a new search."""

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
    """Whole site, or one value of one dimension."""

    site: str
    dimension: str = ""
    value: str = ""

    def holds(self, event: EventDict) -> bool:
        """Return whether an event belongs to the site and has the value in its context."""
        if event.get("site", "default") != self.site:
            return False
        return not self.dimension or (event.get("context") or {}).get(self.dimension) == self.value


def within(window: Window, time_ms: int) -> bool:
    return window.start_ms is None or window.start_ms <= time_ms < (window.end_ms or 0)


def people(events: Iterable[EventDict], place: Place, window: Window, fits: Fits) -> set[str]:
    """Return the people who have a fitting event in a window."""
    return {
        event["user_id"]
        for event in events
        if place.holds(event) and within(window, event["ms"]) and fits(event)
    }


# ---- funnels


def depth_from(
    first: EventDict,
    own_events: Sequence[EventDict],
    steps: Sequence[Fits],
    order: str,
    window_ms: int,
) -> int:
    """Return how many steps the best path from `first` reaches in one person's events."""
    after = [e for e in own_events if first["ms"] < e["ms"] <= first["ms"] + window_ms]
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
    """Return how many of the events can each have a step of its own at best."""
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
    """Return (first event, steps reached) of all attempts in the events of a site.

    `funnel.exclusions` (metrics.md): an excluded event between two steps ends the attempt.
    """
    found = []
    for event in events:
        if not any(fits(event) for fits in steps):
            continue
        own_events = [
            other
            for other in events
            if other["user_id"] == event["user_id"]
            and (active(other) if order == "strict" else any(fits(other) for fits in steps))
            and (not by_session or other.get("session_id") == event.get("session_id"))
        ]
        own_events.sort(key=lambda other: other["ms"])
        ends = [e["ms"] for e in events if e["user_id"] == event["user_id"] and excluded(e)
                and (not by_session or e.get("session_id") == event.get("session_id"))
                and e["ms"] > event["ms"]]  # fmt: skip
        reached = [other for other in own_events if not ends or other["ms"] < min(ends)]
        found.append((event, depth_from(event, reached, steps, order, window_ms)))
    return found


def first_of_each(found: Iterable[tuple[EventDict, int]]) -> list[tuple[EventDict, int]]:
    """metrics.md, choice of the entry: "first entry"; an attempt without a step does not count."""
    begun = sorted((one for one in found if one[1]), key=lambda one: -int(one[0]["ms"]))
    return list({event["user_id"]: (event, depth) for event, depth in begun}.values())


# ---- carts


class CartOutcome(NamedTuple):
    """Outcome of a cart: the time, and the event that changed the cart last."""

    outcome: str
    ms: int
    event: EventDict


def cart_outcomes(
    events: Iterable[EventDict], one_cart: bool, start: str = "add_to_cart"
) -> list[CartOutcome]:
    """Return the outcome of every cart of a site, with one alarm clock for each cart."""
    by_person: dict[str, list[EventDict]] = {}
    for event in events:
        by_person.setdefault(event["user_id"], []).append(event)
    return [
        cart
        for own_events in by_person.values()
        for cart in _outcomes_of_person(own_events, one_cart, start)
    ]


def _outcomes_of_person(
    own_events: Iterable[EventDict], one_cart: bool, start: str
) -> Iterator[CartOutcome]:
    agenda: list[tuple[int, int, int, Any]] = []
    for number, event in enumerate(own_events):
        heapq.heappush(agenda, (event["ms"], 0, number, event))
    carts: dict[str, dict[str, Any]] = {}
    # By name: the changes of its contents since it was ordered last.
    contents: dict[str, list[EventDict]] = {}
    while agenda:
        ms, is_alarm, _, what = heapq.heappop(agenda)
        if is_alarm:
            name, last = what
            cart = carts.get(name)
            if cart and cart["open"] and cart["last"] is last:
                cart["open"] = False
                yield CartOutcome("abandoned", ms, last)
            continue
        name = "" if one_cart else what.get("cart_id") or ""
        if what["type"] == "order":
            # What can be recovered no more is forgotten.
            carts = {n: c for n, c in carts.items() if ms <= c["last"]["ms"] + 31 * DAY_MS}
            known = [n for n in carts if carts[n]["open"]] or [*carts]
            named = None if one_cart else what.get("cart_id")
            if named not in carts:
                named = max(known, key=lambda n: carts[n]["last"]["ms"]) if known else None
            contents.pop(name if named is None else named, None)
            if named in carts:
                cart = carts.pop(named)
                yield CartOutcome("ordered" if cart["open"] else "recovered", ms, cart["last"])
            continue
        contents.setdefault(name, []).append(what)
        cart = carts.get(name)
        if not (cart and cart["open"]):
            if what["type"] != start:
                continue
            cart = carts[name] = {"open": True, "begun": what["ms"]}
        cart["last"] = what
        since = cart["begun"] if start == "add_to_cart" else 0
        if what["type"] == "remove_from_cart" and not _held(contents[name], since):
            del carts[name]
            continue
        heapq.heappush(agenda, (ms + DAY_MS, 1, len(agenda), (name, what)))


def _held(changes: Iterable[EventDict], since_ms: int) -> int:
    """Return how much changes from an instant on leave in a cart; after 31 days without one, nothing."""
    held, before_ms = 0, since_ms
    for change in changes:
        if change["ms"] < since_ms:
            continue
        if change["ms"] > before_ms + 31 * DAY_MS:
            held = 0
        by = {"add_to_cart": 1, "remove_from_cart": -1}.get(change["type"], 0)
        held, before_ms = max(held + by, 0), change["ms"]
    return held


def windows_of(wall: Wall, kind: str, times: Iterable[int]) -> set[Window]:
    """Return all windows of a kind that contain one of the instants."""
    return {window for time_ms in times for window in wall.windows(kind, time_ms)}
