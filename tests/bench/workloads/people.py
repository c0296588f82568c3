"""Senders of events and the types they send: one endless stream for each shape of traffic."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from random import Random

#: Numbers of people and event types, in the order of the events.
Senders = Iterator[tuple[int, str]]
#: Makes the senders of a workload from a random source and the number of its events.
Shape = Callable[[Random, int], Senders]

PEOPLE = 20_000
AT_ONCE = 2_000
EVENTS_A_VISIT = 5
#: Shares of a shop's events, in percent.
MIX: Mapping[str, int] = {
    "page_view": 60, "impression": 15, "click": 8, "heartbeat": 10, "add_to_cart": 4, "order": 2,
    "survey_response": 1,
}  # fmt: skip
HOT_PERSON = PEOPLE  # none of the others
HOT_EVERY = 10
_CHUNK = 10_000


def anyone(people: int) -> Callable[[Random], Iterator[int]]:
    """Draw each sender from the same people."""

    def draw(rng: Random) -> Iterator[int]:
        number = rng.random
        while True:
            yield int(number() * people)

    return draw


def visitors(rng: Random) -> Iterator[int]:
    """Draw from those on the site. A visit ends after EVENTS_A_VISIT on average; a new person comes."""
    here, come = list(range(AT_ONCE)), AT_ONCE
    number = rng.random
    while True:
        place = int(number() * AT_ONCE)
        yield here[place]
        if number() * EVENTS_A_VISIT < 1:
            here[place] = come
            come += 1


def only(event_type: str, who: Callable[[Random], Iterator[int]]) -> Shape:
    """Return the shape with one event type."""
    return lambda rng, _events: ((person, event_type) for person in who(rng))


def mixed(rng: Random, _events: int) -> Senders:
    """Visits with the types of MIX."""
    types, bounds = list(MIX), list(accumulate(MIX.values()))
    who = visitors(rng)
    while True:
        for event_type in rng.choices(types, cum_weights=bounds, k=_CHUNK):
            yield next(who), event_type


def cold(rng: Random, events: int) -> Senders:
    """Page views of half as many people as events: each comes twice on average, far apart."""
    return only("page_view", anyone(max(events // 2, 1)))(rng, events)


def history(rng: Random, _events: int) -> Senders:
    """Page views of many people; each tenth event is an order of another person, always the same."""
    others = anyone(PEOPLE)(rng)
    while True:
        yield HOT_PERSON, "order"
        for _ in range(HOT_EVERY - 1):
            yield next(others), "page_view"
