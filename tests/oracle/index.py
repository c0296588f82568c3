"""The numbers of visits: how many, how long, how many bounced, which are the first of their person."""

import math
from collections.abc import Callable, Iterable, Sequence

from tests.oracle.pages import Sums, Table
from tests.oracle.sessions import Visit, is_bounce, owner, pairs_of
from tests.oracle.terms import Answer, Knobs, ratios
from tests.oracle.time import Wall, Window


def of_visits(seen: Sequence[Visit], knobs: Knobs, sums: Sums, wall: Wall) -> Table:
    """metrics.md, assignment to a window: "Default: by start". All are closed in the end."""
    kinds = ("hour", "day", "all")
    rolling = ("trailing_1h", *kinds)

    def total(
        of: Iterable[Visit], worth: Callable[[Visit], float], over: Sequence[str] = kinds
    ) -> dict[Window, float]:
        found: dict[Window, float] = sums(of, over, _at, worth)
        return found

    number = total(seen, _one)
    timed = [visit for visit in seen if visit.lasts_ms or not knobs.without_zeros]
    # "sessions without page views excluded"
    viewed = [visit for visit in seen if visit.page_views]
    bounced = [
        visit
        for visit in viewed
        if is_bounce(visit, knobs.bounce_mode, knobs.engaged_seconds, knobs.engaged_views)
    ]
    return {
        "sessions": {window: Answer(n) for window, n in number.items()},
        "pages_per_session": ratios(total(seen, lambda v: v.pages), number),
        "session_duration": ratios(total(timed, lambda v: v.lasts_ms / 1000), total(timed, _one)),
        "session_duration_p50": _quantiles(timed, kinds, 0.5, wall),
        "session_duration_p90": _quantiles(timed, kinds, 0.9, wall),
        "bounce_rate": ratios(total(bounced, _one, rolling), total(viewed, _one, rolling)),
    }


def newcomers(seen: Sequence[Visit], visits: Sequence[Visit], knobs: Knobs, sums: Sums) -> Table:
    """metrics.md, `returning.basis: session`: "per VISIT (first visit ever known = new)".

    `seen` are the visits of a segment, `visits` all of the site's.
    """
    firsts = _first_of_each(visits, knobs)
    new = [visit for visit in seen if any(visit is first for first in firsts)]
    kinds = ("day", "week", "month")
    number, of = (sums(some, (*kinds, "all"), _at, _one) for some in (new, seen))
    every = {window: count for window, count in of.items() if window.kind in kinds}
    return {
        "new_visitors": {w: Answer(number.get(w, 0)) for w in of},
        "returning_visitors": {w: Answer(n - number.get(w, 0)) for w, n in every.items()},
        "new_visitor_share": ratios({w: number.get(w, 0) for w in every}, every),
    }


def _first_of_each(visits: Iterable[Visit], knobs: Knobs) -> list[Visit]:
    """The first visit of everybody; of two that begin at once, the one whose event sorts first."""
    firsts: dict[str | None, Visit] = {}

    def order(visit: Visit) -> tuple[object, ...]:
        return visit.first["ms"], pairs_of(visit.first, knobs.dimensions), visit.at_ms

    for visit in sorted(visits, key=order):
        firsts.setdefault(owner(visit.first, knobs), visit)
    return list(firsts.values())


def _quantiles(
    seen: Iterable[Visit], kinds: Iterable[str], q: float, wall: Wall
) -> dict[Window, Answer]:
    """The duration that a share `q` of the sessions does not exceed: by rank, in seconds."""
    durations: dict[Window, list[float]] = {}
    for visit in seen:
        for kind in kinds:
            for window in wall.windows(kind, visit.at_ms):
                durations.setdefault(window, []).append(visit.lasts_ms / 1000)
    return {
        window: Answer(sorted(found)[math.ceil(q * len(found)) - 1], 1)
        for window, found in durations.items()
    }


def _at(visit: Visit) -> int:
    return visit.at_ms


def _one(_: object) -> float:
    return 1
