"""`python -m tests.bench.intake`: CPU of a foreign record in the intake, beside a native event.

No broker: the records of a fetch are mapped, encoded, partitioned, and put into batches with headers.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.codec import parse
from schemas.mapping.preset import mapping_of_source
from schemas.mapping.source import Source
from stream.kafka.transactions import BATCH_BYTES, batches
from stream.rekey.alignment import NO_LIMIT
from stream.rekey.mapper import Mapper, NamedSource
from stream.rekey.router import Router
from stream.settings.application import Settings

T0 = 1_764_000_000_000
PARTITIONS = 12
#: Records of one fetch of 1 MiB.
FETCH = 800
AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
BRANDS = [{"brand": "Chromium", "version": "131"}, {"brand": "Not_A Brand", "version": "24"}]


class Fetched:
    """A record as a fetch brings it."""

    __slots__ = ("headers", "key", "offset", "timestamp", "value")

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.value, self.timestamp = offset, value, T0 + offset
        self.key: bytes | None = None
        self.headers: Sequence[tuple[str, bytes]] = ()


class Producer:
    """Makes batches as aiokafka's producer does."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0, is_transactional=1)


def segment_page(number: int, person: str) -> bytes:
    """Return a page call of about 1,290 bytes, as large as a web page's."""
    moment = datetime.fromtimestamp((T0 + number) / 1000, UTC).isoformat(timespec="milliseconds")
    moment = moment.replace("+00:00", "Z")
    page = {
        "path": f"/academy/{number % 200}", "referrer": "https://search.test/", "search": "?q=a",
        "title": "Academy", "url": f"https://shop.test/academy/{number % 200}?q=a",
    }  # fmt: skip
    body = {
        "anonymousId": person, "channel": "client", "type": "page", "version": 2, "name": None,
        "messageId": f"ajs-next-f8ca1e4de5024d9430b3928bd8ac6b96-{number}",
        "context": {
            "ip": "203.0.113.21", "page": page, "locale": "de-DE", "timezone": "Europe/Berlin",
            "library": {"name": "analytics.js", "version": "next-1.81.0"}, "userAgent": AGENT,
            "userAgentData": {"brands": BRANDS, "mobile": False, "platform": "macOS"},
            "campaign": {"name": "spring", "source": "newsletter", "medium": "email"},
        },
        "integrations": {}, "properties": page, "userId": None,
        "receivedAt": moment, "sentAt": moment, "timestamp": moment, "originalTimestamp": moment,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def carry(mapper: Mapper, records: Sequence[Any]) -> int:
    """Carry the records of one fetch, but for the network; return the messages."""
    begin = count = 0
    producer: Any = Producer()
    while begin < len(records):
        chunk = mapper.take(
            "foreign", 3, records, begin=begin, reached_ms=0, limit_ms=NO_LIMIT, now_ms=NO_LIMIT
        )
        begin += chunk.taken
        count += chunk.count
        for group in chunk.messages.values():
            for batch, _ in batches(producer, group):
                batch._build()
    return count


def per_record(work: Callable[[], object], records: int) -> float:
    """Return the CPU of one record in µs."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / records * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.intake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--people", type=int, default=20_000)
    args = parser.parse_args()
    chance = random.Random(1)
    mapping, problems = mapping_of_source("web", {"preset": "segment"}, "sources.web")
    assert not problems
    sources = {"foreign": [NamedSource("web", Source(mapping))]}
    values = [
        segment_page(number, f"ab-{chance.randrange(args.people):06d}-2c4f-47a5-a756")
        for number in range(args.records)
    ]
    records = [Fetched(number, value) for number, value in enumerate(values)]
    fetches = [records[at : at + FETCH] for at in range(0, len(records), FETCH)]
    mapper = Mapper(sources, Router(Settings(), PARTITIONS, murmur2), "ledger", 4)
    native = [
        value
        for fetch in fetches
        for group in mapper.take(
            "foreign", 3, fetch, begin=0, reached_ms=0, limit_ms=NO_LIMIT, now_ms=NO_LIMIT
        ).messages.values()
        for _, _, value, _ in group
    ]
    assert len(native) == args.records
    carried, parsed, fresh = [], [], []
    for _ in range(args.rounds):
        parsed.append(per_record(lambda: [parse(value) for value in native], args.records))
        carried.append(per_record(lambda: [carry(mapper, one) for one in fetches], args.records))
        new = Mapper(sources, Router(Settings(), PARTITIONS, murmur2), "ledger", 4)
        fresh.append(per_record(lambda: [carry(new, one) for one in fetches], args.records))  # noqa: B023
    size = round(statistics.mean(map(len, values)))
    sys.stdout.write(
        f"{args.records:,} records of {size} bytes, {args.people:,} people, {args.rounds} rounds\n"
        "µs of CPU, median (min)\n"
        f"native event through the codec      {statistics.median(parsed):6.2f} ({min(parsed):.2f})\n"
        f"record through the intake           {statistics.median(carried):6.2f} ({min(carried):.2f})\n"
        f"the same, with no key known before  {statistics.median(fresh):6.2f} ({min(fresh):.2f})\n"
    )


if __name__ == "__main__":
    main()
