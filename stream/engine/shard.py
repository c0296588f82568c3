"""One shard: partition p of every input topic, as a plain object that folds batches and yields cuts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from schemas.codec import Reason, RejectedEvent
from schemas.dead_letter import dead_letter, encode_dead_letter
from schemas.rejection import DETAILS
from stream.churn.risk import ChurnRisk
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry, SegmentSet, by_segment
from stream.counters.table import Counters
from stream.engine.duplicates import SeenIds
from stream.engine.event_rules import EventRule
from stream.engine.fold import Decoded, Record, fold, recall
from stream.engine.rules import Rules
from stream.engine.watermark import TopicState, log_floor, shard_watermark
from stream.people.activity import Activity
from stream.people.cache import PeopleCache
from stream.people.person import Person
from stream.sessions.index import SessionIndex
from stream.sessions.pages import Pages
from stream.sessions.session import session_keeper

#: Key of a person → which events of a batch are theirs.
Missing = dict[str, list[int]]


class Shard:
    """All state of one partition number. No I/O; `now_ms` and drained partitions are told to it."""

    def __init__(
        self,
        partition: int,
        topics: Iterable[str],
        rules: Rules,
        grains: dict[str, tuple[Grain, ...]],
        people_cached: int,
    ) -> None:
        self.partition = partition
        self.rules = rules
        self.registry = SegmentRegistry(
            rules.dimensions, rules.values_max, rules.calendar_of, rules.exclusions, rules.own_max
        )
        self.counters = Counters(grains)
        self.people = PeopleCache(people_cached)
        self.activity = Activity(self.counters, self.registry, rules)
        self.pages = Pages(self.registry, rules.page_hosts)
        self.sessions = SessionIndex(rules.sessions, self.registry, self.pages, self.counters)
        self.topics = {
            topic: TopicState(topic, SeenIds(rules.dedupe_ms, rules.ids_max)) for topic in topics
        }
        #: Topics that stored state knows and the configuration no longer names.
        self.retired: dict[str, TopicState] = {}
        #: Events since the last cut, by plan and minute, then by profile.
        self.collected: dict[tuple[EventRule, int], dict[SegmentSet, int]] = {}
        #: Encoded ledger entries of the records since the last cut.
        self.dead_letters: list[bytes] = []
        self.watermark: int | None = None
        #: Number of the last cut that is stored.
        self.sequence = 0
        #: How often a theme had to forget facts of a person before their time.
        self.history_capped = 0
        #: Learns who stays away, where that is asked for.
        self.churn_risk = ChurnRisk(rules.churn_risk) if rules.churn_risk is not None else None

    # ---- reading ahead: who must be in memory before a batch is applied

    def prepare(self, decoded: Sequence[Decoded]) -> tuple[list[Person | None], Missing]:
        """(the person of each event, who must be read and admitted first, with their places).

        While somebody is missing the people are incomplete: admit, and `complete` them. Between this
        and `apply` nothing else may wait, or a person could be evicted.
        """
        by_user, event_rules, get = self.rules.by_user, self.rules.event_rules, self.people.get
        recent, nobody = self.people.recent, _nobody
        people: list[Person | None] = []
        missing: Missing = {}
        for item in decoded:
            if item.__class__ is RejectedEvent:
                people.append(None)
                continue
            event = item[0]  # type: ignore[index]
            user, visitor = event.user_id, event.visitor_id
            who = (user or visitor) if by_user else (visitor or user)
            if who is None or not event_rules[event.__class__].has_person:
                people.append(None)
                continue
            person = recent.get(event.site, nobody).get(who)
            if person is None:
                key = f"{event.site}\x1f{who}"
                person = get(key)
                if person is None:
                    missing.setdefault(key, []).append(len(people))
                else:
                    recent.setdefault(event.site, {})[who] = person
            people.append(person)
            if event.session_id is not None:
                if self.rules.sessions.id_scope_is_site:
                    key = session_keeper(event.site, event.session_id)
                elif visitor is None or visitor == who:
                    continue
                else:
                    key = f"{event.site}\x1f{visitor}"
                if get(key) is None:
                    missing.setdefault(key, [])
        return people, missing

    def complete(
        self,
        decoded: Sequence[Decoded],
        people: list[Person | None],
        missing: Missing,
        rotations: int,
    ) -> tuple[list[Person | None], Missing]:
        """What `prepare` gave when the cache had turned so often, with those who were admitted since."""
        if self.people.rotations != rotations:
            return self.prepare(decoded)
        for key, places in missing.items():
            person = self.person(key)
            for place in places:
                people[place] = person
        return people, {}

    def admit(self, people: Iterable[Person]) -> None:
        """Take in people that were read; one who has come in meanwhile stays as they are."""
        for person in people:
            if self.people.get(person.key) is None:
                self.people.put(person)

    def person(self, key: str) -> Person:
        """A person in memory. Raises KeyError for one who was not admitted: never a silent newcomer."""
        person = self.people.get(key)
        if person is None:
            raise KeyError(key)
        return person

    # ---- folding

    def apply(
        self,
        topic: str,
        records: Sequence[Record],
        decoded: Sequence[Decoded],
        people: Sequence[Person | None],
        now_ms: int,
    ) -> None:
        """Fold contiguous records of a topic, from its expected offset on, with what `prepare` gave."""
        state = self.topics[topic]
        split = min(max(state.next - state.expected, 0), len(records))
        if split:
            recall(self, state, records[:split], decoded[:split])
        if split < len(records):
            self.activity.oldest_minute = self.oldest_live_minute()
            fold(self, state, records[split:], decoded[split:], people[split:], now_ms)
            state.next = records[-1].offset + 1
        state.expected = max(records[-1].offset + 1, state.expected)
        self.people.settle()

    def skip(self, topic: str, offset: int) -> None:
        """Pass over offsets that the log does not hold: control records, compaction, or retention."""
        state = self.topics[topic]
        if offset > state.next:
            state.counts["skipped"] += offset - state.next
            state.next = offset
        state.expected = max(state.expected, offset)

    def count_collected(self) -> None:
        """Turn what has been collected since the last cut into counts: equal increments are one."""
        add = self.counters.add
        for (rule, minute), segment_sets in self.collected.items():
            for segment, count in by_segment(segment_sets).items():
                for measure in rule.counts:
                    add(measure, segment, minute, count)
        self.collected.clear()
        for (measure, minute), segments in self.pages.collected.items():
            for segment, count in segments.items():
                add(measure, segment, minute, count)
        self.pages.collected.clear()
        self.sessions.counts.flush()
        self.activity.flush()

    # ---- records that are not counted

    def reject(self, topic: TopicState, record: Record, error: RejectedEvent) -> None:
        """Put a record that is no event into the ledger."""
        self._enter(topic, record, error.reason, error.detail, None)
        topic.counts["rejected"] += 1

    def reject_event(self, topic: TopicState, record: Record, reason: Reason, time_ms: int) -> None:
        """Put an event that must not count (future, currency, duplicate, late) into the ledger."""
        self._enter(topic, record, reason, DETAILS[reason], time_ms)
        topic.counts["rejected" if reason in _REFUSED else str(reason)] += 1

    def _enter(
        self, topic: TopicState, record: Record, reason: Reason, detail: str, time_ms: int | None
    ) -> None:
        if reason is Reason.LATE and self.rules.drops_late:
            return
        topic.reasons[reason] = topic.reasons.get(reason, 0) + 1
        entry = dead_letter(
            reason,
            detail,
            topic=topic.topic,
            partition=self.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            key=record.key,
            original=record.value,
            event_time_ms=time_ms,
        )
        self.dead_letters.append(encode_dead_letter(entry))

    # ---- time

    def drained(self, topic: str, at_ms: int, held_to_ms: int | None = None) -> None:
        """The partition was read to its end at this wall time; 0: it has a backlog.

        `follows` is the log clock of the others that it keeps up with (see `Lead`); None: any.
        """
        state = self.topics[topic]
        state.drained_at = at_ms
        if held_to_ms is not None:
            state.held_to_ms = held_to_ms

    def advance(self) -> None:
        """Move the watermark, which never goes back, to what the topics now allow."""
        mark = shard_watermark(self.topics, self.rules.lateness_ms)
        if mark is not None:
            self.watermark = max(mark, self.watermark or 0)

    def close_sessions(self, limit: int = 10_000) -> tuple[int, list[str]]:
        """Close due sessions of up to `limit` people.

        Returns how many people were due, and the keys of those who must be read first: admit them
        and call `close_sessions_of`.
        """
        if self.watermark is None:
            return 0, []
        keys = list(self.sessions.due(self.watermark, limit))
        absent = [key for key in keys if self.people.get(key) is None]
        held = set(absent)
        self.close_sessions_of(key for key in keys if key not in held)
        return len(keys), absent

    def close_sessions_of(self, keys: Iterable[str]) -> None:
        """Close the due sessions of people in memory."""
        for key in keys:
            person = self.person(key)
            if self.sessions.close(person, self.watermark or 0):
                self.people.dirty[key] = person
        self.people.settle()

    def oldest_ms(self) -> int:
        """Lower bound of the event times that can still be accepted."""
        return log_floor(self.topics, self.rules.correction_ms) - self.rules.horizon_ms

    def counted_from_ms(self) -> int:
        """As `oldest_ms`, for minutes and hours, and for what a model looks at.

        A fast replay must not gather them all in memory, nor the model wait for a quiet topic.
        """
        floor = log_floor(self.topics, self.rules.correction_ms, at_once=True)
        return floor - self.rules.horizon_ms

    def oldest_live_minute(self) -> int:
        """No event that counts as live can be in an earlier minute, or in a window with one."""
        timely = (
            log_floor(self.topics, self.rules.lateness_ms, at_once=True) - self.rules.lateness_ms
        )
        return timely // MINUTE_MS - self.rules.live_minutes

    def outcomes(self) -> Mapping[str, int]:
        """Records by outcome over all topics, from the cut: survives restarts."""
        totals: Counter[str] = Counter()
        for state in (self.topics | self.retired).values():
            totals.update(state.counts)
        return totals


_nobody: Mapping[str, Person] = {}
_REFUSED = (Reason.FUTURE, Reason.CURRENCY)
