"""What each event type means for the counts: one plan a type, looked up once an event."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from schemas import events
from schemas.events import EVENT_TYPES, OF_ACCOUNTS, PERSONLESS, Event
from stream import measures
from stream.facts import Tally, Theme


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
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
    themes: tuple[Theme, ...] = ()
    tallies: tuple[Tally, ...] = ()
    #: Bits that the event sets in its session's marks.
    session_marks: Callable[[Event], int] | None = None
    refine: "Callable[[Event], Plan] | None" = None
    #: Counts something that most types do not.
    more: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "more", self.click or bool(self.subscription or self.themes))


#: Events of bots are counted as such, and nowhere else.
BOT = Plan((measures.BOT_EVENTS,), active=False, in_session=False, has_person=False)

#: Internal traffic, and with bots.mode = "only" that of people: counted as set aside, and nowhere else.
EXCLUDED = Plan((measures.EXCLUDED_EVENTS,), active=False, in_session=False, has_person=False)

#: Types that belong to no visit: they come from a back office, or from other places than the site.
_OUTSIDE = {
    "subscription_started", "subscription_changed", "subscription_renewed",
    "subscription_cancelled", "subscription_ended", "refund", "survey_response",
    "survey_dismissed", "ticket_opened", "ticket_message", "ticket_resolved", "ticket_reopened",
    "social_impression", "social_engagement", "social_reach", "social_followers",
    "marketing_spend",
}  # fmt: skip
_INTERACTIVE = {
    "click", "custom", "feature_used", "add_to_cart", "remove_from_cart", "checkout_started",
    "order", "goal",
}  # fmt: skip
_COUNTS = {
    "page_view": (measures.EVENTS, measures.PAGE_VIEWS),
    "impression": (measures.EVENTS, measures.IMPRESSIONS),
    **dict.fromkeys(_INTERACTIVE, (measures.EVENTS, measures.INTERACTIONS)),
}


def build_plans(
    passive_types: Collection[str],
    themes: Collection[Theme] = (),
    tallies: Collection[Tally] = (),
    session_marks: Mapping[str, Callable[[Event], int]] = MappingProxyType({}),
) -> Mapping[type, Plan]:
    """The plan of every event class; types in `passive_types` do not make a person active."""
    plans: dict[type, Plan] = {}
    for tag, struct in EVENT_TYPES.items():
        plan = Plan(
            counts=_COUNTS.get(tag, (measures.EVENTS,)),
            active=tag not in passive_types and struct not in OF_ACCOUNTS,
            present=struct not in OF_ACCOUNTS,
            in_session=tag not in _OUTSIDE,
            real=tag != "heartbeat",
            page_view=tag == "page_view",
            look=tag == "heartbeat",
            impression=tag == "impression",
            interactive=tag in _INTERACTIVE,
            subscription=tag.removeprefix("subscription_")
            if tag.startswith("subscription_")
            else "",
            has_person=struct not in PERSONLESS,
            themes=tuple(theme for theme in themes if tag in theme.types),
            tallies=tuple(tally for tally in tallies if tag in tally.types),
            session_marks=session_marks.get(tag),
        )
        plans[struct] = replace(plan, refine=_refiner(tag, plan))
    return plans


def _refiner(tag: str, plan: Plan) -> Callable[[Event], Plan] | None:
    if tag == "click":
        return _choose(
            lambda event: isinstance(event, events.Click) and event.content_id is not None,
            # Only a click on known content belongs in the click-through rate.
            replace(plan, counts=(*plan.counts, measures.CLICKS), click=True),
            plan,
        )
    if tag == "custom":
        return _choose(
            lambda event: isinstance(event, events.Custom) and event.interactive,
            replace(plan, interactive=True),
            replace(plan, counts=(measures.EVENTS,), interactive=False),
        )
    if tag == "ticket_message":
        return _choose(
            lambda event: isinstance(event, events.TicketMessage) and event.direction == "incoming",
            plan,
            # What support writes does not make the customer active.
            replace(plan, active=False),
        )
    return None


def _choose(test: Callable[[Event], bool], yes: Plan, no: Plan) -> Callable[[Event], Plan]:
    return lambda event: yes if test(event) else no
