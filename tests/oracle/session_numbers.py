"""Numbers of sessions: count, duration, bounces, and the first session of each person."""

import math
from collections.abc import Callable, Iterable, Sequence

from tests.oracle.pages import Sums, Table
from tests.oracle.sessions import Session, is_bounce, owner, pairs_of
from tests.oracle.terms import Answer, Choices, ratios
from tests.oracle.time import Wall, Window


def of_sessions(seen: Sequence[Session], choices: Choices, sums: Sums, wall: Wall) -> Table:
    """metrics.md, assignment to a window: "Default: by start". All sessions are closed at the end."""
    kinds = ("hour", "day", "all")
    rolling = ("trailing_1h", *kinds)

    def total(
        of: Iterable[Session], worth: Callable[[Session], float], over: Sequence[str] = kinds
    ) -> dict[Window, float]:
        found: dict[Window, float] = sums(of, over, _at, worth)
        return found

    number = total(seen, _one)
    timed = [session for session in seen if session.lasts_ms or not choices.without_zeros]
    # "sessions without page views excluded"
    viewed = [session for session in seen if session.page_views]
    bounced = [
        session
        for session in viewed
        if is_bounce(session, choices.bounce_mode, choices.engaged_seconds, choices.engaged_views)
    ]
    return {
        "sessions": {window: Answer(n) for window, n in number.items()},
        "pages_per_session": ratios(total(seen, lambda v: v.pages), number),
        "session_duration": ratios(total(timed, lambda v: v.lasts_ms / 1000), total(timed, _one)),
        "session_duration_p50": _quantiles(timed, kinds, 0.5, wall),
        "session_duration_p90": _quantiles(timed, kinds, 0.9, wall),
        "bounce_rate": ratios(total(bounced, _one, rolling), total(viewed, _one, rolling)),
    }


def newcomers(
    seen: Sequence[Session], sessions: Sequence[Session], choices: Choices, sums: Sums
) -> Table:
    """metrics.md, `returning.basis: session`: "per VISIT (first visit ever known = new)".

    `seen` are the sessions of a segment, `sessions` those of the whole site.
    """
    firsts = _first_of_each(sessions, choices)
    new = [session for session in seen if any(session is first for first in firsts)]
    kinds = ("day", "week", "month")
    number, of = (sums(some, (*kinds, "all"), _at, _one) for some in (new, seen))
    every = {window: count for window, count in of.items() if window.kind in kinds}
    return {
        "new_visitors": {w: Answer(number.get(w, 0)) for w in of},
        "returning_visitors": {w: Answer(n - number.get(w, 0)) for w, n in every.items()},
        "new_visitor_share": ratios({w: number.get(w, 0) for w in every}, every),
    }


def _first_of_each(sessions: Iterable[Session], choices: Choices) -> list[Session]:
    """Return each person's first session; of two at one instant, the one whose event sorts first."""
    firsts: dict[str | None, Session] = {}

    def order(session: Session) -> tuple[object, ...]:
        return session.first["ms"], pairs_of(session.first, choices.dimensions), session.at_ms

    for session in sorted(sessions, key=order):
        firsts.setdefault(owner(session.first, choices), session)
    return list(firsts.values())


def _quantiles(
    seen: Iterable[Session], kinds: Iterable[str], q: float, wall: Wall
) -> dict[Window, Answer]:
    """Return the duration that a share `q` of the sessions does not exceed: by rank, in seconds."""
    durations: dict[Window, list[float]] = {}
    for session in seen:
        for kind in kinds:
            for window in wall.windows(kind, session.at_ms):
                durations.setdefault(window, []).append(session.lasts_ms / 1000)
    return {
        window: Answer(sorted(found)[math.ceil(q * len(found)) - 1], 1)
        for window, found in durations.items()
    }


def _at(session: Session) -> int:
    return session.at_ms


def _one(_: object) -> float:
    return 1
