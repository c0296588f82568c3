"""Events about ads, seeded: the fields of the Yahoo streaming benchmark inside an event of our contract.

Imports nothing of this project's own packages: peers take the campaigns of ads from here.
"""

import uuid
from collections.abc import Iterator
from random import Random

import orjson

from tests.bench.traffic import Record

SEED = 7
START_MS, SPACING_MS = 1_748_854_800_000, 5
CAMPAIGNS, ADS_OF_CAMPAIGN = 100, 10
PEOPLE, PAGES = 100, 100
WINDOW_SECONDS = 10
AD_TYPES = ("banner", "modal", "sponsored-search", "mail", "mobile")
EVENT_TYPES = ("view", "click", "purchase")
VIEW = EVENT_TYPES[0]


def _ids(seed: int, count: int) -> list[str]:
    rng = Random(seed)
    return [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)]


#: Ad → its campaign.
CAMPAIGN_OF: dict[str, str] = dict(
    zip(
        _ids(1, CAMPAIGNS * ADS_OF_CAMPAIGN),
        [one for one in _ids(2, CAMPAIGNS) for _ in range(ADS_OF_CAMPAIGN)],
        strict=True,
    )
)


def records(count: int, seed: int = SEED) -> Iterator[Record]:
    """Yield events of random people, pages, ads and types, in order of event time."""
    rng = Random(seed)
    people, pages, ads = _ids(3, PEOPLE), _ids(4, PAGES), list(CAMPAIGN_OF)
    for number in range(count):
        moment_ms = START_MS + number * SPACING_MS
        person, ad, kind = rng.choice(people), rng.choice(ads), rng.choice(EVENT_TYPES)
        event = {
            "user_id": person,
            "page_id": rng.choice(pages),
            "ad_id": ad,
            "ad_type": rng.choice(AD_TYPES),
            "event_type": kind,
            "event_time": moment_ms,
            "ip_address": "1.2.3.4",
            # The contract's own fields. The campaign is what peers look up by the ad.
            "type": "custom",
            "name": kind,
            "event_id": f"ad-{number:09d}",
            "context": {"campaign": CAMPAIGN_OF[ad]},
        }
        yield Record(person.encode(), orjson.dumps(event), moment_ms)


def views(count: int, seed: int = SEED) -> int:
    """Return the number of views among these events."""
    return sum(orjson.loads(one.value)["event_type"] == VIEW for one in records(count, seed))
