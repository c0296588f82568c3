"""Sessions by brute force: sort all events of a person, cut at the gaps, look at each run."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

EventDict = dict[str, Any]
DAY_MS = 86_400_000
#: metrics.md, bounce rate: interactive events are what a person does; "interactive:false opts out".
INTERACTIVE = {
    "click", "custom", "feature_used", "add_to_cart", "remove_from_cart", "checkout_started",
    "order", "goal",
}  # fmt: skip
#: What belongs to a visit of the site. The back office and other places (subscriptions, refunds,
#: surveys, tickets, social networks) are no visit.
ON_THE_SITE = INTERACTIVE | {
    "page_view", "heartbeat", "impression", "session_start", "session_end",
}  # fmt: skip


class Visit(NamedTuple):
    """One session. `first` is its earliest event."""

    first: EventDict
    start_ms: int
    end_ms: int
    page_views: int
    interactive: bool
    events: Sequence[EventDict]

    @property
    def duration_ms(self) -> int:
        """metrics.md: "last event − first event. Single-event = 0 and INCLUDED"."""
        return self.end_ms - self.start_ms


def visits(
    events: Iterable[EventDict],
    *,
    by_user: bool,
    source: str,
    timeout_ms: int,
    splits_at_timeout: bool,
    dimensions: Sequence[str],
    max_hours: int = 24,
    day_of: Callable[[int], int] | None = None,
    unbouncing: Collection[str] = frozenset(),
) -> list[Visit]:
    """All sessions in the events of one site. Each event has its time as `ms`.

    `day_of` tells the day of an instant where sessions end at midnight; `unbouncing` are the types
    that keep a visit from being a bounce, where that is not all that are interactive.
    """
    by_id: dict[tuple[str | None, str], list[EventDict]] = {}
    by_person: dict[str | None, list[EventDict]] = {}
    for event in events:
        if event["type"] not in ON_THE_SITE:
            continue
        user, visitor = event.get("user_id"), event.get("visitor_id")
        person = (user or visitor) if by_user else (visitor or user)
        session_id = event.get("session_id")
        # metrics.md: "if the event carries session_id trust (visitor_id, session_id) – pair,
        # because ids are not globally unique; else gap sessions per visitor".
        if session_id is not None and source != "gap":
            by_id.setdefault((visitor or person, session_id), []).append(event)
        elif source != "id":
            by_person.setdefault(person, []).append(event)
    # README, limits: an id that has been silent for more than a day begins another session.
    runs = [run for group in by_id.values() for run in split_at_gaps(group, DAY_MS, False)]
    runs = split_at_midnight(runs, day_of)
    for theirs in by_person.values():
        by_gaps = split_at_midnight(split_at_gaps(theirs, timeout_ms, splits_at_timeout), day_of)
        runs += [part for run in by_gaps for part in cut_to_length(run, max_hours * 3_600_000)]
    # A heartbeat alone is no visit ("engagement events … do not open a session").
    counted = [run for run in runs if any(event["type"] != "heartbeat" for event in run)]
    return [_visit(run, dimensions, unbouncing) for run in counted]


def split_at_gaps(
    events: Sequence[EventDict], timeout_ms: int, splits_at_timeout: bool
) -> list[list[EventDict]]:
    """metrics.md: "split when gap > 30 min (equality continues)"; boundary gte: equality splits."""
    runs: list[list[EventDict]] = []
    for event in sorted(events, key=lambda event: event["ms"]):
        gap = event["ms"] - runs[-1][-1]["ms"] if runs else None
        if gap is None or gap > timeout_ms or (splits_at_timeout and gap == timeout_ms):
            runs.append([])
        runs[-1].append(event)
    return runs


def split_at_midnight(
    runs: Iterable[list[EventDict]], day_of: Callable[[int], int] | None
) -> list[list[EventDict]]:
    """metrics.md: "NEW visit after midnight in the site zone", where that is wanted."""
    if day_of is None:
        return list(runs)
    days = ((run, sorted({day_of(event["ms"]) for event in run})) for run in runs)
    return [[e for e in run if day_of(e["ms"]) == day] for run, found in days for day in found]


def cut_to_length(run: Sequence[EventDict], most_ms: int) -> list[list[EventDict]]:
    """metrics.md: "cap 24 h". README: the cut is at a full 24th (UTC) before it would be too long."""
    rest = sorted(run, key=lambda event: event["ms"])
    parts: list[list[EventDict]] = []
    while rest:
        beyond = [event["ms"] for event in rest if event["ms"] - rest[0]["ms"] > most_ms]
        full = most_ms // 24
        cut_ms = min(beyond) // full * full if beyond else rest[-1]["ms"] + 1
        parts.append([event for event in rest if event["ms"] < cut_ms])
        rest = [event for event in rest if event["ms"] >= cut_ms]
    return parts


def _visit(
    run: Sequence[EventDict], dimensions: Sequence[str], unbouncing: Collection[str]
) -> Visit:
    times = [event["ms"] for event in run]
    return Visit(
        first=min(run, key=lambda event: (event["ms"], pairs_of(event, dimensions))),
        start_ms=min(times),
        end_ms=max(times),
        page_views=sum(event["type"] == "page_view" for event in run),
        interactive=any(is_interactive(event, unbouncing) for event in run),
        events=run,
    )


def is_interactive(event: EventDict, types: Collection[str] = frozenset()) -> bool:
    """Whether a person did something with it; `types`, where some are named, say what that is."""
    by_support = event["type"] == "ticket_message" and event["direction"] == "outgoing"
    own = bool(event.get("interactive", True)) and not by_support
    return own and event["type"] in (types or INTERACTIVE)


def pairs_of(event: EventDict, dimensions: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The (dimension, value) pairs that an event carries; an empty value is none."""
    context = event.get("context") or {}
    return tuple((name, context[name]) for name in dimensions if context.get(name))


def is_bounce(visit: Visit, mode: str, min_seconds: int, min_page_views: int) -> bool:
    """metrics.md: "exactly one page view and no interactive event"; other modes by their names."""
    if mode == "single_pageview":
        return visit.page_views == 1
    if mode == "posthog":  # Not one that lasts, either.
        alone = visit.page_views == 1 and not visit.interactive
        return alone and visit.duration_ms < min_seconds * 1000
    if mode == "ga4":  # Engaged: long enough, or enough page views.
        return visit.duration_ms < min_seconds * 1000 and visit.page_views < min_page_views
    return visit.page_views == 1 and not visit.interactive
