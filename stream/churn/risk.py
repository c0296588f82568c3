"""Churn risk of a shard's people: once a day the model assesses everyone and learns from outcomes.

A day is assessed up to twice. First when the watermark has passed it: people are counted by risk band.
Again when no accepted event can change it any more: the day is settled from the log alone, and the model
learns how the people of `horizon_days` earlier have fared. Final numbers follow from the log only, so a
crash, which repeats an assessment, changes nothing.
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
from stream.people.active_days import Bitmap
from stream.settings.application import Settings

Band = Literal["low", "medium", "high"]
LOW: Band = "low"
MEDIUM: Band = "medium"
HIGH: Band = "high"
#: (site, band) → people
Bands = Counter[tuple[str, Band]]


@dataclass(frozen=True, slots=True)
class RiskRules:
    """The settings of `[churn_risk]`, and every site's calendar: a day ends when it has ended on all sites."""

    horizon_days: int
    low_below: float
    high_from: float
    examples_min: int
    examples_max: int
    #: Risks are published person by person, so person ids must be stored.
    publishes_people: bool
    calendars: tuple[Calendar, ...]

    def band(self, risk: float) -> Band:
        """Return the band of a risk."""
        return LOW if risk < self.low_below else HIGH if risk >= self.high_from else MEDIUM

    def last_over(self, time_ms: int) -> int:
        """Return the last day that has ended on all sites at an instant in epoch ms."""
        return min(calendar.day_of(time_ms) for calendar in self.calendars) - 1


def risk_rules(settings: Settings, calendar_of: Callable[[str], Calendar]) -> RiskRules | None:
    """Compile `[churn_risk]`; None if the model is switched off."""
    risk = settings.churn_risk
    if not risk.enabled:
        return None
    return RiskRules(
        horizon_days=risk.horizon_days,
        low_below=risk.low_below,
        high_from=risk.high_from,
        examples_min=risk.examples_min,
        examples_max=risk.examples_max,
        publishes_people=bool(risk.topic),
        calendars=tuple(calendar_of(site) for site in ("", *settings.sites)),
    )


class StoredRisk(msgspec.Struct, array_like=True, frozen=True):
    """The part of the churn risk that every checkpoint stores."""

    horizon_days: int
    settled: int | None
    published_day: int
    model: ModelState


class Observation(NamedTuple):
    """Features of a person that an assessment reads; many people share one observation."""

    site: str
    now: Features | None
    #: Features `horizon_days` earlier, and whether the person has stayed away since.
    then: Features | None
    away: bool


