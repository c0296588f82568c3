"""Event rules: one for each event type, looked up once an event, says what the event counts."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from schemas.event_type import EventType
from schemas.events import EVENT_TYPES, Event
from schemas.events.clicks import Click, Custom
from schemas.events.feedback import TicketMessage, TicketOpened
from schemas.events.subscriptions import SubscriptionCancelled
from stream.counters import measures
from stream.history.aggregates.aggregate import Aggregate, EventCounter
from stream.history.spelling import reason_key
from stream.sessions.session import BEGUN, ENDED


@dataclass(frozen=True, slots=True, eq=False)
class EventRule:
    """Effects of an event of one type. `refine` picks another rule from the event's own fields."""

    #: Measures that each event adds one to.
    counts: tuple[str, ...]
    #: Whether it makes its person active on the day.
    active: bool
    #: Whether it makes its person a live visitor of the minute.
    present: bool = True
    #: Whether it belongs to a session: it extends one, and opens one.
    in_session: bool = True
    #: Whether it makes a session count: heartbeats alone do not, nor does an end alone.
    real: bool = True
    page_view: bool = False
    #: A heartbeat: a page is in front of the person for some time.
    page_ping: bool = False
    #: Whether it keeps a session of one page view from being a bounce.
    interactive: bool = False
    #: Whether it counts for the session of its own instant: see stream/sessions/splitting.py.
    alone: bool = False
    #: BEGUN if it begins a session, ENDED if it ends one, else 0.
    bound: int = 0
    #: A click on known content.
    click: bool = False
    impression: bool = False
    #: started, changed, renewed, cancelled or ended; empty for other types
    subscription: str = ""
    has_person: bool = True
    #: Aggregates whose history of a person the event extends.
    aggregates: tuple[Aggregate, ...] = ()
    #: Whether it may activate a newcomer.
    activating: bool = False
    event_counters: tuple[EventCounter, ...] = ()
    #: Bits that the event sets in its session's marks.
    session_marks: Callable[[Event], int] | None = None
    refine: "Callable[[Event], EventRule] | None" = None
    #: Whether its session is looked for even if it could extend the newest one.
    is_placed: bool = field(init=False)
    #: Whether it counts more about its person than activity and session: see person_events.
    is_person_event: bool = field(init=False)
    #: Whether it has counts besides `counts` that need no person: see page_events and person_events.
    counts_by_itself: bool = field(init=False)

    def __post_init__(self) -> None:
        is_person_event = self.click or bool(
            self.subscription or self.aggregates or self.activating
        )
        object.__setattr__(self, "is_person_event", is_person_event)
        object.__setattr__(self, "is_placed", self.alone or self.bound != 0)
        counts_by_itself = self.impression or self.click or bool(self.event_counters)
        object.__setattr__(self, "counts_by_itself", counts_by_itself)


#: Bots' events are counted under their own measure only.
BOT = EventRule((measures.BOT_EVENTS,), active=False, in_session=False, has_person=False)

#: Excluded events (internal traffic; with bots.mode = "only" people's) likewise.
EXCLUDED = EventRule((measures.EXCLUDED_EVENTS,), active=False, in_session=False, has_person=False)

_INTERACTIVE = frozenset(kind.name for kind in EVENT_TYPES.values() if kind.interactive)
#: Types that servers send without a session id, and that a session is judged by.
_ALONE = frozenset(
    ("add_to_cart", "remove_from_cart", "checkout_started", "order", "goal"),
)
_COUNTS = {"page_view": (measures.PAGE_VIEWS,), "impression": (measures.IMPRESSIONS,)}


#: Types that begin and end a session, if `session.explicit_ends` is set.
BOUNDS: Mapping[str, int] = MappingProxyType({"session_start": BEGUN, "session_end": ENDED})


@dataclass(frozen=True, slots=True)
class InteractiveTypes:
    """Event types that count as interactions, and those that keep a session from being a bounce."""

    interaction_events: frozenset[str] = _INTERACTIVE
    bounce_interactive_events: frozenset[str] = _INTERACTIVE


