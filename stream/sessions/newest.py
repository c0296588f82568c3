"""Whether a person's newest session may be extended without a look at the others."""

from collections.abc import Iterable

from stream.sessions.rules import SessionRules
from stream.sessions.session import ALONE, Session, sid_digest


def may_go_on_alone(rules: SessionRules, sessions: Iterable[Session], session: Session) -> bool:
    """Return whether later events may extend a session without a look at the others.

    They may if it cannot reach another one, and if no gap session can come to belong to it.
    """
    end_ms = session.end
    for other in sessions:
        if other.start <= end_ms:
            continue
        if other.traits & ALONE or (session.sid is not None and other.sid is None):
            if other.start > end_ms + rules.reach_of(other.platform):
                return False
        elif other.platform == session.platform and _is_same_id(session, other):
            return False
    return True


def goes_on_beside(rules: SessionRules, tail: Session, time_ms: int) -> bool:
    """Return whether the newest session may still be extended alone, beside a fragment of an instant."""
    if tail.sid is None and time_ms < tail.start:
        return False
    return time_ms <= tail.end + rules.reach_of(tail.platform)


def _is_same_id(session: Session, other: Session) -> bool:
    """Return whether two sessions have one id, or both none; a closed one has its digest."""
    sid = session.sid
    return other.sid == sid or (isinstance(sid, str) and other.sid == sid_digest(sid))
