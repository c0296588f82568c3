"""A shop's mobile checkout loop, replayed through two workers, raises the cart alert of one segment."""

import zlib
from collections import defaultdict
from pathlib import Path

from agents.commands.replay import Router
from tests.chain.incidents import Input, Shop, failures, fired, panel_queries
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.worker_process import Samples, WorkerProcess, sampled, wait_until
from tests.integration.test_report_equals_stream import case
from tests.servers.kafka_server import KafkaServer

FASTER = 600
#: Often enough for series of an hour.
STEP_MINUTES = 10
ALERT = "EngagementSegmentCartAbandonmentSpike"
PANEL = "Abandoned carts by $segment, in an hour"
TOTALS = ("carts_abandoned", "carts_resolved")
DEVICES = ("mobile", "desktop", "tablet")
SETTINGS = {
    "SESSION_TIMEOUT_SECONDS": str(1_800 // FASTER),
    "TIME_ALLOWED_LATENESS_SECONDS": "1",
    # The outcome of a cart is known when its session ends, instead of a day later.
    "CART_BASIS": "session",
    "PUBLISH_CUT_SECONDS": "0.2",
}
#: Incident as described by the shop: its first day, and the day after its last.
BEGAN, ENDED = "2024-04-09", "2024-05-10"
#: Next incident, of all devices alike.
NEXT = "2024-05-19"


def test_a_checkout_loop_on_mobile_raises_the_alert_for_mobile_alone(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    shop = Shop(case("retentioneering") / "events.jsonl.gz", FASTER)
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        series = replay(fleet, shop)
    began, ended, next_one = shop.minute(BEGAN), shop.minute(ENDED), shop.minute(NEXT)
    mobile, desktop, tablet = (f',dimension="device",value="{device}"' for device in DEVICES)
    (query,) = panel_queries(PANEL, "device").values()
    # Higher than the others at that time, as the panel shows.
    stands_out = f"count(max_over_time(({query})[20m:1m]) > 0.75)"
    expected = {
        fired(ALERT, began, mobile): (began, 0.0),
        fired(ALERT, ended - began, mobile): (ended, 1.0),
        stands_out: (ended, 1.0),
        fired(ALERT, next_one, desktop): (next_one, 0.0),
        fired(ALERT, next_one, tablet): (next_one, 0.0),
    }
    assert failures(tmp_path, ALERT, series, expected, step_minutes=STEP_MINUTES) == ""


def replay(fleet: Fleet, shop: Shop) -> Input:
    """Send the events step by step; record the numbers of a worker's page after each step."""
    steps: defaultdict[int, list[bytes]] = defaultdict(list)
    for minute, raw in shop.events():
        steps[minute // STEP_MINUTES].append(raw)
    found: dict[str, list[float | None]] = {}
    router = Router(fleet.settings)
    roles = {fleet.topic(role): role for role in ("page_views", "clicks", "orders")}
    for step in range(max(steps) + 1):
        for raw in steps[step]:
            place = router.route(raw)
            key = place.key or b""
            fleet.produce([Record(roles[place.topic], zlib.crc32(key) % PARTITIONS, key, raw)])
        fleet.flush()
        sent = sum(fleet.sent.values())
        shown = totals(fleet.workers[step % len(fleet.workers)], sent)
        for name, value in shown.items():
            found.setdefault(name, []).append(value)
    assert sum(fleet.sent.values()) == 31_106
    return found


def totals(worker: WorkerProcess, sent: int) -> dict[str, float]:
    """Return the carts by device from the worker's page, once it has counted everything sent."""
    page: Samples = {}

    def counts_all() -> bool:
        page.clear()
        page.update(worker.page() or {})
        return sampled(page, "engagement_records_total") == sent

    wait_until("the page counts what was sent", counts_all)
    found = {}
    for device in DEVICES:
        for total in TOTALS:
            name, labels = (
                f"engagement_segment_{total}_total",
                f'dimension="device",value="{device}"',
            )
            place = f'{name}{{job="engagement",instance="w1",site="default",{labels}}}'
            found[place] = sampled(page, name, dimension="device", value=device)
    return found
