"""The state of one shard: what batches change and checkpoints store."""

from collections.abc import Iterable
from zlib import crc32

from stream.churn.risk import ChurnRisk
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.counters.sites import Sites
from stream.counters.table import Counters
from stream.engine.dead_letters import DeadLetters
from stream.engine.duplicates import SeenIds
from stream.engine.event_rules import EventRule
from stream.engine.range_people import RangePeople
from stream.engine.rules import Rules
from stream.engine.watermark import TopicState, log_floor
from stream.history.contributions import Contributions
from stream.people.activity import Activity
from stream.people.cache import PeopleCache
from stream.people.id_changes import IdChanges
from stream.people.person import Person, unpack
from stream.sessions.index import SessionIndex
from stream.sessions.pages import Pages


class ShardState:
    """The parts of a shard. Each part collects its own changes and gives them up to a checkpoint.

    Three floors say how far back a later event can still reach. They differ in the price of a mistake:

    - `oldest_ms`: no older event is accepted. It bounds what people keep, because an event that
      finds its person's past forgotten counts wrongly for ever. It may be low: the price is memory.
    - `counted_from_ms`: no older event is expected. It bounds the counters of minutes and hours and
      the days of the churn model, which a fast replay must not collect for months. It may be high:
      the price is a window that a later event no longer corrects.
    - `oldest_live_minute`: no older minute can gain a live visitor. Only events within the allowed
      lateness make a person live.

    Each floor starts from the topic whose log clock (its highest accepted event time) is lowest.
    A topic read to its end counts as following the others, or one quiet topic would hold all state
    back. `oldest_ms` lets it follow only what it has proven to keep up with
    (`TopicState.held_to_ms`); the other two let it follow at once.
    """

    def __init__(
        self,
        partition: int,
        topics: Iterable[str],
        rules: Rules,
        grains: dict[str, tuple[Grain, ...]],
        people_cached: int,
        people_packed: int = 0,
    ) -> None:
        """`people_cached` and `people_packed` bound the people in memory, as objects and packed."""
        self.partition = partition
        self.rules = rules
        self.registry = SegmentRegistry(
            rules.settings.dimensions,
            rules.settings.dimension_values_max,
            rules.calendar_of,
            rules.exclusions,
            rules.own_values_max,
            Sites(rules.named_sites, rules.first_sites_max),
            rules.settings.limits.segments_max,
            rules.settings.limits.segment_sets_max,
            rules.fixed_dimensions,
        )
        self.counters = Counters(grains)
        self.people = PeopleCache(people_cached, people_packed, self.restored)
        self.activity = Activity(self.counters, self.registry, rules)
        self.pages = Pages(self.registry, rules.settings.pages)
        self.sessions = SessionIndex(rules.sessions, self.registry, self.pages, self.counters)
        self.dead_letters = DeadLetters(partition, rules.settings.time.late_policy == "drop")
        #: The churn model; None if it is switched off.
        self.churn_risk = ChurnRisk(rules.churn_risk) if rules.churn_risk is not None else None
        self.topics = {
            topic: TopicState(topic, SeenIds(rules.dedupe_window_ms, rules.settings.dedupe.ids_max))
            for topic in topics
        }
        #: Whether the state was lost before, so that published numbers are counted again.
        self.is_recount = False
        #: Topics in the stored state that are no longer configured.
        self.retired: dict[str, TopicState] = {}
        #: Events since the last checkpoint: (event rule, minute) → segment set → count.
        self.collected: dict[tuple[EventRule, int], dict[SegmentSet, int]] = {}
        #: Changes of what people's histories and single events amount to, since the last checkpoint.
        self.contributions = Contributions()
        #: `oldest_ms` of the batch being applied: accepting it has moved the clocks.
        self.batch_oldest_ms = 0
        #: Topic → rank among views of one millisecond: those of the page-view topic come first.
        self.topic_ranks = {
            topic: 0 if topic == rules.settings.topics.page_views else crc32(topic.encode())
            for topic in self.topics
        }
        #: Rank of the topic whose batch is being applied.
        self.topic_rank = 0
        #: Sessions and carts that go on under another person id. Not stored.
        self.id_changes = IdChanges()
        #: Counts people once over the range of a report; None without one.
        self.range_people: RangePeople | None = None
        self.watermark: int | None = None
        #: Number of the last checkpoint.
        self.sequence = 0

    def count_range(self, first: int, last: int) -> None:
        """Count people once over the days first … last, from the first event on."""
        self.activity.count_range(first, last)
        self.range_people = RangePeople(self.counters, first, last)

    def restored(self, key: str, raw: bytes) -> Person:
        """Return the person of a stored form, with the session closed that has closed since."""
        person = unpack(key, raw)
        person.packed = raw
        self.sessions.open.settle(person)
        return person

    def person(self, key: str) -> Person:
        """Return a person in memory. Raises KeyError if the person was not admitted."""
        person = self.people.get(key)
        if person is None:
            raise KeyError(key)
        return person

    def held_person(self, key: str) -> Person:
        """Return a person with a change since the last checkpoint. Raises KeyError for others."""
        person = self.people.dirty.get(key)
        return self.people.unchanged[key] if person is None else person

    def oldest_ms(self) -> int:
        """Return the time in epoch ms before which no event is accepted."""
        return log_floor(self.topics, self.rules.correction_window_ms) - self.rules.horizon_ms

    def counted_from_ms(self) -> int:
        """Return the time in epoch ms before which no event is expected."""
        floor_ms = log_floor(self.topics, self.rules.correction_window_ms, at_once=True)
        return floor_ms - self.rules.horizon_ms

    def oldest_live_minute(self) -> int:
        """Return the epoch minute before which no minute can gain a live visitor."""
        lateness_ms = self.rules.allowed_lateness_ms
        timely_ms = log_floor(self.topics, lateness_ms, at_once=True) - lateness_ms
        return timely_ms // MINUTE_MS - self.rules.settings.active.live_minutes
