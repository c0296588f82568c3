"""Sessions by brute force: sort a person's events, split them at the gaps, examine each run."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from tests.oracle.attached import joined_to_ids
from tests.oracle.reading import counted_pages, lasting_ms, views_of
from tests.oracle.terms import Choices

EventDict = dict[str, Any]
DAY_MS = 86_400_000
#: metrics.md, bounce rate: interactive events are actions of a person; "interactive:false opts
#: out".
INTERACTIVE = {
    "click", "custom", "feature_used", "add_to_cart", "remove_from_cart", "checkout_started",
    "order", "goal",
}  # fmt: skip
#: Types that belong to a session on the site. Subscriptions, refunds, surveys, tickets and social
#: networks happen elsewhere.
ON_THE_SITE = INTERACTIVE | {
    "page_view", "heartbeat", "impression", "session_start", "session_end",
}  # fmt: skip


class Limits(NamedTuple):
    """Limits that end a session by gaps."""

    timeout_ms: int
    splits_at_timeout: bool
    most_ms: int
    day_of: Callable[[int], int] | None
    choices: Choices

    def pause_ms(self, platform: str) -> int:
        """Return the timeout of a platform."""
        seconds = self.choices.platform_timeouts.get(platform)
        return self.timeout_ms if seconds is None else seconds * 1000


class Session(NamedTuple):
    """One session. `first` is its earliest event."""

    first: EventDict
    start_ms: int
    end_ms: int
    page_views: int
    interactive: bool
    events: Sequence[EventDict]
    #: Number of pages, length, and the instant at which it counts.
    pages: int
    lasts_ms: int
    at_ms: int
    #: Whether it reached a goal, if a goal makes a session engaged.
    engaged: bool

    @property
    def duration_ms(self) -> int:
        """metrics.md: "last event − first event. Single-event = 0 and INCLUDED"."""
        return self.end_ms - self.start_ms


def sessions(
    events: Iterable[EventDict],
    *,
    by_user: bool,
    source: str,
    timeout_ms: int,
    splits_at_timeout: bool,
    choices: Choices,
    max_hours: int = 24,
    day_of: Callable[[int], int] | None = None,
    unbouncing: Collection[str] = frozenset(),
) -> list[Session]:
    """Return all sessions in the events of one site. Each event has its time as `ms`.

    `day_of` returns the day of an instant, if sessions end at midnight. `unbouncing` are the types
    that prevent a bounce, if not all interactive ones do.
    """
    by_id: dict[tuple[str | None, str], list[EventDict]] = {}
    by_person: dict[tuple[str | None, str], list[EventDict]] = {}
    limits = Limits(timeout_ms, splits_at_timeout, max_hours * 3_600_000, day_of, choices)
    for event in events:
        if event["type"] not in ON_THE_SITE:
            continue
        user, visitor = event.get("user_id"), event.get("visitor_id")
        person = (user or visitor) if by_user else (visitor or user)
        session_id = event.get("session_id")
        # metrics.md: "if the event carries session_id trust (visitor_id, session_id) – pair,
        # because ids are not globally unique; else gap sessions per visitor".
        if session_id is not None and source != "gap":
            # "id_scope: site": one session for all visitors.
            whose = None if choices.ids_of_site else visitor or person
            by_id.setdefault((whose, session_id), []).append(event)
        elif source != "id":
            # "session.timeout_by_platform (mobile 5 min)": such a platform has sessions of its own.
            platform = (event.get("context") or {}).get("platform", "")
            split_key = platform if platform in choices.platform_timeouts else ""
            by_person.setdefault((person, split_key), []).append(event)
    # README, limits: an id that has been silent for more than a day begins another session.
    if choices.id_hours:
        # "drop events received more than 3 days after the session's first event"
        runs = [within_reach(group, choices.id_hours * 3_600_000) for group in by_id.values()]
    else:
        runs = [run for group in by_id.values() for run in split_at_gaps(group, DAY_MS, False)]
    runs = split_at_midnight(
        [part for run in runs for part in split_at_bounds(run, choices)], day_of
    )
    of_person: dict[str | None, list[list[EventDict]]] = {}
    if not choices.ids_of_site:
        for run in runs:
            of_person.setdefault(owner(run[0], choices), []).append(run)
    for (person, split_key), own_events in by_person.items():
        if person in of_person:
            runs += joined_to_ids(own_events, split_key, of_person[person], limits)
            continue
        by_gaps = split_at_midnight(
            split_at_gaps(own_events, limits.pause_ms(split_key), splits_at_timeout), day_of
        )
        by_gaps = [part for run in by_gaps for part in split_at_bounds(run, choices)]
        if choices.splits_on_campaign:
            by_gaps = [part for run in by_gaps for part in split_at_campaigns(run)]
        # Campaigns may split at any instant, and so may the length then.
        full_ms = 1 if choices.splits_on_campaign else limits.most_ms // 24
        runs += [part for run in by_gaps for part in split_at_length(run, limits.most_ms, full_ms)]
    # "engagement events … do not open a session": a heartbeat alone is none. Exception: heartbeats
    # count as page views ("among page_view and heartbeat events").
    counts = choices.pages_counted == "page_view_ids"
    # "An end alone is no session."
    alone = {"heartbeat", "session_end"} if choices.explicit_ends else {"heartbeat"}
    counted = [
        run
        for run in runs
        if any(event["type"] not in alone for event in run)
        or (counts and any(event["type"] == "heartbeat" for event in run))
    ]
    return [_session(run, choices, unbouncing) for run in counted]


def owner(event: EventDict, choices: Choices) -> str | None:
    """Return the visitor for a session with an id, else the person."""
    user, visitor = event.get("user_id"), event.get("visitor_id")
    person = (user or visitor) if choices.by_user else (visitor or user)
    return (visitor or person) if event.get("session_id") and choices.source != "gap" else person


def in_order(event: EventDict, choices: Choices) -> tuple[object, ...]:
    """Return the place of an event in its session: by time, then by arrival (topic, offset).

    Those with a session id come before those without. If campaigns split sessions, those of one
    instant sort by campaign.
    """
    rank, offset = event["arrival"]
    campaign = (event.get("context") or {}).get("campaign", "")
    by_gaps = choices.source == "gap" or not event.get("session_id")
    split = campaign if choices.splits_on_campaign and by_gaps else ""
    return event["ms"], rank, by_gaps, split, offset


def within_reach(group: Sequence[EventDict], most_ms: int) -> list[EventDict]:
    """Return the events within `most_ms` of the first one."""
    first_ms = min(event["ms"] for event in group)
    return [event for event in group if event["ms"] <= first_ms + most_ms]


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


def split_at_campaigns(run: Sequence[EventDict]) -> list[list[EventDict]]:
    """metrics.md: a "NEW visit … when campaign changes"; at one instant, campaigns sort by name."""

    def campaign(event: EventDict) -> str:
        return (event.get("context") or {}).get("campaign", "")

    parts: list[list[EventDict]] = [[]]
    current = ""
    for event in sorted(run, key=lambda event: (event["ms"], campaign(event))):
        if campaign(event) and current and campaign(event) != current:
            parts.append([])
        current = campaign(event) or current
        parts[-1].append(event)
    return parts


def split_at_bounds(run: Sequence[EventDict], choices: Choices) -> list[list[EventDict]]:
    """Return the sessions in a run: each session_start begins one, each session_end ends one."""
    parts: list[list[EventDict]] = [[]]
    for event in sorted(run, key=lambda event: (event["ms"], event["arrival"])):
        if choices.explicit_ends and event["type"] == "session_start" and parts[-1]:
            parts.append([])
        parts[-1].append(event)
        if choices.explicit_ends and event["type"] == "session_end":
            parts.append([])
    return [part for part in parts if part]


def split_at_midnight(
    runs: Iterable[list[EventDict]], day_of: Callable[[int], int] | None
) -> list[list[EventDict]]:
    """metrics.md: "NEW visit after midnight in the site zone", if `day_of` is given."""
    if day_of is None:
        return list(runs)
    days = ((run, sorted({day_of(event["ms"]) for event in run})) for run in runs)
    return [[e for e in run if day_of(e["ms"]) == day] for run, found in days for day in found]


def split_at_length(run: Sequence[EventDict], most_ms: int, full_ms: int) -> list[list[EventDict]]:
    """metrics.md: "cap 24 h". The split is at a multiple of `full_ms` (UTC), before it would be exceeded."""
    rest = sorted(run, key=lambda event: event["ms"])
    parts: list[list[EventDict]] = []
    while rest:
        beyond = [event["ms"] for event in rest if event["ms"] - rest[0]["ms"] > most_ms]
        end_ms = min(beyond) // full_ms * full_ms if beyond else rest[-1]["ms"] + 1
        parts.append([event for event in rest if event["ms"] < end_ms])
        rest = [event for event in rest if event["ms"] >= end_ms]
    return parts


def _session(run: Sequence[EventDict], choices: Choices, unbouncing: Collection[str]) -> Session:
    times = [event["ms"] for event in run]
    return Session(
        first=min(run, key=lambda event: (event["ms"], pairs_of(event, choices.dimensions))),
        start_ms=min(times),
        end_ms=max(times),
        page_views=views_of(run, choices),
        interactive=any(is_interactive(event, unbouncing) for event in run),
        events=run,
        pages=counted_pages(run, sum(is_interactive(event) for event in run), choices),
        lasts_ms=lasting_ms(run, choices),
        at_ms=max(times) if choices.at_end else min(times),
        # metrics.md, GA4: "engaged = longer than 10 s, or key event, or ≥2 page views"
        engaged=choices.goals_engage and any(event["type"] in ("order", "goal") for event in run),
    )


def is_interactive(event: EventDict, types: Collection[str] = frozenset()) -> bool:
    """Return whether the event is an action of a person; `types` restricts the types, if given."""
    by_support = event["type"] == "ticket_message" and event["direction"] == "outgoing"
    own = bool(event.get("interactive", True)) and not by_support
    return own and event["type"] in (types or INTERACTIVE)


def pairs_of(event: EventDict, dimensions: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the (dimension, value) pairs of an event; an empty value does not count."""
    context = event.get("context") or {}
    return tuple((name, context[name]) for name in dimensions if context.get(name))


def is_bounce(session: Session, mode: str, min_seconds: int, min_page_views: int) -> bool:
    """metrics.md: "exactly one page view and no interactive event"; other modes by their names."""
    if mode == "single_pageview":
        return session.page_views == 1
    if mode == "posthog":  # And shorter than the minimum.
        alone = session.page_views == 1 and not session.interactive
        return alone and session.duration_ms < min_seconds * 1000
    if mode == "ga4":  # Engaged: long enough, or enough page views, or by a goal.
        if session.engaged:
            return False
        return session.duration_ms < min_seconds * 1000 and session.page_views < min_page_views
    return session.page_views == 1 and not session.interactive
