"""Gap sessions are kept in fragments; here fragments are joined to sessions, and long sessions split."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from stream.counters.segments import SegmentRegistry
from stream.sessions.page_path import PagePath
from stream.sessions.rules import SessionRules
from stream.sessions.session import (
    ALONE,
    ATTACHED,
    BEGUN,
    ENDED,
    Session,
    comes_first,
    merge,
    sid_digest,
)

#: Fragments of the longest gap session: one an hour for a session of a day. A session is split only
#: between fragments, so a late event can move the split without reading other events again.
PARTS = 24
#: Later than any event.
NOT_ENDED = 1 << 62
#: (platform, campaign) of an event; empty where the settings do not split by them.
SplitKey = tuple[str, str]
NO_SPLIT_KEY: SplitKey = ("", "")


class Run(NamedTuple):
    """A gap session as its fragments in order, and the session by id that it belongs to, if any."""

    owner: Session | None
    fragments: list[Session]


class Fragments:
    """Joins fragments to sessions: until a gap, a change of split key, midnight or the maximum duration.

    A gap session that begins while its person has a session by id open belongs to that session; of
    several, to the one that started last. A session by id that starts ends the gap session before it.
    Both follow from the start of a fragment, so no fragment is ever divided. Events that must not
    count for another session than that of their own instant are fragments alone.
    """

    def __init__(self, rules: SessionRules, registry: SegmentRegistry) -> None:
        #: Longest pause of any platform.
        self.longest_reach_ms = rules.longest_timeout_ms
        self._max_duration_ms = rules.max_duration_ms
        self._part_ms = rules.max_duration_ms // PARTS
        self._split_at_midnight = rules.split_at_midnight
        self._rules = rules
        self._registry = registry

    def is_fragment(
        self, session: Session, sid: str | None, time_ms: int, split_key: SplitKey, alone: bool
    ) -> bool:
        """Return whether an instant within reach of a fragment, or of a session by id, can belong to it."""
        if sid is None:
            if alone or session.traits & ALONE:
                return bool(
                    alone
                    and session.traits & ALONE
                    and session.start == time_ms
                    and (session.platform, session.campaign) == split_key
                )
            if session.start // self._part_ms != time_ms // self._part_ms:
                return False
            if (session.platform, session.campaign) != split_key:
                return False
            if self._rules.split_on_campaign_change and session.start != time_ms:
                return False  # Each instant is a fragment: a late campaign may split any two.
        return not self._split_at_midnight or self._is_same_day(session, time_ms)

    def until(self, session: Session, sessions: Sequence[Session]) -> int:
        """Return the last instant up to which a new event extends a session without reading others."""
        last = session.end if session.traits & ENDED else NOT_ENDED
        if session.sid is None:
            if self._rules.split_on_campaign_change or session.traits & ALONE:
                return session.start
            last = min(last, (session.start // self._part_ms + 1) * self._part_ms - 1)
            last = min(last, self._first_of(session, sessions).start + self._max_duration_ms)
        if self._split_at_midnight:
            calendar = self._registry.by_id(session.segment_set_id).calendar
            last = min(last, calendar.day_start_ms(calendar.day_of(session.start) + 1) - 1)
        return last

    def _first_of(self, session: Session, sessions: Sequence[Session]) -> Session:
        """Return the first fragment of the gap session to which a fragment belongs."""
        if len(sessions) == 1:
            return session
        by_id = [one for one in sessions if one.sid is not None]
        for _, run in self.runs(sessions, by_id):
            if session in run:
                return run[0]
        return session

    def groups(self, sessions: Iterable[Session]) -> list[list[Session]]:
        """Return each session as its fragments in order.

        Sessions by id come first: each alone, or with the fragments of the gap sessions that belong
        to it.
        """
        fragments: list[Session] = []
        found: list[list[Session]] = []
        for session in sessions:
            if session.sid is None:
                fragments.append(session)
            else:
                found.append([session])
        if not fragments:
            return found
        if not found:
            return self._by_gaps(fragments)
        owners = {group[0]: group for group in found}
        for owner, run in self.runs(fragments, list(owners)):
            if owner is None:
                found.append(run)
            else:
                owners[owner] += run
        return found

    def _by_gaps(self, fragments: list[Session]) -> list[list[Session]]:
        """Return the gap sessions of a person without sessions by id: the most frequent case."""
        if len(fragments) == 1:
            return [fragments]
        fragments.sort(key=_place if self._rules.has_split_keys else _start)
        found: list[list[Session]] = []
        group: list[Session] = []
        end_ms, over_ms = 0, NOT_ENDED
        for fragment in fragments:
            if group and self.goes_on(group, end_ms, over_ms, fragment, None):
                group.append(fragment)
                end_ms = max(end_ms, fragment.end)
                over_ms = min(over_ms, ended_ms(fragment))
            else:
                group, end_ms, over_ms = [fragment], fragment.end, ended_ms(fragment)
                found.append(group)
        return found

    def runs(self, sessions: Iterable[Session], by_id: Sequence[Session]) -> list[Run]:
        """Return the gap sessions in order. `by_id`: the sessions with an id that may own them."""
        fragments = [session for session in sessions if session.sid is None]
        fragments.sort(key=_place if self._rules.has_split_keys else _start)
        found: list[Run] = []
        group: list[Session] = []
        end_ms, over_ms = 0, NOT_ENDED
        for fragment in fragments:
            owner = self._owner(by_id, fragment)
            if group and self.goes_on(group, end_ms, over_ms, fragment, owner):
                group.append(fragment)
                end_ms = max(end_ms, fragment.end)
                over_ms = min(over_ms, ended_ms(fragment))
            else:
                group, end_ms, over_ms = [fragment], fragment.end, ended_ms(fragment)
                if fragment.traits & BEGUN or (fragment.closed and not fragment.traits & ATTACHED):
                    owner = None  # It begins a session of its own, or it was counted alone.
                found.append(Run(owner, group))
        return found

    def touched(
        self, groups: Iterable[list[Session]], time_ms: int, platform: str
    ) -> list[list[Session]]:
        """Return the gap sessions that an event may change: those in reach, and those that follow without a gap."""
        found: list[list[Session]] = []
        reach_ms = self._rules.reach_of(platform)
        latest = time_ms + reach_ms
        for group in groups:
            first, end_ms = group[0], last_ms(group)
            if end_ms < time_ms - reach_ms or first.platform != platform:
                continue
            if self._split_at_midnight and not self._is_same_day(first, time_ms):
                continue
            if first.start > latest:
                break
            latest = max(latest, end_ms + reach_ms)
            found.append(group)
        return found

    def whole(self, group: list[Session]) -> Session:
        """Merge the fragments of a group into one session."""
        first = group[0]
        if len(group) == 1:
            return first
        by_id = self._registry.by_id
        session = Session(first.sid, first.start, first.segment_set_id)
        session.platform = first.platform
        session.page_path = PagePath()
        for fragment in group:
            earlier = fragment.start <= session.start and comes_first(
                fragment.start, by_id(fragment.segment_set_id),
                session.start, by_id(session.segment_set_id),
            )  # fmt: skip
            merge(session, fragment, earlier)
        return session

    def _owner(self, by_id: Iterable[Session], fragment: Session) -> Session | None:
        """Return the session by id that is open when a fragment starts; of several, the last one."""
        start_ms, reach_ms = fragment.start, self._rules.reach_of(fragment.platform)
        found: Session | None = None
        for session in by_id:
            if (
                session.start <= start_ms
                and start_ms <= session.end + (0 if session.traits & ENDED else reach_ms)
                and session.closed == fragment.closed
                and (found is None or _starts_later(session, found))
                and not (self._split_at_midnight and not self._is_same_day(session, start_ms))
            ):
                found = session
        return found

    def goes_on(
        self,
        group: list[Session],
        end_ms: int,
        over_ms: int,
        fragment: Session,
        owner: Session | None,
    ) -> bool:
        """Return whether a fragment belongs to a group, whose first session_end is at `over_ms`."""
        first, last = group[0], group[-1]
        if fragment.closed or first.closed:
            # Fragments counted as one session stay one until they are taken back.
            return (
                fragment.closed
                and first.closed
                and fragment.joined
                and fragment.platform == last.platform
            )
        if owner is not None and owner.start > last.start:
            return False
        if fragment.traits & BEGUN:
            return False
        if over_ms < fragment.start:
            return False
        if self._rules.has_split_keys and not _has_one_split_key(group, fragment):
            return False
        return (
            fragment.start - end_ms <= self._rules.reach_of(fragment.platform)
            and fragment.end - first.start <= self._max_duration_ms
            and not (self._split_at_midnight and not self._is_same_day(first, fragment.start))
        )

    def _is_same_day(self, session: Session, time_ms: int) -> bool:
        day_of = self._registry.by_id(session.segment_set_id).calendar.day_of
        return day_of(session.start) == day_of(time_ms)


def split_key_of(context: Mapping[str, str] | None, rules: SessionRules) -> SplitKey:
    """Return the split key of an event: a platform with its own timeout, and its campaign."""
    if context is None:
        return NO_SPLIT_KEY
    platform = context.get(rules.platform_field, "")
    if platform not in rules.timeout_by_platform:
        platform = ""
    return platform, context.get("campaign", "") if rules.split_on_campaign_change else ""


def _has_one_split_key(group: list[Session], fragment: Session) -> bool:
    """Return whether a fragment has the group's platform and does not change its campaign."""
    if fragment.platform != group[0].platform:
        return False
    if not fragment.campaign:
        return True
    campaign = next((one.campaign for one in reversed(group) if one.campaign), "")
    return campaign in ("", fragment.campaign)


def ended_ms(fragment: Session) -> int:
    """Return when a session_end ends the session of a fragment."""
    return fragment.end if fragment.traits & ENDED else NOT_ENDED


def last_ms(group: Sequence[Session]) -> int:
    """Return the last instant of a group. A fragment alone may lie within another one."""
    if len(group) == 1:
        return group[0].end
    return max(fragment.end for fragment in group)


def _starts_later(session: Session, other: Session) -> bool:
    """Return whether a session starts after another; of two at one instant, by the digest of the id."""
    if session.start != other.start:
        return session.start > other.start
    return _digest(session) > _digest(other)


def _digest(session: Session) -> bytes:
    sid = session.sid
    return sid_digest(sid) if isinstance(sid, str) else sid or b""


def _place(session: Session) -> tuple[str, int, bool, str]:
    return session.platform, session.start, not session.traits & BEGUN, session.campaign


def _start(session: Session) -> int:
    """Order fragments by start. One that begins a session comes before others of its instant."""
    return session.start * 2 + (not session.traits & BEGUN)
