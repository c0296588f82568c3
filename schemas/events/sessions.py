"""Events of the topic `sessions`: start and end of a session."""

from typing import TypeAlias

from schemas.envelope import Envelope
from schemas.event_type import EventType


class SessionStart(Envelope, kw_only=True, gc=False, tag="session_start"):
    """A session began."""


class SessionEnd(Envelope, kw_only=True, gc=False, tag="session_end"):
    """The person ended the session."""


SessionsEvent: TypeAlias = SessionStart | SessionEnd

TYPES = (
    EventType(SessionStart, "sessions"),
    EventType(SessionEnd, "sessions"),
)
