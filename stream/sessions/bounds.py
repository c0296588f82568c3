"""Starts and ends that trackers send: which sessions they keep an event from."""

from stream.sessions.session import BEGUN, ENDED, Session


def _may_take(session: Session, time_ms: int, bound: int) -> bool:
    """Return whether neither a session's own start or end nor that of the event is between them."""
    if time_ms > session.end:
        return not session.traits & ENDED and bound != BEGUN
    if time_ms < session.start:
        return not session.traits & BEGUN and bound != ENDED
    # A start at the last instant of a session begins another one.
    return bound != BEGUN or session.start == time_ms or session.end > time_ms


def on_this_side(found: list[Session], time_ms: int, bound: int) -> list[Session]:
    """Return the sessions that no start or end keeps from an event, their own or another one's.

    `bound`: BEGUN for a session_start, ENDED for a session_end, else 0. Of two sessions that meet at
    the instant of an event, the second takes it; but a session_end belongs to the first.
    """
    if not bound and not any(session.traits & (BEGUN | ENDED) for session in found):
        return found
    kept = [
        session
        for session in found
        if _may_take(session, time_ms, bound)
        and not any(_is_between(other, session, time_ms, bound) for other in found)
    ]
    if bound == ENDED and any(session.start < time_ms for session in kept):
        return [session for session in kept if session.start < time_ms]
    return kept


def _is_between(other: Session, session: Session, time_ms: int, bound: int) -> bool:
    """Return whether another session's start or end lies between a session and an event."""
    if other.traits & BEGUN and (
        session.start < other.start < time_ms + (bound != ENDED)
        or time_ms < other.start < session.start
    ):
        return True
    return bool(other.traits & ENDED) and (
        session.end < other.end < time_ms or time_ms <= other.end < session.start
    )


def set_bound(session: Session, time_ms: int, bound: int) -> None:
    """Note that an event of a session starts or ends it.

    One that lies within it does neither: events on both sides of it are one session already.
    """
    begins = session.start == time_ms
    if bound == BEGUN and begins:
        session.traits |= BEGUN
        if session.end == time_ms:
            session.traits &= ~ENDED
    elif bound == ENDED and session.end == time_ms and not (begins and session.traits & BEGUN):
        session.traits |= ENDED
