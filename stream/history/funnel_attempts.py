"""Attempts at a funnel: how many steps a person completes within the window, from each first step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from stream.counters.calendar import DAY_MS
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.events import FieldsKey, HistoryEntry
from stream.history.funnel_steps import EVER, FunnelSteps
from stream.history.replay import Replay, ReplayState

#: Time of the entry that stands for the progress so far.
_STORED_MS = -1
#: Days for which a day of entry matters to another one.
_REACH_DAYS = 29
#: Events fitted to steps: at each step the steps that its event can be; 0: none is fitted.
Fitted = tuple[int, ...]


class Attempt(NamedTuple):
    """An attempt that may still get further. `fitted` is of unordered steps."""

    start_ms: int
    day: int
    depth: int
    fitted: Fitted = ()


@dataclass(frozen=True, slots=True)
class Attempts:
    """The rules of a funnel: number of steps, their order, and the window after the first step."""

    steps: int
    window_ms: int
    order: Literal["ordered", "strict", "unordered"]
    #: Requires all steps in one session; without ids, a longer gap begins another. None: no session needed.
    session_gap_ms: int | None = None
    #: Whether only the first attempt ever counts.
    is_first_only: bool = False

    def ends(self, steps: int) -> bool:
        """Return whether an event ends an attempt: the bit after the last step is set."""
        return bool(steps >> self.steps & 1)

    def begins(self, steps: int) -> bool:
        """Return whether an event begins an attempt."""
        first = (1 << self.steps) - 1 if self.order == "unordered" else 1
        return bool(steps & first)

    def begun(self, time_ms: int, day: int, steps: int) -> Attempt:
        """Return the attempt that an event begins."""
        if self.order != "unordered":
            return Attempt(time_ms, day, 1)
        return Attempt(time_ms, day, 1, _fitted((0,) * self.steps, steps))

    def advanced(self, attempt: Attempt, time_ms: int, steps: int) -> Attempt | None:
        """Return the attempt after a later event of its session; None if it is over."""
        if time_ms > attempt.start_ms + self.window_ms or self.ends(steps):
            return None
        if self.order == "unordered":
            fitted = _fitted(attempt.fitted, steps)
            return attempt._replace(fitted=fitted, depth=self.steps - fitted.count(0))
        if steps >> attempt.depth & 1:
            return attempt._replace(depth=attempt.depth + 1)
        return None if self.order == "strict" else attempt


class _Run(NamedTuple):
    """The open attempts of a session, the oldest first, and the time of its last event."""

    last_ms: int
    attempts: tuple[Attempt, ...]


class Progress(ReplayState):
    """A person's open attempts, and the steps that they reached, by day of entry and ever.

    Of open attempts that began on one day and are equally deep, only the last is kept. The
    steps open to the others are open to it too, and its window ends last.
    """

    __slots__ = (
        "_best", "_first_ms", "_newest_ms", "_reached", "_registry", "_rules", "_runs",
        "_segment_set_id",
    )  # fmt: skip

    def __init__(
        self, rules: Attempts, registry: SegmentRegistry, reached: FunnelSteps | None
    ) -> None:
        """`reached` counts the steps reached; None: they are counted already."""
        self._rules = rules
        self._registry = registry
        self._reached = reached
        #: Any segment set of the site.
        self._segment_set_id = 0
        self._newest_ms = 0
        #: Start of the first attempt, if only that one counts; 0: there is none yet.
        self._first_ms = 0
        #: Day of entry, or EVER → best depth.
        self._best: dict[int, int] = {}
        #: Session → its open attempts; without sessions, all are one.
        self._runs: dict[str, _Run] = {}

    @staticmethod
    def restored(
        rules: Attempts,
        registry: SegmentRegistry,
        stored: Sequence[HistoryEntry],
        reached: FunnelSteps | None,
        is_counted: bool,
    ) -> "Progress":
        """Return the progress that entries stand for.

        `is_counted`: `reached` knows the steps that these have reached.
        """
        found = Progress(rules, registry, None if is_counted else reached)
        for _, segment_set_id, ever, _, *more in stored:
            segment_set = registry.by_id(segment_set_id)
            found._segment_set_id = segment_set_id
            # An entry without more stands for attempts that are over.
            found._first_ms, best, runs = more or (_STORED_MS if ever else 0, [], [])
            for day, depth in [*best, (EVER, ever)]:
                found._reach(day, depth, 1, None)
            day_of = segment_set.calendar.day_of
            for session, last_ms, attempts in runs:
                open_attempts = [
                    Attempt(start_ms, day_of(start_ms), depth, tuple(fitted))
                    for start_ms, depth, fitted in attempts
                ]
                found._runs[session] = _Run(last_ms, tuple(open_attempts))
        found._reached = reached
        return found

    def stored(self, settled_ms: int) -> list[HistoryEntry]:
        """Return the entry that stands for the progress."""
        runs = [
            [session, last_ms, [[one.start_ms, one.depth, [*one.fitted]] for one in attempts]]
            for session, (last_ms, attempts) in self._open_runs(settled_ms).items()
        ]
        day_of = self._registry.by_id(self._segment_set_id).calendar.day_of
        oldest_day = day_of(settled_ms - self._rules.window_ms - _REACH_DAYS * DAY_MS)
        best = [[day, depth] for day, depth in sorted(self._best.items()) if day >= oldest_day]
        more = self._first_ms, best, runs
        return [(_STORED_MS, self._segment_set_id, self._best.get(EVER, 0), None, *more)]

    def copy(self) -> "Progress":
        """Return a copy, without the attempts that are over."""
        found = Progress(self._rules, self._registry, self._reached)
        found._segment_set_id, found._newest_ms = self._segment_set_id, self._newest_ms
        found._first_ms, found._best = self._first_ms, {**self._best}
        found._runs = self._runs = self._open_runs(self._newest_ms)
        found._runs = {**found._runs}
        return found

    @property
    def size(self) -> int:
        """Number of sessions with open attempts."""
        return len(self._runs)

    def take(self, entry: HistoryEntry, by: int, counts: Contributions | None) -> None:
        """Take the moment that comes next, and count the steps that it reaches."""
        time_ms, segment_set_id, steps, session = entry
        self._segment_set_id, self._newest_ms = segment_set_id, time_ms
        rules, gap_ms = self._rules, self._rules.session_gap_ms
        key = session or "" if gap_ms is not None else ""
        run = self._runs.pop(key, _NO_RUN)
        is_new_session = gap_ms is not None and not key and time_ms - run.last_ms > gap_ms
        later: list[Attempt] = []
        for attempt in () if is_new_session else run.attempts:
            advanced = rules.advanced(attempt, time_ms, steps)
            if advanced is None:
                continue
            if advanced.depth > attempt.depth:
                self._reach_both(advanced.day, advanced.depth, by, counts)
            later.append(advanced)
        if rules.begins(steps) and (not rules.is_first_only or self._first_ms in (0, time_ms)):
            self._first_ms = time_ms
            day = self._registry.by_id(segment_set_id).calendar.day_of(time_ms)
            self._reach_both(day, 1, by, counts)
            later.append(rules.begun(time_ms, day, steps))
        if later := _last_of_each(later, rules.steps):
            self._runs[key] = _Run(time_ms, tuple(later))

    def _open_runs(self, time_ms: int) -> dict[str, _Run]:
        """Return the runs without the attempts whose window is over."""
        oldest_ms = time_ms - self._rules.window_ms
        found: dict[str, _Run] = {}
        for session, (last_ms, attempts) in self._runs.items():
            if kept := tuple(one for one in attempts if one.start_ms >= oldest_ms):
                found[session] = _Run(last_ms, kept)
        return found

    def _reach_both(self, day: int, depth: int, by: int, counts: Contributions | None) -> None:
        self._reach(day, depth, by, counts)
        self._reach(EVER, depth, by, counts)

    def _reach(self, day: int, depth: int, by: int, counts: Contributions | None) -> None:
        """Note that an attempt which began on a day got to a depth."""
        before = self._best.get(day, 0)
        if depth > before:
            self._best[day] = depth
            if self._reached is not None:
                site = self._registry.by_id(self._segment_set_id).site
                for step in range(before + 1, depth + 1):
                    self._reached.count(site, day, step, by, counts)


class FunnelIndex(Replay):
    """The moments of a person in a funnel, in the order of time."""

    __slots__ = ("_funnel_registry", "_reached", "_rules")

    def __init__(
        self,
        rules: Attempts,
        registry: SegmentRegistry,
        fields: FieldsKey,
        reached: FunnelSteps | None,
    ) -> None:
        """`reached` counts the steps reached; None: they are counted already."""
        super().__init__(registry, fields)
        self._rules = rules
        self._funnel_registry = registry
        self._reached = reached

    def begin(self, stored: Sequence[HistoryEntry], is_first: bool) -> Progress:
        """Return the progress that stored entries stand for."""
        registry = self._funnel_registry
        return Progress.restored(self._rules, registry, stored, self._reached, not is_first)


def _last_of_each(attempts: list[Attempt], steps: int) -> list[Attempt]:
    """Return the attempts that are not complete: of one day and depth, the last one."""
    last: dict[tuple[int, int], Attempt] = {}
    for attempt in attempts:
        if attempt.depth < steps:
            last.pop((attempt.day, attempt.depth), None)
            last[attempt.day, attempt.depth] = attempt
    return [*last.values()]


def _fitted(fitted: Fitted, steps: int) -> Fitted:
    """Return the events fitted to steps, with one more if it fits, whatever others it moves."""
    found = [*fitted]
    _fit(found, steps, set())
    return tuple(found)


def _fit(found: list[int], steps: int, tried: set[int]) -> bool:
    """Fit an event to a step, moving other events to steps they also fit (augmenting path)."""
    for step in range(len(found)):
        if steps >> step & 1 and step not in tried:
            tried.add(step)
            if not found[step] or _fit(found, found[step], tried):
                found[step] = steps
                return True
    return False


_NO_RUN = _Run(0, ())
