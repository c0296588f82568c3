"""Events of the topic `feedback`: surveys and support tickets."""

from typing import TypeAlias

from schemas.envelope import Author, Direction, Envelope, Name, Score, Survey
from schemas.event_type import EventType


class SurveyResponse(Envelope, kw_only=True, gc=False, tag="survey_response"):
    """A survey was answered."""

    survey: Survey
    score: Score
    scale_max: Score | None = None
    response_id: Name | None = None

    def __post_init__(self) -> None:
        """Check the score against the scale of its survey. Raises ValueError."""
        first = 1 if self.survey in ("csat", "ces") else 0
        last = 10 if self.survey == "nps" else self.scale_max
        if self.score < first or (last is not None and self.score > last):
            raise ValueError(
                f"Invalid value {self.score:g} - at `$.score`: {self.survey} is answered from "
                f"{first}" + ("" if last is None else f" to {last:g}")
            )


class SurveyDismissed(Envelope, kw_only=True, gc=False, tag="survey_dismissed"):
    """A survey was shown and closed without an answer."""

    survey: Survey | None = None


class TicketOpened(Envelope, kw_only=True, gc=False, tag="ticket_opened"):
    """A customer asked for help."""

    ticket_id: Name
    direction: Direction | None = None
    author: Author | None = None


class TicketMessage(Envelope, kw_only=True, gc=False, tag="ticket_message"):
    """A message went to or came from a customer."""

    ticket_id: Name
    direction: Direction
    author: Author | None = None


class TicketResolved(Envelope, kw_only=True, gc=False, tag="ticket_resolved"):
    """A ticket was resolved."""

    ticket_id: Name


class TicketReopened(Envelope, kw_only=True, gc=False, tag="ticket_reopened"):
    """A resolved ticket was opened again."""

    ticket_id: Name


FeedbackEvent: TypeAlias = (
    SurveyResponse
    | SurveyDismissed
    | TicketOpened
    | TicketMessage
    | TicketResolved
    | TicketReopened
)

TYPES = (
    EventType(SurveyResponse, "feedback", in_session=False),
    EventType(SurveyDismissed, "feedback", in_session=False),
    EventType(TicketOpened, "feedback", in_session=False),
    EventType(TicketMessage, "feedback", in_session=False),
    EventType(TicketResolved, "feedback", in_session=False, passive=True),
    EventType(TicketReopened, "feedback", in_session=False),
)
