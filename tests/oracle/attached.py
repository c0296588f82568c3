"""Events without an id of a person who has sessions by id, the slow way: piece by piece.

"An event without a session id belongs to its person's open session, whatever opened it."
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

EventDict = dict[str, Any]
#: Types that count for the session of their own instant.
ALONE = {"add_to_cart", "remove_from_cart", "checkout_started", "order", "goal"}


def joined_to_ids(
    events: Sequence[EventDict], platform: str, by_id: Sequence[list[EventDict]], limits: Any
) -> list[list[EventDict]]:
    """Return the gap sessions of a person that stay on their own; add the others to those by id.

    `by_id` are the events of each session with an id; those that belong to it are appended.
    """
    # Events of other platforms may have been added before: they do not keep it open.
    owned = [(run, [event for event in run if event.get("session_id")]) for run in by_id]
    spans = [(run, own, min(_times(own)), max(_times(own))) for run, own in owned]
    ended = {id(run) for run, own in owned if limits.choices.explicit_ends and _ends(own)}
    alone: list[list[EventDict]] = []
    current: list[EventDict] = []
    parts: list[list[EventDict]] = []
    for piece in pieces(events, platform, limits):
        start_ms = piece[0]["ms"]
        open_now = [
            (first_ms, _digest(own[0]["session_id"]), run)
            for run, own, first_ms, last_ms in spans
            if first_ms <= start_ms
            and _continues(start_ms - last_ms, platform, limits)
            and not (id(run) in ended and start_ms > last_ms)
            and _same_day(first_ms, start_ms, limits)
        ]
        if limits.choices.explicit_ends and piece[0]["type"] == "session_start":
            open_now = []  # It begins a session of its own.
        newest = max(open_now, key=lambda one: one[:2], default=None)
        # A session by id that has started since the piece before takes over.
        stays = newest is None or not parts or newest[0] <= parts[-1][0]["ms"]
        if parts and stays and _goes_on(parts, piece, platform, limits):
            parts.append(piece)
            current += piece
            continue
        parts = [piece]
        current = newest[2] if newest else []
        current += piece
        if newest is None:
            alone.append(current)
    return alone


def pieces(events: Iterable[EventDict], platform: str, limits: Any) -> list[list[EventDict]]:
    """Return what stays together whatever sessions by id there are, by the time of its first event.

    That is a cart, order or goal event alone, and all others of a full 24th of the longest session
    (UTC) without a pause; with campaigns, those of one instant and campaign.
    """
    cell_ms = limits.most_ms // 24
    found: list[list[EventDict]] = []
    singles: dict[tuple[int, str], list[EventDict]] = {}
    for event in sorted(events, key=lambda event: event["ms"]):
        campaign = _campaign(event) if limits.choices.splits_on_campaign else ""
        if event["type"] in ALONE:
            singles.setdefault((event["ms"], campaign), []).append(event)
            continue
        last = found[-1][-1] if found else None
        if limits.choices.splits_on_campaign:
            same = [p for p in found if (p[0]["ms"], _campaign(p[0])) == (event["ms"], campaign)]
            if same:
                same[0].append(event)
            else:
                found.append([event])
        elif (
            last is not None
            and not (limits.choices.explicit_ends and event["type"] == "session_start")
            and not (limits.choices.explicit_ends and last["type"] == "session_end")
            and last["ms"] // cell_ms == event["ms"] // cell_ms
            and _continues(event["ms"] - last["ms"], platform, limits)
            and _same_day(last["ms"], event["ms"], limits)
        ):
            found[-1].append(event)
        else:
            found.append([event])
    found += singles.values()
    return sorted(found, key=lambda piece: (piece[0]["ms"], _campaign(piece[0])))


def _goes_on(
    parts: Sequence[list[EventDict]], piece: list[EventDict], platform: str, limits: Any
) -> bool:
    """Return whether a piece continues a gap session: no pause, midnight, campaign or end by length."""
    first_ms, start_ms = parts[0][0]["ms"], piece[0]["ms"]
    last_ms = max(ms for part in parts for ms in _times(part))
    if limits.choices.explicit_ends:
        if piece[0]["type"] == "session_start":
            return False
        if any(_ends(part) and max(_times(part)) < start_ms for part in parts):
            return False
    if limits.choices.splits_on_campaign and _campaign(piece[0]):
        named = [_campaign(part[0]) for part in parts if _campaign(part[0])]
        if named and named[-1] != _campaign(piece[0]):
            return False
    return (
        _continues(start_ms - last_ms, platform, limits)
        and max(_times(piece)) - first_ms <= limits.most_ms
        and _same_day(first_ms, start_ms, limits)
    )


def _ends(events: Sequence[EventDict]) -> bool:
    """Return whether the last event is a session_end."""
    return bool(max(events, key=lambda event: event["ms"])["type"] == "session_end")


def _continues(pause_ms: int, platform: str, limits: Any) -> bool:
    most_ms = limits.pause_ms(platform)
    return bool(pause_ms < most_ms or (pause_ms == most_ms and not limits.splits_at_timeout))


def _same_day(one_ms: int, other_ms: int, limits: Any) -> bool:
    return limits.day_of is None or limits.day_of(one_ms) == limits.day_of(other_ms)


def _campaign(event: EventDict) -> str:
    return (event.get("context") or {}).get("campaign", "")


def _times(events: Iterable[EventDict]) -> list[int]:
    return [event["ms"] for event in events]


def _digest(session_id: str) -> bytes:
    """Sessions that start at one instant have a fixed order that says nothing."""
    return blake2b(session_id.encode(), digest_size=8).digest()
