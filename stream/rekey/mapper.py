"""Maps fetched records of a source partition to messages for our topics, a chunk at a time."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from schemas.codec import parse
from schemas.dead_letter import dead_letter, encode_dead_letter
from schemas.mapping.compile import Ignored, Mapped, Outcome
from schemas.mapping.record import Record
from schemas.mapping.source import EVENTS_MAX, Source
from schemas.rejection import Reason, RejectedEvent
from stream.rekey.chunk import ORIGIN, Chunk, Foreign, Message
from stream.rekey.counts import NO_RULE, SourceCounts
from stream.rekey.router import Router

_NO_HEADERS: Final[Mapping[str, bytes]] = {}
_NONE: Final[frozenset[bytes]] = frozenset()


class NamedSource(NamedTuple):
    """A source by its name in the settings."""

    name: str
    source: Source


class Mapper:
    """Maps the records of all sources. It keeps nothing but the partitions of known keys."""

    def __init__(
        self,
        sources: Mapping[str, Sequence[NamedSource]],
        router: Router,
        ledger: str,
        ledger_partitions: int,
    ) -> None:
        """`sources` are those of each foreign topic; `ledger` is the topic of dead letters."""
        self._sources = sources
        self._route = router.route
        self._ledger = ledger
        self._ledger_partitions = ledger_partitions

    def take(
        self,
        topic: str,
        partition: int,
        records: Sequence[Foreign],
        *,
        begin: int,
        reached_ms: int,
        limit_ms: int,
        now_ms: int,
        oversize: frozenset[bytes] = _NONE,
    ) -> Chunk:
        """Map `records[begin:]`, up to the Kafka time `limit_ms` and to the size of a chunk.

        Times after `now_ms` are a wrong clock's, and count as that of the record before. Messages whose origin is in
        `oversize` become dead letters: their topic has refused them.
        """
        chunk = Chunk(reached_ms)
        sources = self._sources[topic]
        chunk.counts = {one.name: SourceCounts() for one in sources}
        place = f"{topic}/{partition}/"
        for number in range(begin, len(records)):
            record = records[number]
            time_ms = record.timestamp if record.timestamp <= now_ms else 0
            # Also if it is reached already: a partition taken over begins with the time it has waited at.
            head_ms = max(chunk.reached_ms, time_ms)
            if head_ms > limit_ms:
                break
            chunk.reached_ms = head_ms
            chunk.taken += 1
            self._map(chunk, sources, topic, partition, record, place, oversize)
            if chunk.is_full:
                break
        return chunk

    def _map(
        self,
        chunk: Chunk,
        sources: Sequence[NamedSource],
        topic: str,
        partition: int,
        record: Foreign,
        place: str,
        oversize: frozenset[bytes],
    ) -> None:
        headers = record.headers
        whole = Record(
            value=record.value,
            key=record.key,
            headers=dict(headers) if headers else _NO_HEADERS,
            timestamp=record.timestamp,
            topic=topic,
            partition=partition,
            offset=record.offset,
        )
        index = 0
        for name, source in sources:
            counts = chunk.counts[name]
            events = counts.events
            letters = counts.dead_letters
            for outcome in _bounded(source, source.read(whole)):
                origin = f"{place}{record.offset}/{index}".encode()
                index += 1
                if type(outcome) is Mapped:
                    refused = self._event(chunk, whole, source, outcome, origin, oversize)
                    if refused is None:
                        counts.events += 1
                        continue
                    outcome = refused
                if type(outcome) is Ignored:
                    counts.ignore(outcome.rule or NO_RULE, outcome.why)
                else:
                    assert isinstance(outcome, RejectedEvent)
                    counts.dead_letters += 1
                    self._letter(chunk, whole, outcome, origin)
            counts.close_record(events, letters)

    def _event(
        self,
        chunk: Chunk,
        record: Record,
        source: Source,
        mapped: Mapped,
        origin: bytes,
        oversize: frozenset[bytes],
    ) -> RejectedEvent | None:
        """Add an event to the chunk; return why it is none."""
        raw = mapped.raw
        try:
            event, _ = parse(raw)
        except RejectedEvent as refused:
            return source.explained(record, mapped.rule, refused)
        topic, key, partition = self._route(event)
        if origin in oversize:
            text = (
                f"mapping {source.mapping.name}, {mapped.rule.name}: topic {topic} takes no record "
            )
            return RejectedEvent(Reason.TOO_LARGE, f"{text}of {len(raw)} bytes (max.message.bytes)")
        chunk.add(topic, partition, (_time(record), key, raw, [(ORIGIN, origin)]))
        return None

    def _letter(self, chunk: Chunk, record: Record, refused: RejectedEvent, origin: bytes) -> None:
        """Add a dead letter to the chunk; its original is the foreign record.

        Kafka's time of it is that of the writing, as with all dead letters: the retention of their
        topic counts from it, and would at once delete those of an old record.
        """
        letter = dead_letter(
            refused.reason,
            refused.detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp or 0,
            key=record.key,
            original=record.value,
        )
        message: Message = (None, None, encode_dead_letter(letter), [(ORIGIN, origin)])
        chunk.add(self._ledger, record.offset % self._ledger_partitions, message)


def _time(record: Record) -> int | None:
    """Return the time of a message: that of its record, unless an old producer has sent none (-1)."""
    time_ms = record.timestamp
    return time_ms if time_ms is not None and time_ms >= 0 else None


def _bounded(source: Source, outcomes: list[Outcome]) -> list[Outcome]:
    """Refuse a record as a whole if it has too many events, as several rules of one element can make."""
    if len(outcomes) <= EVENTS_MAX:
        return outcomes
    text = (
        f"mapping {source.mapping.name}: {len(outcomes)} events in a record, at most {EVENTS_MAX}"
    )
    return [RejectedEvent(Reason.TOO_LARGE, text)]
