"""The settings as the pure core wants them: milliseconds, plans and predicates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream.churn.risk import RiskRules
from stream.counters.calendar import Calendar
from stream.engine.event_rules import EventRule
from stream.engine.exclusions import Exclusions
from stream.people.lifecycle import LifecycleRules
from stream.people.newcomers import Activation
from stream.sessions.rules import SessionRules


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything the shard must know to decide about an event. Times are ms."""

    event_rules: Mapping[type, EventRule]
    sessions: SessionRules
    lifecycle: LifecycleRules
    calendar_of: Callable[[str], Calendar]
    dimensions: tuple[str, ...]
    dimension_values_max: int
    #: Dimension → how many values it may have, where that is not `values_max`.
    own_values_max: Mapping[str, int]
    page_hosts: bool
    #: Live visitors are people with any event in so many minutes.
    live_minutes: int
    #: People are counted by the hour as well.
    rolling_hours: bool
    identity_is_user: bool
    currency: str | None
    allowed_lateness_ms: int
    correction_window_ms: int
    #: Late events are counted as such, and not kept in the ledger.
    late_policy_is_drop: bool
    max_future_skew_ms: int
    dedupe_window_ms: int
    ids_max: int
    hour_retention_ms: int
    day_retention_days: int
    #: Reasons, in small letters, for which customers leave who did not want to.
    involuntary_reasons: frozenset[str]
    #: How long after an involuntary end its customer stays one.
    grace_period_ms: int
    #: Who cancels is no customer from then on, whenever it takes effect.
    effective_is_request: bool
    #: What newcomers are watched for; None: for nothing.
    activation: Activation | None
    #: What is applied to events that say that they are a bot's; None: their own plan.
    bot_rule: EventRule | None
    exclusions: Exclusions | None
    #: What the model of churn risk is told; None: there is none.
    churn_risk: RiskRules | None

    def is_involuntary(self, reason: str | None) -> bool:
        """Whether a customer who leaves for a reason did not want to."""
        return reason is not None and reason.strip().lower() in self.involuntary_reasons

    @property
    def horizon_ms(self) -> int:
        """How far behind its partition's log clock an event may be and still count."""
        return self.allowed_lateness_ms + self.correction_window_ms
