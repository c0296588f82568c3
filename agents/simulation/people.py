"""People of the simulated traffic: ids, origin, device and plan."""

import random
from dataclasses import dataclass

PLANS = (("basic", 19.0), ("team", 49.0), ("business", 199.0))
PLAN_WEIGHTS = (6, 3, 1)
COUNTRIES = ("DE", "US", "FR", "GB", "IN", "BR", "JP", "NL", "SE", "ES")
COUNTRY_WEIGHTS = (20, 25, 10, 10, 12, 8, 5, 4, 3, 3)
DEVICES = ("mobile", "desktop", "tablet")
DEVICE_WEIGHTS = (55, 38, 7)
CHANNELS = ("organic", "direct", "paid", "email", "social", "referral")
CHANNEL_WEIGHTS = (34, 26, 14, 10, 9, 7)
# Share of people with an account; the others cannot subscribe.
MEMBER_SHARE = 0.35


@dataclass(slots=True)
class Person:
    """Simulated visitor; `subscription` is (id, plan) while they pay."""

    site: str
    visitor_id: str
    user_id: str | None
    context: dict[str, str]
    subscription: tuple[str, str] | None = None


class Population:
    """People who have visited so far. At `size_max`, a new one replaces a random one."""

    def __init__(self, sites: tuple[str, ...], new_share: float, size_max: int) -> None:
        self.customers: list[Person] = []
        self._people: list[Person] = []
        self._sites = sites
        self._new_share = new_share
        self._size_max = size_max
        self._born = 0

    def pick(self, rng: random.Random) -> Person:
        """Pick the next visitor: a newcomer or a known person; some come much more often than others."""
        if not self._people or rng.random() < self._new_share:
            return self.newcomer(rng)
        place = int(len(self._people) * rng.random() ** 1.7)
        return self._people[place]

    def newcomer(self, rng: random.Random) -> Person:
        """Create a new person."""
        number = self._born
        self._born += 1
        member = rng.random() < MEMBER_SHARE
        person = Person(
            site=self._sites[number % len(self._sites)],
            visitor_id=f"v-{number:06d}",
            user_id=f"u-{number:06d}" if member else None,
            context={
                "country": rng.choices(COUNTRIES, COUNTRY_WEIGHTS)[0],
                "device": rng.choices(DEVICES, DEVICE_WEIGHTS)[0],
                "channel": rng.choices(CHANNELS, CHANNEL_WEIGHTS)[0],
            },
        )
        if len(self._people) < self._size_max:
            self._people.append(person)
        else:
            self._people[rng.randrange(self._size_max)] = person
        return person

    def subscribe(self, person: Person, rng: random.Random) -> float:
        """Start a subscription for a person with an account; return its price a month."""
        plan, mrr = rng.choices(PLANS, PLAN_WEIGHTS)[0]
        person.subscription = (f"sub-{rng.getrandbits(48):012x}", plan)
        self.customers.append(person)
        return mrr

    def unsubscribe(self, person: Person) -> str:
        """End a person's subscription and return its id."""
        if person.subscription is None:
            raise ValueError(f"{person.visitor_id} has no subscription")
        subscription_id, _ = person.subscription
        person.subscription = None
        self.customers.remove(person)
        return subscription_id
