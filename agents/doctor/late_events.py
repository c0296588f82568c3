"""Foresees which events a worker will refuse as late, by the newest events that the topics hold."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

from kafka import TopicPartition

from agents.commands.kafka_clients import open_consumer, reaching
from schemas.codec import RejectedEvent, parse
from stream.report.key_partitions import KeyPartitions
from stream.settings.application import Settings

#: The newest event of a partition is among its last records, or a little older than they are.
_LAST_RECORDS = 50
_READ_SECONDS = 5.0


class Newest(NamedTuple):
    """The newest event time of each topic partition in epoch ms, and the partitions of each topic."""

    times: dict[tuple[str, int], int]
    partitions: dict[str, int]


class LateEvents:
    """Counts the events that are older than the newest one of their partition by too much."""

    def __init__(self, settings: Settings, newest: Newest) -> None:
        wanted = settings.time
        correction = wanted.correction_window_seconds if wanted.late_policy == "update" else 0
        self._horizon_ms = round((wanted.allowed_lateness_seconds + correction) * 1000)
        self._newest, self._partitions = dict(newest.times), newest.partitions
        self._keys = KeyPartitions()
        self.count = 0

    def note(self, topic: str, key: bytes | None, time_ms: int) -> str:
        """Return a warning before the first event that will be late; otherwise an empty text."""
        count = self._partitions.get(topic, 0)
        if key is None or not count:
            return ""
        place = topic, self._keys.of(key, count)
        newest_ms = self._newest.get(place, time_ms)
        self._newest[place] = max(newest_ms, time_ms)
        if time_ms >= newest_ms - self._horizon_ms:
            return ""
        self.count += 1
        if self.count > 1:
            return ""
        return (
            f"warning: an event of {_day(time_ms)} comes after one of {_day(newest_ms)} in {topic}. "
            f"Workers refuse what is more than {self._horizon_ms / 3_600_000:.0f} h older "
            "(time.allowed_lateness_seconds and time.correction_window_seconds). For the numbers of "
            "old files use `engage report`, or topics and an `app` of their own"
        )

    def summary(self) -> str:
        """Return how many of the events that were sent will be late; empty if none."""
        if not self.count:
            return ""
        return f"{self.count:,} of them are late: workers will refuse them, and no number has them"


def read_newest(settings: Settings) -> Newest:
    """Read the last records of the input topics. Raises KafkaUnreachable."""
    consumer = open_consumer(settings)
    try:
        with reaching(settings):
            numbers = {
                name: sorted(consumer.partitions_for_topic(name) or ())
                for name in settings.topics.inputs
            }
            places = [TopicPartition(name, p) for name, found in numbers.items() for p in found]
            ends = consumer.end_offsets(places)
            begins = consumer.beginning_offsets(places)
            waiting = {place for place in places if ends[place] > begins[place]}
            consumer.assign(list(waiting))
            for place in waiting:
                consumer.seek(place, max(ends[place] - _LAST_RECORDS, begins[place]))
            times: dict[tuple[str, int], int] = {}
            deadline = time.monotonic() + _READ_SECONDS
            while waiting and time.monotonic() < deadline:
                for place, records in consumer.poll(timeout_ms=500).items():
                    found = [one for record in records if (one := _time_ms(record.value))]
                    key = place.topic, place.partition
                    times[key] = max([times.get(key, 0), *found])
                waiting = {place for place in waiting if consumer.position(place) < ends[place]}
    finally:
        consumer.close()
    known = {place: moment for place, moment in times.items() if moment}
    return Newest(known, {name: len(found) for name, found in numbers.items()})


def _time_ms(raw: bytes | None) -> int | None:
    try:
        return parse(raw or b"")[1]
    except RejectedEvent:
        return None


def _day(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M}"