@dataclass(slots=True)
class Assessment:
    """One pass over all people, as of the end of a day. The scan of Redis may yield a person twice."""

    day: int
    settles: bool
    #: Whether the model has learned enough for its risks to be counted.
    counts: bool
    horizon_days: int
    risk_of: Callable[[Features], float]
    #: Cursor at which the scan continues.
    cursor: int = 0
    _ids: "array[int]" = field(default_factory=lambda: array("Q"))
    _kinds: "array[int]" = field(default_factory=lambda: array("I"))
    _known: dict[Observation, int] = field(default_factory=dict)
    _risks: dict[Features, float] = field(default_factory=dict)

    def observe(
        self, number: int, site: str, bitmap: Bitmap, pays_at: Callable[[int], bool]
    ) -> tuple[Features, float] | None:
        """Add a person, identified by a unique number; return their features and risk.

        None if the person left long ago, or the model has too few examples.
        """
        before = self.day - self.horizon_days
        if bitmap[0] <= before - WINDOW_DAYS or bitmap[2] > self.day:
            return None
        now = features_at(bitmap, self.day, pays_at(self.day))
        then = features_at(bitmap, before, pays_at(before)) if self.settles else None
        if now is None and then is None:
            return None
        away = then is not None and stayed_away(bitmap, before, self.horizon_days)
        kind = self._known.setdefault(Observation(site, now, then, away), len(self._known))
        self._ids.append(number)
        self._kinds.append(kind)
        return (now, self._risk(now)) if now is not None and self.counts else None

    def bands(self, rules: RiskRules) -> Bands:
        """Count the people of the day by site and band."""
        found: Bands = Counter()
        for seen, people in self._people():
            if seen.now is not None and self.counts:
                found[seen.site, rules.band(self._risk(seen.now))] += people
        return found

    def examples(self) -> Examples:
        """Count the examples whose outcome is known at the end of the day."""
        found: Examples = Counter()
        for seen, people in self._people():
            if seen.then is not None:
                found[seen.then, seen.away] += people
        return found

    def _people(self) -> Iterable[tuple[Observation, int]]:
        """Yield each observation with its number of people, counting every person once."""
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
    """The churn risk of one shard. Checkpoints report how far the stored state reaches."""

    def __init__(self, rules: RiskRules) -> None:
        self.rules = rules
        self.model = ChurnModel()
        #: The last settled day; None before the first.
        self.settled: int | None = None
        #: The last day whose risks were counted and published.
        self.published_day = 0
        self.assessment: Assessment | None = None
        self._taken: tuple[int, int, int] = (0, 0, 0)
        self._stored: tuple[int, int, int] = (0, 0, 0)

    @property
    def next_day(self) -> int:
        """The next day to settle: pruning must keep what its assessment needs."""
        return 0 if self.settled is None else self.settled + 1

    def checkpoint_taken(self, watermark_ms: int, floor_ms: int, first_day: int) -> None:
        """Note a checkpoint's watermark, floor and first day with counts (0: none has any)."""
        self._taken = watermark_ms, floor_ms, first_day

    def checkpoint_stored(self) -> None:
        """The checkpoint is stored: an assessment that starts now reads it or a later state."""
        self._stored = self._taken

    def begin(self) -> Assessment | None:
        """Return the assessment under way or due; None if none is due."""
        if self.assessment is not None:
            return self.assessment
        watermark, floor, first_day = self._stored
        if floor <= 0:
            return None
        if self.settled is None:
            if not first_day:
                return None  # No day has counts yet, so there is no first day to settle.
            self.settled = min(first_day, self.rules.last_over(floor) + 1) - 1
        counts = self.model.learned >= self.rules.examples_min
        if self.rules.last_over(floor) > self.settled:
            self.assessment = self._new_assessment(self.settled + 1, True, counts)
        elif counts and (day := self.rules.last_over(watermark)) > max(
            self.published_day, self.settled
        ):
            self.assessment = self._new_assessment(day, False, counts)
        return self.assessment

    def finish(self, counters: Counters, registry: SegmentRegistry) -> None:
        """End an assessment that has read everyone: count the bands, and learn if the day is settled."""
        assessment, self.assessment = self.assessment, None
        assert assessment is not None
        if assessment.counts:
            _count(assessment.bands(self.rules), assessment.day, counters, registry)
            self.published_day = max(self.published_day, assessment.day)
        if assessment.settles:
            self.model.learn(drawn(assessment.examples(), self.rules.examples_max, assessment.day))
            self.settled = assessment.day

    def stored(self) -> StoredRisk:
        """Return the part that a checkpoint stores."""
        return StoredRisk(
            self.rules.horizon_days, self.settled, self.published_day, self.model.state
        )

    def restore(self, stored: StoredRisk | None, kept_from: int) -> None:
        """Continue from a checkpoint; `kept_from` is the first day that every bitmap still holds.

        Without stored state, learning begins with the first day whose history is complete. Weights
        learned for another horizon are discarded.
        """
        if stored is None:
            self.settled = kept_from + WINDOW_DAYS + self.rules.horizon_days
            return
        self.settled, self.published_day = stored.settled, stored.published_day
        if stored.horizon_days == self.rules.horizon_days:
            self.model = ChurnModel(stored.model)

    def _new_assessment(self, day: int, settles: bool, counts: bool) -> Assessment:
        return Assessment(day, settles, counts, self.rules.horizon_days, self.model.risk)


def _count(found: Bands, day: int, counters: Counters, registry: SegmentRegistry) -> None:
    """Set the counts of a day to `found`, replacing those of an earlier assessment."""
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