def interactive_types(
    interaction_events: Collection[str], bounce_interactive_events: Collection[str]
) -> InteractiveTypes:
    """Return the types that the settings name; an empty setting means every interactive type."""
    return InteractiveTypes(
        frozenset(interaction_events) or _INTERACTIVE,
        frozenset(bounce_interactive_events) or _INTERACTIVE,
    )


def build_event_rules(
    passive_types: Collection[str],
    aggregates: Collection[Aggregate] = (),
    event_counters: Collection[EventCounter] = (),
    session_marks: Mapping[str, Callable[[Event], int]] = MappingProxyType({}),
    interactive: InteractiveTypes = InteractiveTypes(),
    activating: str = "",
    involuntary_reasons: Collection[str] = (),
    bounds: Mapping[str, int] = MappingProxyType({}),
) -> Mapping[type, EventRule]:
    """Return the rule of every event class.

    Events of `passive_types` do not make a person active. `activating` is the type that may activate
    newcomers; `*`: every type. `involuntary_reasons` are `reason_key`s. `bounds` are the types
    that begin or end a session.
    """
    event_rules: dict[type, EventRule] = {}
    for tag, kind in EVENT_TYPES.items():
        effect = kind.effect or ""
        is_interaction = tag in interactive.interaction_events
        interactions = (measures.INTERACTIONS,) if is_interaction else ()
        rule = EventRule(
            counts=(measures.EVENTS, *_COUNTS.get(effect, ()), *interactions),
            active=tag not in passive_types and not kind.of_account,
            present=not kind.of_account,
            in_session=kind.in_session,
            real=effect != "page_ping" and bounds.get(tag) != ENDED,
            page_view=effect == "page_view",
            page_ping=effect == "page_ping",
            alone=tag in _ALONE,
            bound=bounds.get(tag, 0),
            interactive=tag in interactive.bounce_interactive_events,
            impression=effect == "impression",
            subscription=tag.removeprefix("subscription_") if effect == "subscription" else "",
            has_person=kind.has_person,
            aggregates=tuple(aggregate for aggregate in aggregates if tag in aggregate.types),
            activating=activating in ("*", tag),
            event_counters=tuple(counter for counter in event_counters if tag in counter.types),
            session_marks=session_marks.get(tag),
        )
        event_rules[kind.struct] = replace(rule, refine=_refiner(kind, rule, involuntary_reasons))
    return event_rules


def _refiner(
    kind: EventType, rule: EventRule, involuntary_reasons: Collection[str]
) -> Callable[[Event], EventRule] | None:
    if kind.effect == "click":
        return _choose(
            lambda event: isinstance(event, Click) and event.content_id is not None,
            # Only a click on known content belongs in the click-through rate.
            replace(rule, counts=(*rule.counts, measures.CLICKS), click=True),
            rule,
        )
    if kind.struct is Custom:
        return _choose(
            lambda event: isinstance(event, Custom) and event.interactive,
            rule,
            replace(rule, counts=(measures.EVENTS,), interactive=False),
        )
    # What support or a bank does is no act of the customer.
    suffered = replace(rule, active=False, counts=(measures.EVENTS,))
    if kind.struct is TicketMessage:
        return _choose(
            lambda event: isinstance(event, TicketMessage) and event.direction == "incoming",
            rule,
            suffered,
        )
    if kind.struct is TicketOpened:
        return _choose(_is_opened_by_support, suffered, rule)
    if kind.struct is SubscriptionCancelled:
        return _choose(
            lambda event: (
                isinstance(event, SubscriptionCancelled)
                and event.reason is not None
                and reason_key(event.reason) in involuntary_reasons
            ),
            suffered,
            rule,
        )
    return None


def _is_opened_by_support(event: Event) -> bool:
    """Whether support opened a ticket. Without a direction its author tells."""
    if not isinstance(event, TicketOpened):
        return False
    if event.direction is None:
        return event.author is not None
    return event.direction == "outgoing"


def _choose(
    test: Callable[[Event], bool], yes: EventRule, no: EventRule
) -> Callable[[Event], EventRule]:
    return lambda event: yes if test(event) else no
