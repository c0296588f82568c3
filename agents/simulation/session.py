"""One simulated session: the events of a person between arriving and leaving."""

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from agents.simulation.people import Person, Population

PAGES = (
    *("/", "/pricing", "/features", "/blog", "/docs", "/login", "/about"),
    *(f"/blog/post-{number}" for number in range(1, 34)),
)
CONTENTS = tuple(f"teaser-{number}" for number in range(1, 21))
FEATURES = ("search", "export", "dashboard", "share", "import")
# Zipf: the k-th page is viewed 1/k as often as the first.
PAGE_WEIGHTS = tuple(accumulate(1 / rank for rank in range(1, len(PAGES) + 1)))
CONTENT_WEIGHTS = tuple(accumulate(1 / rank for rank in range(1, len(CONTENTS) + 1)))

CLICK_SHARE = 0.09
HEARTBEAT_MS = 10_000
DWELL_MAX_MS = 45_000


class Planned(NamedTuple):
    """Planned event: its time, its type and its own fields."""

    time_ms: int
    type: str
    person: Person
    session_id: str | None
    fields: dict[str, Any]


class SimulatedSession:
    """Plans the events of one session; with `bounces` it has one page view and no interaction."""

    def __init__(
        self,
        person: Person,
        people: Population,
        rng: random.Random,
        start_ms: int,
        *,
        bounces: bool,
        heartbeats: bool,
    ) -> None:
        self._person = person
        self._people = people
        self._rng = rng
        self._now_ms = start_ms
        self._bounces = bounces
        self._heartbeats = heartbeats
        self._session_id = f"s-{rng.getrandbits(48):012x}"

    def events(self) -> Iterator[Planned]:
        """Yield the events of the session in order of time."""
        rng = self._rng
        yield self._event("session_start")
        pages = 1 if self._bounces else 2 + min(12, int(rng.expovariate(1 / 1.6)))
        for _ in range(pages):
            yield from self._page()
        if not self._bounces:
            yield from self._business()
        if rng.random() < 0.7:
            yield self._event("session_end")

    def _event(self, type_: str, /, **fields: Any) -> Planned:
        # A millisecond between events keeps their order after sorting by time.
        self._now_ms += 1
        return Planned(self._now_ms, type_, self._person, self._session_id, fields)

    def _page(self) -> Iterator[Planned]:
        rng = self._rng
        path = rng.choices(PAGES, cum_weights=PAGE_WEIGHTS)[0]
        url = f"https://{self._person.site}.example{path}"
        yield self._event("page_view", page_url=url, page_title=path.strip("/"))
        content = rng.choices(CONTENTS, cum_weights=CONTENT_WEIGHTS)[0]
        yield self._event("impression", content_id=content)
        left_ms = min(DWELL_MAX_MS, int(1000 * rng.lognormvariate(2.2, 0.8)))
        depth = rng.randrange(10, 60)
        while self._heartbeats and left_ms >= HEARTBEAT_MS:
            self._now_ms += HEARTBEAT_MS
            left_ms -= HEARTBEAT_MS
            depth = min(100, depth + rng.randrange(0, 30))
            yield self._event(
                "heartbeat", page_url=url, engaged_ms=HEARTBEAT_MS, scroll_depth=depth
            )
        self._now_ms += left_ms
        if not self._bounces:
            if rng.random() < CLICK_SHARE:
                yield self._event("click", content_id=content, page_url=url)
            if rng.random() < 0.06:
                yield self._event("custom", name="video_played", value=1)

    def _business(self) -> Iterator[Planned]:
        rng, person = self._rng, self._person
        if person.subscription is not None:
            if rng.random() < 0.5:
                yield self._event("feature_used", feature=rng.choice(FEATURES))
            if rng.random() < 0.01:
                yield cancellation(self._now_ms, person, self._people)
        elif person.user_id is not None and rng.random() < 0.04:
            yield subscription(self._now_ms, person, self._people, rng)
        if rng.random() < 0.08:
            yield from self._shopping()
        if rng.random() < 0.02:
            score = rng.choices((10, 9, 8, 7, 5, 2), (30, 25, 15, 10, 12, 8))[0]
            yield self._event("survey_response", survey="nps", score=score)
        if rng.random() < 0.03:
            post = f"post-{rng.randrange(8)}"
            yield self._event("social_impression", post_id=post, network="mastodon")
            if rng.random() < 0.2:
                yield self._event("social_engagement", post_id=post, kind="like")

    def _shopping(self) -> Iterator[Planned]:
        rng = self._rng
        cart, amount = f"c-{rng.getrandbits(40):010x}", round(rng.lognormvariate(3.6, 0.6), 2)
        yield self._event("add_to_cart", cart_id=cart, revenue=amount)
        if rng.random() < 0.6:
            self._now_ms += rng.randrange(2_000, 20_000)
            yield self._event("checkout_started", cart_id=cart, revenue=amount)
            if rng.random() < 0.6:
                self._now_ms += rng.randrange(2_000, 20_000)
                order = f"o-{rng.getrandbits(40):010x}"
                yield self._event(
                    "order", order_id=order, cart_id=cart, revenue=amount, currency="EUR"
                )


def subscription(time_ms: int, person: Person, people: Population, rng: random.Random) -> Planned:
    """Plan the start of a person's subscription."""
    mrr = people.subscribe(person, rng)
    if person.subscription is None:
        raise ValueError(f"{person.visitor_id} did not subscribe")
    subscription_id, plan = person.subscription
    fields = {"subscription_id": subscription_id, "plan": plan, "mrr": mrr, "currency": "EUR"}
    return Planned(time_ms, "subscription_started", person, None, fields)


def cancellation(time_ms: int, person: Person, people: Population) -> Planned:
    """Plan the cancellation of a customer's subscription, effective at once."""
    fields = {"subscription_id": people.unsubscribe(person), "reason": "too expensive"}
    return Planned(time_ms, "subscription_cancelled", person, None, fields)
