"""Row of the table of event types: what an event type is, whatever the settings say."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from schemas.envelope import Envelope

#: Part of the engine that counts more than the event itself.
Effect: TypeAlias = Literal["page_view", "page_ping", "impression", "click", "subscription"]


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type. Checks, event rules, routing, schemas and pages derive from these rows."""

    struct: type[Envelope]
    #: Default topic. Any topic may carry any type: this decides where producers and `engage replay`
    #: send it.
    topic: str
    effect: Effect | None = None
    #: Belongs to a session: it extends one, and opens one if there is none.
    in_session: bool = True
    #: Counts as an interaction and keeps its session from being a bounce, unless
    #: `interaction.events` and `bounce.interactive_events` choose the types.
    interactive: bool = False
    #: Makes its person active only if `active.passive_types` leaves it out.
    passive: bool = False
    #: Carries visitor_id, user_id or both. False: bought reach, and reach that a network counts.
    has_person: bool = True
    #: Its person is an account, which is never active and never a visitor.
    of_account: bool = False

    @property
    def name(self) -> str:
        """Value of the event's field `type`."""
        return str(self.struct.__struct_config__.tag)

    @property
    def role(self) -> str:
        """Setting of [topics] with the name of its topic."""
        return self.topic.replace("-", "_")

    @property
    def counts_people(self) -> bool:
        """Whether the people of its events can be counted."""
        return self.has_person and not self.of_account
