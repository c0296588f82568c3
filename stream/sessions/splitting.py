"""Runs: which pieces of a person's sessions by gaps make one session, and where one that lasts too long is cut."""

from collections.abc import Iterable, Mapping

from stream.counters.segments import SegmentRegistry
from stream.sessions.page_path import Order, PagePath
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, merge

#: A session by gaps is kept in pieces, one for each of so many parts of the longest one (hours, of a
#: day). It is cut between two of them: so a late event may move the cut, and no event is asked for again.
PARTS = 24
_FOREVER = 1 << 62
#: (platform, campaign) of an event, both empty where these decide nothing.
SplitKey = tuple[str, str]
NO_SPLIT_KEY: SplitKey = ("", "")


class Fragments:
    """Pieces go on as one session while no gap, no cut and, where days split, no midnight is between."""

    def __init__(self, rules: SessionRules, registry: SegmentRegistry) -> None:
        self._reach_ms = rules.reach_ms
        self._max_ms = rules.max_ms
        self._part_ms = rules.max_ms // PARTS
        self._by_day = rules.by_day
        self._rules = rules
        self._registry = registry

    def is_fragment(
        self, session: Session, sid: str | None, time_ms: int, split_key: SplitKey
    ) -> bool:
        """Whether an instant that reaches a piece (or a session by id) can be in it."""
        if sid is None:
            if session.start // self._part_ms != time_ms // self._part_ms:
                return False
            if (session.platform, session.campaign) != split_key:
                return False
            if self._rules.by_campaign and session.start != time_ms:
                return False  # Each instant is a piece: a late campaign may divide any two.
        return not self._by_day or self._is_same_day(session, time_ms)

    def until(self, session: Session, group: list[Session]) -> int:
        """The last instant at which the newest event may extend a piece without a look at others."""
        last = _FOREVER
        if session.sid is None:
            if self._rules.by_campaign:
                return session.start
            last = (session.start // self._part_ms + 1) * self._part_ms - 1
            last = min(last, group[0].start + self._max_ms)
        if self._by_day:
            calendar = self._registry.by_id(session.segment_set_id).calendar
            last = min(last, calendar.day_start_ms(calendar.day_of(session.start) + 1) - 1)
        return last

    def groups(self, sessions: Iterable[Session]) -> list[list[Session]]:
        """Each session as its pieces, in order: first those by id, of one piece each."""
        fragments: list[Session] = []
        found: list[list[Session]] = []
        for session in sessions:
            if session.sid is None:
                fragments.append(session)
            else:
                found.append([session])
        if len(fragments) > 1:
            fragments.sort(key=_place if self._rules.has_split_keys else _start)
        group: list[Session] = []
        for fragment in fragments:
            if group and self._goes_on(group, fragment):
                group.append(fragment)
            else:
                group = [fragment]
                found.append(group)
        return found

    def touched(
        self, sessions: Iterable[Session], time_ms: int, platform: str
    ) -> list[list[Session]]:
        """Sessions by gaps that an event may change: what it reaches, and what follows without a gap."""
        found: list[list[Session]] = []
        reach_ms = self._rules.reach_of(platform)
        latest = time_ms + reach_ms
        for group in self.groups(sessions):
            first, last = group[0], group[-1]
            if first.sid is not None or last.end < time_ms - reach_ms:
                continue
            if first.platform != platform:
                continue
            if self._by_day and not self._is_same_day(first, time_ms):
                continue
            if first.start > latest:
                break
            latest = max(latest, last.end + reach_ms)
            found.append(group)
        return found

    def _goes_on(self, group: list[Session], fragment: Session) -> bool:
        first, last = group[0], group[-1]
        if fragment.closed or first.closed:
            # What has been counted as one stays one until it is taken back.
            return (
                fragment.closed
                and first.closed
                and fragment.joined
                and fragment.platform == last.platform
            )
        if self._rules.has_split_keys and not _has_one_split_key(group, fragment):
            return False
        return (
            fragment.start - last.end <= self._rules.reach_of(fragment.platform)
            and fragment.end - first.start <= self._max_ms
            and not (self._by_day and not self._is_same_day(first, fragment.start))
        )

    def _is_same_day(self, session: Session, time_ms: int) -> bool:
        day_of = self._registry.by_id(session.segment_set_id).calendar.day_of
        return day_of(session.start) == day_of(time_ms)


def split_key_of(context: Mapping[str, str] | None, rules: SessionRules) -> SplitKey:
    """The lane of an event by gaps: a platform with a timeout of its own, and the campaign it names."""
    if context is None:
        return NO_SPLIT_KEY
    platform = context.get(rules.platform_field, "")
    if platform not in rules.by_platform:
        platform = ""
    return platform, context.get("campaign", "") if rules.by_campaign else ""


def _has_one_split_key(group: list[Session], fragment: Session) -> bool:
    """Whether a piece is of the group's platform and brings no other campaign than its last one."""
    if fragment.platform != group[0].platform:
        return False
    if not fragment.campaign:
        return True
    said = next((one.campaign for one in reversed(group) if one.campaign), "")
    return said in ("", fragment.campaign)


def whole(group: list[Session], order: Order) -> Session:
    """The session that the pieces of a group make."""
    if len(group) == 1:
        return group[0]
    session = Session(None, group[0].start, group[0].segment_set_id)
    session.page_path = PagePath()
    for fragment in group:
        merge(session, fragment, False, order)
    return session


def _place(session: Session) -> tuple[str, int, str]:
    return session.platform, session.start, session.campaign


def _start(session: Session) -> int:
    return session.start
