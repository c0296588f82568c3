"""Who may stay away: a shard's model, which once a day learns from what came of its people and looks at them anew.

A day is looked at up to twice. When the watermark has passed it, people are counted by their risk. When no
event that is still accepted can change it any more, the same is done once more, from the log alone, and
the model learns from how the people of `horizon_days` before have fared since. So what is final follows
from the log, and a crash, which repeats a look that had begun, changes nothing.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from stream.churn.features import WINDOW_DAYS, Features, features_at, stayed_away
from stream.churn.model import ChurnModel, Examples, ModelState, drawn
from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.counters.table import Counters
from stream.people.active_days import Mark

Band = Literal["low", "medium", "high"]
LOW: Band = "low"
MEDIUM: Band = "medium"
HIGH: Band = "high"
#: (site, band) → people
Bands = Counter[tuple[str, Band]]


@dataclass(frozen=True, slots=True)
class RiskRules:
    """The knobs, and the calendars of all sites: a day is over when it is over everywhere."""

    horizon_days: int
    low_below: float
    high_from: float
    examples_min: int
    examples_max: int
    #: People are told of one by one, so their ids must be stored.
    tells: bool
    calendars: tuple[Calendar, ...]

    def band(self, risk: float) -> Band:
        """The band of a risk."""
        return LOW if risk < self.low_below else HIGH if risk >= self.high_from else MEDIUM

    def last_over(self, time_ms: int) -> int:
        """The last day that is over on all sites."""
        return min(calendar.day_of(time_ms) for calendar in self.calendars) - 1


class StoredRisk(msgspec.Struct, array_like=True, frozen=True):
    """What of it every cut stores."""

    horizon_days: int
    settled: int | None
    told: int
    model: ModelState


class Seen(NamedTuple):
    """What a look finds out about a person; many are alike."""

    site: str
    now: Features | None
    #: As they were `horizon_days` before, and whether they have stayed away since.
    then: Features | None
    away: bool


@dataclass(slots=True)
class Look:
    """One look at everybody, as of the end of a day. People may come twice: the scan of Redis repeats."""

    day: int
    settles: bool
    #: Whether the model has learned enough for its risks to be counted.
    counts: bool
    horizon_days: int
    risk_of: Callable[[Features], float]
    #: Where the scan goes on.
    cursor: int = 0
    _ids: "array[int]" = field(default_factory=lambda: array("Q"))
    _kinds: "array[int]" = field(default_factory=lambda: array("I"))
    _known: dict[Seen, int] = field(default_factory=dict)
    _risks: dict[Features, float] = field(default_factory=dict)

    def see(
        self, number: int, site: str, mark: Mark, pays_at: Callable[[int], bool]
    ) -> tuple[Features, float] | None:
        """Take in a person (by a number of their own): what is known of them and their risk.

        None when there is no risk to tell: they are long gone, or the model knows too little.
        """
        before = self.day - self.horizon_days
        if mark[0] <= before - WINDOW_DAYS or mark[2] > self.day:
            return None
        now = features_at(mark, self.day, pays_at(self.day))
        then = features_at(mark, before, pays_at(before)) if self.settles else None
        if now is None and then is None:
            return None
        away = then is not None and stayed_away(mark, before, self.horizon_days)
        kind = self._known.setdefault(Seen(site, now, then, away), len(self._known))
        self._ids.append(number)
        self._kinds.append(kind)
        return (now, self._risk(now)) if now is not None and self.counts else None

    def bands(self, rules: RiskRules) -> Bands:
        """The people of the day by band."""
        found: Bands = Counter()
        for seen, people in self._people():
            if seen.now is not None and self.counts:
                found[seen.site, rules.band(self._risk(seen.now))] += people
        return found

    def examples(self) -> Examples:
        """Those whose time to come back has ended with the day."""
        found: Examples = Counter()
        for seen, people in self._people():
            if seen.then is not None:
                found[seen.then, seen.away] += people
        return found

    def _people(self) -> Iterable[tuple[Seen, int]]:
        """How many people there are of each kind, each once."""
        import numpy

        if not self._ids:
            return ()
        ids = numpy.frombuffer(self._ids, self._ids.typecode)
        kinds = numpy.frombuffer(self._kinds, self._kinds.typecode)
        _, first = numpy.unique(ids, return_index=True)
        counts = numpy.bincount(kinds[first], minlength=len(self._known))
        return zip(self._known, counts.tolist(), strict=True)

    def _risk(self, features: Features) -> float:
        found = self._risks.get(features)
        if found is None:
            found = self._risks[features] = self.risk_of(features)
        return found


class ChurnRisk:
    """The risk of one shard's people. Told by the cuts how far the stored state reaches."""

    def __init__(self, rules: RiskRules) -> None:
        self.rules = rules
        self.model = ChurnModel()
        #: The last day that was looked at for good; None before the first.
        self.settled: int | None = None
        #: The last day whose people were told of.
        self.told = 0
        self.look: Look | None = None
        self._taken: tuple[int, int, int] = (0, 0, 0)
        self._stored: tuple[int, int, int] = (0, 0, 0)

    @property
    def next_day(self) -> int:
        """The day that is settled next: nothing that a look at it needs may be forgotten."""
        return 0 if self.settled is None else self.settled + 1

    def checkpoint_taken(self, watermark_ms: int, floor_ms: int, first_day: int) -> None:
        """A cut holds all people as they are, with so much final and so much beyond change."""
        self._taken = watermark_ms, floor_ms, first_day

    def checkpoint_stored(self) -> None:
        """That cut is stored: who looks now finds it, or what came later."""
        self._stored = self._taken

    def begin(self) -> Look | None:
        """The look that is under way, or due; None when none is."""
        if self.look is not None:
            return self.look
        watermark, floor, first_day = self._stored
        if floor <= 0:
            return None
        if self.settled is None:
            self.settled = min(first_day, self.rules.last_over(floor) + 1) - 1
        counts = self.model.learned >= self.rules.examples_min
        if self.rules.last_over(floor) > self.settled:
            self.look = self._new_look(self.settled + 1, True, counts)
        elif counts and (day := self.rules.last_over(watermark)) > max(self.told, self.settled):
            self.look = self._new_look(day, False, counts)
        return self.look

    def finish(self, counters: Counters, registry: SegmentRegistry) -> None:
        """Everybody was looked at: count them, and learn."""
        look, self.look = self.look, None
        assert look is not None
        if look.counts:
            _count(look.bands(self.rules), look.day, counters, registry)
            self.told = max(self.told, look.day)
        if look.settles:
            self.model.learn(drawn(look.examples(), self.rules.examples_max, look.day))
            self.settled = look.day

    def stored(self) -> StoredRisk:
        """What a cut stores of it."""
        return StoredRisk(self.rules.horizon_days, self.settled, self.told, self.model.state)

    def restore(self, stored: StoredRisk | None, kept_from: int) -> None:
        """Go on from what a cut has stored; `kept_from`: the first day that all marks still hold.

        With nothing stored, the model begins to learn with the first day of which enough is known;
        what was learned for another horizon is no use.
        """
        if stored is None:
            self.settled = kept_from + WINDOW_DAYS + self.rules.horizon_days
            return
        self.settled, self.told = stored.settled, stored.told
        if stored.horizon_days == self.rules.horizon_days:
            self.model = ChurnModel(stored.model)

    def _new_look(self, day: int, settles: bool, counts: bool) -> Look:
        return Look(day, settles, counts, self.rules.horizon_days, self.model.risk)


def _count(found: Bands, day: int, counters: Counters, registry: SegmentRegistry) -> None:
    """Make the counts of a day what was found, whatever an earlier look has counted there."""
    bucket = counters.tables[Grain.DAY].get(day, {})
    known = {name[1] for name in registry.series.values() if name[0] == measures.RISK_PEOPLE}
    for site in sorted({site for site, _ in found} | known):
        wanted = {band: found[site, band] for band in (LOW, MEDIUM, HIGH)}
        segments = {band: registry.own_segment(site, measures.RISK_BAND, band) for band in wanted}
        for segment, people in (
            *((segments[band], people) for band, people in wanted.items()),
            (registry.segment_set_of(site, {}).segments[0], sum(wanted.values())),
        ):
            [series] = segment.series(measures.RISK_PEOPLE)
            change = people - bucket.get(series, 0)
            counters.add_in(Grain.DAY, day, measures.RISK_PEOPLE, segment, change)
