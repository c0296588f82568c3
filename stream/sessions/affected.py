"""Finds the sessions that an event may change, before it changes them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stream.sessions.session import Session
from stream.sessions.splitting import Fragments


class At(NamedTuple):
    """Place of an event: its session id, time and platform, and whether it starts or ends a session."""

    sid: str | None
    time_ms: int
    platform: str
    is_bound: bool


def affected(
    fragments: Fragments, sessions: Sequence[Session], found: Sequence[Session], event: At
) -> list[list[Session]]:
    """Return the sessions, each as its fragments, that an event may change.

    `found` are those it extends or joins. Of a person with sessions of both kinds, more may change: a
    session by id that grows takes over gap sessions, and a gap session that grows may belong to
    another one.
    """
    sid, time_ms, platform, _ = event
    by_id = [session for session in sessions if session.sid is not None]
    if not by_id or len(by_id) == len(sessions):
        if sid is not None:
            return [[session] for session in found]
        return fragments.touched(fragments.groups(sessions), time_ms, platform)
    runs = [run.fragments for run in fragments.runs(sessions, by_id)]
    at = [(time_ms, platform)] if sid is None else _taken_over(fragments, runs, found, event)
    changed = [run for time, on in at for run in fragments.touched(runs, time, on)]
    starts = [time_ms] if sid is None else []
    starts += [fragment.start for run in changed for fragment in run]
    reach_ms = fragments.longest_reach_ms
    changing = {fragment for run in changed for fragment in run}
    changing.update(found)
    changing.update(
        session
        for session in by_id
        if any(session.start <= start <= session.end + reach_ms for start in starts)
    )
    return [group for group in fragments.groups(sessions) if not changing.isdisjoint(group)]


def _taken_over(
    fragments: Fragments, runs: Iterable[list[Session]], found: Sequence[Session], event: At
) -> list[tuple[int, str]]:
    """Return (start, platform) of the fragments for which a session by id opens, or may go, anew."""
    reach_ms, time_ms = fragments.longest_reach_ms, event.time_ms
    first_ms, last_ms = time_ms, time_ms + reach_ms
    if len(found) == 1 and found[0].start <= time_ms <= found[0].end and not event.is_bound:
        return []
    if found:
        ends = sorted(session.end for session in found)
        first = min(session.start for session in found)
        # It was open before from its start until its reach; joined ones are so in between as well.
        first_ms = time_ms if time_ms < first else ends[0]
        last_ms = max(ends[-1], time_ms) + reach_ms
    return [
        (fragment.start, fragment.platform)
        for run in runs
        for fragment in run
        if first_ms <= fragment.start <= last_ms
    ]
