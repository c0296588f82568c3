"""One shard: partition p of every input topic. It applies batches and closes sessions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from schemas.codec import RejectedEvent
from schemas.events import Event
from stream.counters.segments import JOINT, by_segment
from stream.counters.sites import OTHER
from stream.engine.accept import recall
from stream.engine.fold import fold
from stream.engine.record import Decoded, Record
from stream.engine.session_events import keeper_key
from stream.engine.state import ShardState
from stream.engine.watermark import shard_watermark
from stream.people.keys import person_key
from stream.people.person import Person
from stream.sessions.open_sessions import CLOSED, IMPLIED

#: Key of a missing person → places of the batch's events that are theirs.
Missing = dict[str, list[int]]


class Shard(ShardState):
    """The operations of a shard, as a plain object: no I/O, and the caller passes the wall clock.

    A batch takes three steps. `prepare` names the people to read, `admit` takes them in, and `apply`
    counts the batch.
    """

    # ---- people: in memory before a batch is applied

    def prepare(self, decoded: Sequence[Decoded]) -> tuple[list[Person | None], Missing]:
        """Return the person of each event, and the people to read with the places of their events.

        Admit the missing people, then call `complete`. Between `prepare` and `apply` nothing else may
        wait, or a person could be evicted.
        """
        rules = self.rules
        event_rules, identity_is_user = rules.event_rules, rules.identity_is_user
        sites = self.registry.sites.known
        spellings = rules.placeholder_ids.spellings
        get, recent = self.people.get, self.people.recent
        people: list[Person | None] = []
        missing: Missing = {}
        for item in decoded:
            if item.__class__ is RejectedEvent:
                people.append(None)
                continue
            event = item[0]  # type: ignore[index]
            if event.site not in sites:
                self._place(event)
            user, visitor = event.user_id, event.visitor_id
            who = (user or visitor) if identity_is_user else (visitor or user)
            if who is None or not event_rules[event.__class__].has_person:
                people.append(None)
                continue
            person = recent.get(event.site, _no_people).get(who)
            if person is None:
                # Not a person of the last events: only then the id may be a placeholder.
                who = rules.somebody(event, who)
                if who is None:
                    people.append(None)
                    continue
                key = person_key(event.site, who)
                person = get(key)
                if person is None:
                    missing.setdefault(key, []).append(len(people))
                else:
                    recent.setdefault(event.site, {})[who] = person
            people.append(person)
            if event.session_id is not None:
                if event.session_id in spellings:
                    event.session_id = None
                    continue
                if event.visitor_id in spellings:
                    event.visitor_id = None
                keeper = keeper_key(rules, event)
                if keeper is not None and get(keeper) is None:
                    missing.setdefault(keeper, [])
        return people, missing

    def _place(self, event: Event) -> None:
        """Admit the site of an event, or move the event to the site `other`."""
        if not self.registry.admit_site(event.site):
            # Its id stays one of its own site: other sites may use the same.
            event.event_id = f"{event.site}{JOINT}{event.event_id}"
            event.site = OTHER

    def complete(
        self,
        decoded: Sequence[Decoded],
        people: list[Person | None],
        missing: Missing,
        rotations: int,
    ) -> tuple[list[Person | None], Missing]:
        """Return what `prepare` returned, with the people admitted since.

        `rotations` is the cache's number at `prepare`: if it has grown, people may be evicted and the
        batch is prepared again.
        """
        if self.people.rotations != rotations:
            return self.prepare(decoded)
        for key, places in missing.items():
            person = self.person(key)
            for place in places:
                people[place] = person
        return people, {}

    def admit(self, people: Iterable[Person]) -> None:
        """Take people just read into memory. One who came in meanwhile stays: that state is newer."""
        get, put, settle = self.people.get, self.people.put, self.sessions.open.settle
        for person in people:
            if get(person.key) is None:
                if person.sessions:
                    settle(person)
                put(person)

    # ---- batches

    def apply(
        self,
        topic: str,
        records: Sequence[Record],
        decoded: Sequence[Decoded],
        people: Sequence[Person | None],
        now_ms: int,
    ) -> None:
        """Count contiguous records of a topic from its expected offset on, with the people of `prepare`.

        Records before the next offset only rebuild the set of seen ids.
        """
        state = self.topics[topic]
        # By offset and not by number: the log may lack records, such as those of aborted transactions.
        counted = len(records) if records[-1].offset < state.next else 0
        if not counted and records[0].offset < state.next:
            counted = sum(record.offset < state.next for record in records)
        if counted:
            recall(self, state, records[:counted], decoded[:counted])
        if counted < len(records):
            self.activity.oldest_minute = self.oldest_live_minute()
            fold(self, state, records[counted:], decoded[counted:], people[counted:], now_ms)
            after = records[-1].offset + 1
            state.counts["skipped"] += after - state.next - (len(records) - counted)
            state.next = after
        state.expected = max(records[-1].offset + 1, state.expected)
        self.people.evict()

    def recall(self, topic: str, records: Sequence[Record], decoded: Sequence[Decoded]) -> None:
        """Rebuild the set of seen ids from contiguous records before the next offset, without people."""
        state = self.topics[topic]
        sites = self.registry.sites.known
        for item in decoded:
            if item.__class__ is not RejectedEvent and item[0].site not in sites:  # type: ignore[index]
                self._place(item[0])  # type: ignore[index]
        recall(self, state, records, decoded)
        state.expected = max(records[-1].offset + 1, state.expected)

    def skip(self, topic: str, offset: int) -> None:
        """Pass over offsets that the log does not hold: control records, compaction, or retention."""
        state = self.topics[topic]
        if offset > state.next:
            state.counts["skipped"] += offset - state.next
            state.next = offset
        state.expected = max(state.expected, offset)

    def count_collected(self) -> None:
        """Turn what the parts have collected into counts: equal increments become one."""
        add = self.counters.add
        for (rule, minute), segment_sets in self.collected.items():
            for segment, count in by_segment(segment_sets).items():
                for measure in rule.counts:
                    add(measure, segment, minute, count)
        self.collected.clear()
        self.contributions.flush(self.counters)
        self.pages.flush(self.counters)
        self.sessions.counts.flush()
        self.activity.flush()

    def outcomes(self) -> Mapping[str, int]:
        """Return the number of records by outcome, over all topics; restarts keep it."""
        totals: Counter[str] = Counter()
        for state in (self.topics | self.retired).values():
            totals.update(state.counts)
        return totals

    # ---- time

    def drained(self, topic: str, at_ms: int, held_to_ms: int | None = None) -> None:
        """Note the wall time at which a partition was read to its end; 0: it has a backlog.

        `held_to_ms` is the log clock of the other topics that this topic keeps up with (see
        `IdleHold`); None leaves it as it is.
        """
        state = self.topics[topic]
        state.drained_at = at_ms
        if held_to_ms is not None:
            state.held_to_ms = held_to_ms

    def advance(self) -> None:
        """Move the watermark to what the topics allow; it never goes back."""
        mark = shard_watermark(self.topics, self.rules.allowed_lateness_ms)
        if mark is not None:
            self.watermark = max(mark, self.watermark or 0)

    def close_sessions(self, limit: int = 256) -> tuple[int, list[str]]:
        """Close due sessions of up to `limit` people.

        Return the number of people with due sessions, and the keys of those to read first: call
        `close_sessions_of` with them.
        """
        if self.watermark is None:
            return 0, []
        keys = self.sessions.open.take_due(self.watermark, limit)
        absent = []
        for key in keys:
            person = self.people.peek(key)
            if person is None:
                absent.append(key)
            else:
                self._close(person)
        self.people.evict()
        return len(keys), absent

    def close_sessions_of(self, people: Iterable[Person]) -> None:
        """Close the due sessions of people just read, unless one came into memory meanwhile."""
        for read in people:
            person = self.people.peek(read.key)
            if person is None:
                person = read
                self.sessions.open.settle(person)
            self._close(person)
        self.people.evict()

    def _close(self, person: Person) -> None:
        outcome = self.sessions.open.close(person, self.watermark or 0)
        if outcome == CLOSED:
            self.people.hold(person, self.people.dirty)
        elif outcome == IMPLIED:
            self.people.hold(person, self.people.unchanged)


_no_people: Mapping[str, Person] = {}
