"""What each event type means for the counts: one plan a type, looked up once an event."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from schemas.event_type import EventType
from schemas.events import EVENT_TYPES, Event
from schemas.events.clicks import Click, Custom
from schemas.events.feedback import TicketMessage
from stream.counters import measures
from stream.history.events import Aggregate, EventCounter


@dataclass(frozen=True, slots=True, eq=False)
class EventRule:
    """How to apply an event. `refine` picks another plan from the event's own fields."""

    counts: tuple[str, ...]
    #: Makes its person active on the day.
    active: bool
    #: Its person is there in the minute.
    present: bool = True
    #: Belongs to a session: extends it, and opens one.
    in_session: bool = True
    #: More than a heartbeat: the session it is in counts.
    real: bool = True
    page_view: bool = False
    #: Keeps a session of one page view from being a bounce.
    interactive: bool = False
    click: bool = False
    #: A page is in front of the person, for some time.
    look: bool = False
    impression: bool = False
    subscription: str = ""
    has_person: bool = True
    aggregates: tuple[Aggregate, ...] = ()
    #: Of a type by which newcomers may be activated.
    activating: bool = False
    event_counters: tuple[EventCounter, ...] = ()
    #: Bits that the event sets in its session's marks.
    session_marks: Callable[[Event], int] | None = None
    refine: "Callable[[Event], EventRule] | None" = None
    #: Counts something that most types do not.
    more: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "more",
            self.click or bool(self.subscription or self.aggregates or self.activating),
        )


#: Events of bots are counted as such, and nowhere else.
BOT = EventRule((measures.BOT_EVENTS,), active=False, in_session=False, has_person=False)

#: Internal traffic, and with bots.mode = "only" that of people: counted as set aside, and nowhere else.
EXCLUDED = EventRule((measures.EXCLUDED_EVENTS,), active=False, in_session=False, has_person=False)

_INTERACTIVE = frozenset(kind.name for kind in EVENT_TYPES.values() if kind.interactive)
_COUNTS = {"page_view": (measures.PAGE_VIEWS,), "impression": (measures.IMPRESSIONS,)}


@dataclass(frozen=True, slots=True)
class Interactive:
    """Types that count as an interaction, and types that keep a session from being a bounce."""

    counted: frozenset[str] = _INTERACTIVE
    unbouncing: frozenset[str] = _INTERACTIVE


def interactive(counted: Collection[str], unbouncing: Collection[str]) -> Interactive:
    """What the settings name; where they name none, everything by which somebody does more than look."""
    return Interactive(frozenset(counted) or _INTERACTIVE, frozenset(unbouncing) or _INTERACTIVE)


def build_event_rules(
    passive_types: Collection[str],
    aggregates: Collection[Aggregate] = (),
    event_counters: Collection[EventCounter] = (),
    session_marks: Mapping[str, Callable[[Event], int]] = MappingProxyType({}),
    doing: Interactive = Interactive(),
    activating: str = "",
) -> Mapping[type, EventRule]:
    """The plan of every event class.

    Types in `passive_types` do not make a person active; the one that is `activating` (*: all) is looked at
    for newcomers.
    """
    event_rules: dict[type, EventRule] = {}
    for tag, kind in EVENT_TYPES.items():
        interactions = (measures.INTERACTIONS,) if tag in doing.counted else ()
        effect = kind.effect or ""
        rule = EventRule(
            counts=(measures.EVENTS, *_COUNTS.get(effect, ()), *interactions),
            active=tag not in passive_types and not kind.of_account,
            present=not kind.of_account,
            in_session=kind.in_session,
            real=effect != "page_ping",
            page_view=effect == "page_view",
            look=effect == "page_ping",
            impression=effect == "impression",
            interactive=tag in doing.unbouncing,
            subscription=tag.removeprefix("subscription_") if effect == "subscription" else "",
            has_person=kind.has_person,
            aggregates=tuple(aggregate for aggregate in aggregates if tag in aggregate.types),
            activating=activating in ("*", tag),
            event_counters=tuple(
                count_event for count_event in event_counters if tag in count_event.types
            ),
            session_marks=session_marks.get(tag),
        )
        event_rules[kind.struct] = replace(rule, refine=_refiner(kind, rule))
    return event_rules


def _refiner(kind: EventType, rule: EventRule) -> Callable[[Event], EventRule] | None:
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
    if kind.struct is TicketMessage:
        return _choose(
            lambda event: isinstance(event, TicketMessage) and event.direction == "incoming",
            rule,
            # What support writes is nothing that the customer does.
            replace(rule, active=False, counts=(measures.EVENTS,)),
        )
    return None


def _choose(
    test: Callable[[Event], bool], yes: EventRule, no: EventRule
) -> Callable[[Event], EventRule]:
    return lambda event: yes if test(event) else no
