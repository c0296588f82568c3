"""Events of the topic `sessions`: the begin and the end of a session."""

from typing import TypeAlias

from schemas.envelope import Envelope
from schemas.event_type import EventType


class SessionStart(Envelope, kw_only=True, gc=False, tag="session_start"):
    """A session began."""


class SessionEnd(Envelope, kw_only=True, gc=False, tag="session_end"):
    """A session was ended by the person."""


SessionsEvent: TypeAlias = SessionStart | SessionEnd

TYPES = (
    EventType(SessionStart, "sessions"),
    EventType(SessionEnd, "sessions"),
)
