"""Followers: how many an account has on each network, by the last that was told of it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from stream.counters.segments import Names, Segment
from stream.history.events import Condensed, Contributions, Fact, on

#: Followers at the end of a day: of all accounts, and by network.
FOLLOWERS = "level_social_followers"


class Followers(Condensed):
    """Snapshots of the followers of an account: the last of a day holds until another day has one.

    Of two at one instant the higher counts. They count in the segments of the snapshot that holds.
    """

    name = "flw"
    types: Collection[str] = ("social_followers",)
    #: What is older can only be the last one of its network, which is kept whatever its age.
    keep_days = 2

    def fact(self, event: Any) -> Sequence[Any] | None:
        """The network and the number."""
        return event.network, event.count

    def contributions(self, facts: Sequence[Fact], names: Names) -> Contributions:
        """What each day that has a snapshot adds to the followers of the day before."""
        counts: Contributions = Contributions()
        by_network: dict[str | None, list[Fact]] = {}
        for fact in self._last_of_days(facts, names):
            by_network.setdefault(fact[2], []).append(fact)
        for network, theirs in by_network.items():
            before: tuple[Iterable[Segment], int] = ((), 0)
            for time_ms, profile_id, _, count in theirs:
                profile = names.by_id(profile_id)
                sides = [] if network is None else [names.side(profile.site, "network", network)]
                segments = (*profile.segments, *sides)
                day = profile.calendar.day_of(time_ms)
                for segment in before[0]:
                    on(counts, FOLLOWERS, segment, day, -before[1])
                for segment in segments:
                    on(counts, FOLLOWERS, segment, day, count)
                before = segments, count
        return counts

    def settled(
        self,
        facts: Sequence[Fact],
        oldest_ms: int,
        settled_ms: int,  # noqa: ARG002
        names: Names,
    ) -> list[Fact]:
        """The last of each day, and of those before `oldest_ms` the last of each network."""
        last = self._last_of_days(facts, names)
        base = {fact[2]: fact for fact in last if fact[0] < oldest_ms}
        return [fact for fact in last if fact[0] >= oldest_ms or fact is base[fact[2]]]

    def summary(self, facts: Sequence[Fact], names: Names) -> object:
        """The last of each day."""
        return self._last_of_days(facts, names)

    def _last_of_days(self, facts: Sequence[Fact], names: Names) -> list[Fact]:
        last: dict[tuple[str | None, int], Fact] = {}
        # Facts come sorted, and equal ones of two profiles in the order of what these say.
        for fact in sorted(facts, key=lambda fact: (fact[0], fact[3])):
            last[fact[2], names.by_id(fact[1]).calendar.day_of(fact[0])] = fact
        return [*last.values()]
