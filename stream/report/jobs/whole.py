"""Counts the inputs of a report as one whole, in several processes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from schemas.outputs import WindowKind
from stream.counters.measures import Grain
from stream.engine.checkpoint import restore
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.people.id_changes import COUNTED
from stream.people.keys import split_key
from stream.report import sorting
from stream.report.bounded import BadLine
from stream.report.cohorts import Cohort, Returned
from stream.report.duplicates import PARTS
from stream.report.jobs.decided import Known, decided
from stream.report.jobs.messages import (
    AllReturned,
    BadItem,
    Begin,
    Compare,
    Compared,
    Count,
    Counted,
    Finish,
    Finished,
    Owners,
    PartSurveyed,
    Return,
    Setup,
    Survey,
    Surveyed,
)
from stream.report.jobs.parts import NUMBER_BITS, divided, first_number
from stream.report.jobs.person_keys import LINKS_MAX, moved_keys
from stream.report.jobs.processes import Processes
from stream.report.jobs.stored_settings import encode_settings
from stream.report.periods import DayRange
from stream.report.ties import InputOrder
from stream.report.wrong_clocks import WrongClocks
from stream.settings.application import Settings

#: Share of the events after which the values of dimensions are compared for the first time. Most that
#: reach their maximum do so early, and little is counted again.
_FIRST_LOOK = 0.02
#: Times that the jobs begin again before one job counts everybody.
_RESTARTS_MAX = 3


class IdChangesFound(NamedTuple):
    """Sessions and carts with events of several people."""

    sessions: int
    carts: int


class Whole:
    """The jobs of one report. First each reads a part of the inputs, then it counts a share of the people."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        now_ms: int,
        days: DayRange | None,
        kinds: Collection[WindowKind] | None,
        jobs: int,
        show: Callable[[str], None],
    ) -> None:
        self._rules, self._jobs, self._show = rules, jobs, show
        self._names: Sequence[str] = ()
        #: Number of each part → number of its input.
        self._input_of: dict[int, int] = {}
        self._parts: list[PartSurveyed] = []
        self._bad: list[BadItem] = []
        self._processes = Processes(jobs, self._show_progress)
        self._shares = jobs
        self.rejected: Counter[str] = Counter()
        self.damage: list[str] = []
        self._processes.tell(
            Begin(
                encode_settings(settings), now_ms, None if days is None else (days.first, days.last),
                None if kinds is None else list(kinds), sorting.CHUNK_BYTES,
            )
        )  # fmt: skip

    def end(self) -> None:
        """End all jobs."""
        self._processes.end()

    def count(self, names: Sequence[str]) -> None:
        """Count all inputs. Raises JobError and SpillError."""
        self._names = names
        parts = divided(names, self._jobs)
        self._input_of = {part.number: part.input for share in parts for part in share}
        asked = {job: Survey(share) for job, share in enumerate(parts)}
        surveyed = list(self._processes.ask(Surveyed, asked).values())
        self._show("looking for duplicates")
        self._processes.tell(self._setup(surveyed))
        self._count_shares(surveyed)

    def finish(self, shards: Sequence[Shard]) -> IdChangesFound:
        """Take the counts of all jobs over into shards; return the changes of ids."""
        asked = {job: Finish() for job in range(self._shares)}
        found = list(self._processes.ask(Finished, asked).values())
        for shard, one in zip(shards, found, strict=False):
            buckets = {(Grain(grain), index): counts for grain, index, counts in one.buckets}
            restore(shard, 0, one.state, one.names, buckets, {})
        return IdChangesFound(
            _changes([one.sessions for one in found]), _changes([one.carts for one in found])
        )

    def returned(
        self, cohort: Cohort, kinds: Collection[WindowKind]
    ) -> dict[tuple[str, WindowKind], Returned]:
        """Count the people who return, for each site and kind of period in the order of `kinds`."""
        asked = {job: Return(cohort, list(kinds)) for job in range(self._shares)}
        found: dict[tuple[str, WindowKind], Returned] = {}
        for answer in self._processes.ask(AllReturned, asked).values():
            for one in answer.sites:
                people = {(first, later): count for first, later, count in one.people}
                part, key = Returned(one.first, one.last, people), (one.site, one.kind)
                found[key] = found[key].plus(part) if key in found else part
        return {key: found[key] for key in sorted(found, key=lambda key: list(kinds).index(key[1]))}

    def _setup(self, surveyed: Sequence[Surveyed]) -> Setup:
        """Put together what the jobs have read."""
        self._parts = sorted((p for one in surveyed for p in one.parts), key=_number)
        orders = [InputOrder() for _ in self._names]
        before = [0] * len(self._names)
        for part in reversed(self._parts):
            before[self._input_of[part.number]] = first_number(part.number)
        for part in self._parts:
            order = InputOrder()
            order.rises, order.falls = part.rises, part.falls
            order.first, order.last = part.first, part.last
            orders[self._input_of[part.number]].note_part(order)
            if part.damage:
                self.damage.append(part.damage)
        clocks = WrongClocks()
        for one in surveyed:
            clocks.add(one.days)
            self.rejected.update(one.rejected)
            self._bad += one.bad
        clocks.find()
        return Setup(
            [one.runs for one in surveyed],
            [part.lines for part in self._parts],
            self._duplicates(surveyed),
            clocks.from_ms,
            before,
            [(order.rises, order.falls) for order in orders],
        )

    def _duplicates(self, surveyed: Sequence[Surveyed]) -> bytes:
        asked = {
            job: Compare(
                [[one.ids[part] for one in surveyed] for part in range(job, PARTS, self._jobs)]
            )
            for job in range(self._jobs)
        }
        return b"".join(one.numbers for one in self._processes.ask(Compared, asked).values())

    def _count_shares(self, surveyed: Sequence[Surveyed]) -> None:
        """Let each job count its share, until all have counted the same values by name."""
        links = [link for one in surveyed for link in one.links]
        sites = {site for one in surveyed for site in one.days}
        limits = self._rules.settings.limits
        if len(links) > LINKS_MAX or len(sites) >= limits.sites_max or self._has_shared_ids():
            self._shares = 1
        times = sorted(time for one in surveyed for time in one.times)
        to_ms = times[int(len(times) * _FIRST_LOOK)] if times else None
        known, is_restart, restarts = Known([], False, True), True, 0
        while True:
            moved = moved_keys(links, self._shares)
            asked = {
                share: Count(share, self._shares, moved, known.values, is_restart, to_ms)
                for share in range(self._shares)
            }
            found = list(self._processes.ask(Counted, asked).values())
            if self._shares == 1 and to_ms is None:
                break
            known = decided(found, self._rules) if self._shares > 1 else Known([], False, True)
            if known.is_exceeded or not known.is_decided:
                restarts += 1
                is_restart, to_ms = True, None
                if not known.is_decided or restarts > _RESTARTS_MAX:
                    known, self._shares = Known([], False, True), 1
            elif to_ms is None:
                break
            else:
                is_restart, to_ms = False, None
        for one in found:
            self.rejected.update(one.rejected)
            self._bad += one.bad

    def _has_shared_ids(self) -> bool:
        """Whether a session is that of its id, whoever's events it has."""
        return self._rules.sessions.id_scope_is_site

    def bad_lines(self) -> Iterator[BadLine]:
        """Yield the first lines that are not counted: by their places, then those found while counting."""
        for bad in sorted(self._bad, key=lambda one: (one.time_ms, one.number)):
            number = bad.number >> NUMBER_BITS
            before = sum(
                part.lines
                for part in self._parts[:number]
                if self._input_of[part.number] == self._input_of[number]
            )
            line = before + bad.number - first_number(number)
            yield BadLine(self._names[self._input_of[number]], line, bad.reason, bad.detail)

    def _show_progress(self, read: int, counted: int) -> None:
        if counted:
            lines = sum(part.lines for part in self._parts)
            self._show(f"{counted:,} events of {lines:,} lines counted")
        else:
            self._show(f"{read:,} lines read")


def _changes(found: Sequence[Owners]) -> int:
    """Add up the changes of ids, and those whose people are in different jobs."""
    changes = sum(one.changes for one in found)
    owners: dict[str, str] = {}
    for one in found:
        for name, key in one.known.items():
            known = owners.get(name)
            if known is None:
                owners[name] = key
            elif COUNTED in (known, key):
                changes -= known == key
                owners[name] = COUNTED
            elif known != key and split_key(known)[0] == split_key(key)[0]:
                changes += 1
                owners[name] = COUNTED
    return changes


def _number(part: PartSurveyed) -> int:
    return part.number
