"""Gap sessions are kept in fragments; here fragments are joined to sessions, and long sessions split."""

from collections.abc import Iterable, Mapping

from stream.counters.segments import SegmentRegistry
from stream.sessions.page_path import PagePath
from stream.sessions.rules import SessionRules
from stream.sessions.session import Session, merge

#: Fragments of the longest gap session: one an hour for a session of a day. A session is split only
#: between fragments, so a late event can move the split without reading other events again.
PARTS = 24
_FOREVER = 1 << 62
#: (platform, campaign) of an event; empty where the settings do not split by them.
SplitKey = tuple[str, str]
NO_SPLIT_KEY: SplitKey = ("", "")


class Fragments:
    """Joins fragments to sessions: until a gap, a change of split key, midnight or the maximum duration."""

    def __init__(self, rules: SessionRules, registry: SegmentRegistry) -> None:
        self._reach_ms = rules.reach_ms
        self._max_duration_ms = rules.max_duration_ms
        self._part_ms = rules.max_duration_ms // PARTS
        self._split_at_midnight = rules.split_at_midnight
        self._rules = rules
        self._registry = registry

    def is_fragment(
        self, session: Session, sid: str | None, time_ms: int, split_key: SplitKey
    ) -> bool:
        """Return whether an instant within reach of a fragment, or of a session by id, can belong to it."""
        if sid is None:
            if session.start // self._part_ms != time_ms // self._part_ms:
                return False
            if (session.platform, session.campaign) != split_key:
                return False
            if self._rules.split_on_campaign_change and session.start != time_ms:
                return False  # Each instant is a fragment: a late campaign may split any two.
        return not self._split_at_midnight or self._is_same_day(session, time_ms)

    def until(self, session: Session, group: list[Session]) -> int:
        """Return the last instant up to which a new event extends a fragment without reading others."""
        last = _FOREVER
        if session.sid is None:
            if self._rules.split_on_campaign_change:
                return session.start
            last = (session.start // self._part_ms + 1) * self._part_ms - 1
            last = min(last, group[0].start + self._max_duration_ms)
        if self._split_at_midnight:
            calendar = self._registry.by_id(session.segment_set_id).calendar
            last = min(last, calendar.day_start_ms(calendar.day_of(session.start) + 1) - 1)
        return last

    def groups(self, sessions: Iterable[Session]) -> list[list[Session]]:
        """Return each session as its fragments in order. Sessions by id come first, one fragment each."""
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
        """Return the gap sessions that an event may change: those in reach, and those that follow without a gap."""
        found: list[list[Session]] = []
        reach_ms = self._rules.reach_of(platform)
        latest = time_ms + reach_ms
        for group in self.groups(sessions):
            first, last = group[0], group[-1]
            if first.sid is not None or last.end < time_ms - reach_ms:
                continue
            if first.platform != platform:
                continue
            if self._split_at_midnight and not self._is_same_day(first, time_ms):
                continue
            if first.start > latest:
                break
            latest = max(latest, last.end + reach_ms)
            found.append(group)
        return found

    def _goes_on(self, group: list[Session], fragment: Session) -> bool:
        first, last = group[0], group[-1]
        if fragment.closed or first.closed:
            # Fragments counted as one session stay one until they are taken back.
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


def whole(group: list[Session]) -> Session:
    """Merge the fragments of a group into one session."""
    if len(group) == 1:
        return group[0]
    session = Session(None, group[0].start, group[0].segment_set_id)
    session.page_path = PagePath()
    for fragment in group:
        merge(session, fragment, False)
    return session


def _place(session: Session) -> tuple[str, int, str]:
    return session.platform, session.start, session.campaign


def _start(session: Session) -> int:
    return session.start
