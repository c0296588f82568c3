"""Ad views of the benchmark: valid events, and the own metric counts what a plain join counts."""

from collections import Counter

import orjson

from schemas.codec import parse
from stream.configure.load import load_settings
from tests.bench.ads.events import (
    ADS_OF_CAMPAIGN,
    CAMPAIGN_OF,
    CAMPAIGNS,
    EVENT_TYPES,
    VIEW,
    records,
    views,
)
from tests.bench.contenders.ads_worker import CONFIG, counts
from tests.properties.engine import EVERYONE, LogRecord, Worker


def test_each_campaign_has_ten_ads() -> None:
    assert len(CAMPAIGN_OF) == CAMPAIGNS * ADS_OF_CAMPAIGN
    assert set(Counter(CAMPAIGN_OF.values()).values()) == {ADS_OF_CAMPAIGN}


def test_events_are_valid_keyed_by_person_and_name_the_campaign_of_their_ad() -> None:
    for record in records(500):
        event, time_ms = parse(record.value)
        fields = orjson.loads(record.value)
        assert event.user_id == record.key.decode()
        assert time_ms == record.timestamp_ms
        assert event.name == fields["event_type"]
        assert event.context["campaign"] == CAMPAIGN_OF[fields["ad_id"]]


def test_a_third_of_the_events_are_views() -> None:
    types = Counter(orjson.loads(one.value)["event_type"] for one in records(9_000))
    assert set(types) == set(EVENT_TYPES)
    assert 2_700 < types[VIEW] < 3_300
    assert views(9_000) == types[VIEW]


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert list(records(200)) == list(records(200))
    assert list(records(200)) != list(records(200, seed=8))


def test_the_own_metric_counts_the_views_of_each_campaign() -> None:
    made = list(records(3_000))
    log = [LogRecord(n, one.timestamp_ms, one.value, 0) for n, one in enumerate(made)]
    worker = Worker(0, {"clicks": log}, load_settings(CONFIG, {}), EVERYONE, 1 << 60)
    worker.read_all(500)
    worker.checkpoint()
    seen = (orjson.loads(one.value) for one in made)
    wanted = Counter(CAMPAIGN_OF[one["ad_id"]] for one in seen if one["event_type"] == VIEW)
    assert counts([worker.shard]) == wanted
