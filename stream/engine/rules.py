"""The settings as the engine reads them: milliseconds, event rules and predicates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.events import Event
from stream.churn.risk import RiskRules
from stream.counters.calendar import Calendar
from stream.engine.event_rules import EventRule
from stream.engine.exclusions import Exclusions
from stream.history.spelling import reason_key
from stream.people.lifecycle import LifecycleRules
from stream.people.newcomers import Activation
from stream.people.placeholder_ids import PlaceholderIds
from stream.sessions.rules import SessionRules
from stream.settings.application import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the shard must know to decide about an event; times are in ms.

    A field is a setting under its own name, read for each event or made of several settings. All
    others are read from `settings`.
    """

    settings: Settings
    event_rules: Mapping[type, EventRule]
    sessions: SessionRules
    lifecycle: LifecycleRules
    calendar_of: Callable[[str], Calendar]
    #: Dimension of metrics → its most values, if they differ from `dimension_values_max`.
    own_values_max: Mapping[str, int]
    #: Dimensions of metrics whose values no event can make up.
    fixed_dimensions: frozenset[str]
    #: Sites that are always counted one by one, and the number of further ones.
    named_sites: frozenset[str]
    first_sites_max: int
    identity_is_user: bool
    #: ids.placeholders
    placeholder_ids: PlaceholderIds
    currency: str | None
    allowed_lateness_ms: int
    #: time.correction_window_seconds; 0 unless time.late_policy is update.
    correction_window_ms: int
    max_future_skew_ms: int
    dedupe_window_ms: int
    hour_retention_ms: int
    #: churn.involuntary_reasons, by their `reason_key`.
    involuntary_reasons: frozenset[str]
    #: Rule for single events of newcomers; None: only their active days count.
    activation: Activation | None
    #: Rule for events with is_bot, in place of that of their type; None: that of their type.
    bot_rule: EventRule | None
    exclusions: Exclusions | None
    #: None: the model of churn risk is switched off.
    churn_risk: RiskRules | None

    def somebody(self, event: Event, who: str) -> str | None:
        """Return the id of an event's person; placeholder ids are removed from the event.

        `who` is the id of the person unless it is a placeholder.
        """
        if not self.placeholder_ids.has(who):
            return who
        self.placeholder_ids.take_off(event)
        return event.user_id or event.visitor_id

    def is_personless(self, event: Event) -> bool:
        """Whether no id of an event names its person; placeholder ids are removed from the event."""
        user, visitor = event.user_id, event.visitor_id
        who = (user or visitor) if self.identity_is_user else (visitor or user)
        return who is None or self.somebody(event, who) is None

    def is_involuntary(self, reason: str | None) -> bool:
        """Whether a reason for leaving is one that the customer did not choose."""
        return reason is not None and reason_key(reason) in self.involuntary_reasons

    @property
    def horizon_ms(self) -> int:
        """Longest time that an event may be behind its partition's log clock and still count."""
        return self.allowed_lateness_ms + self.correction_window_ms
