"""A person's states by group of segments: segments that have had the same entries share one state."""

from collections.abc import Sequence
from typing import Generic, TypeVar, cast

from stream.counters.segments import Group, Segment, SegmentSet


class GroupState:
    """State of the segments of one group."""

    __slots__ = ("group",)

    def __init__(self, group: Group) -> None:
        self.group = group

    def new(self, group: Group) -> "GroupState":
        """Return the state of a group that has had no entry."""
        raise NotImplementedError

    def copy(self, group: Group) -> "GroupState":
        """Return a copy for a part of the group."""
        raise NotImplementedError


AnyState = TypeVar("AnyState", bound=GroupState)


class Groups(Generic[AnyState]):
    """The states of a person. Nearly everyone has one segment set for life, and so one state.

    An event in a part of a group splits it: the part takes a copy of its state, and goes its own way.
    """

    __slots__ = ("_by_segment", "_known", "_model", "_states")

    def __init__(self, model: AnyState) -> None:
        """`model` makes new states; the first group of all takes the model itself, if it is of that group."""
        self._model = model
        self._states: list[AnyState] = []
        #: Group of an entry → the states of all its segments; forgotten when a group is split.
        self._known: dict[Group, list[AnyState]] = {}
        #: Segment → its state; built when a second group comes.
        self._by_segment: dict[Segment, AnyState] | None = None

    @property
    def all(self) -> Sequence[AnyState]:
        """The states of all groups."""
        return self._states

    def of(self, group: Group) -> list[AnyState]:
        """Return the states whose groups together are a group, split and new ones included."""
        known = self._known.get(group)
        if known is None:
            known = self._find(group)
            self._known[group] = known
        return known

    def put(self, state: AnyState) -> None:
        """Take in the state of a group none of whose segments has one."""
        self._states.append(state)
        if self._by_segment is not None:
            for segment in segments_of(state.group):
                self._by_segment[segment] = state

    def _find(self, group: Group) -> list[AnyState]:
        if not self._states:
            model = self._model
            state = model if model.group is group else cast(AnyState, model.new(group))
            self._states.append(state)
            return [state]
        by_segment = self._by_segment
        if by_segment is None:
            by_segment = self._by_segment = {}
            for state in self._states:
                for segment in segments_of(state.group):
                    by_segment[segment] = state
        shared: dict[AnyState, list[Segment]] = {}
        fresh: list[Segment] = []
        for segment in segments_of(group):
            owner = by_segment.get(segment)
            if owner is None:
                fresh.append(segment)
            elif owner in shared:
                shared[owner].append(segment)
            else:
                shared[owner] = [segment]
        found = [self._part(owner, segments, by_segment) for owner, segments in shared.items()]
        if fresh:
            state = cast(AnyState, self._model.new(part_of(group, fresh)))
            self.put(state)
            found.append(state)
        return found

    def _part(
        self, state: AnyState, segments: list[Segment], by_segment: dict[Segment, AnyState]
    ) -> AnyState:
        """Return the state of some segments of a group, which is split unless these are all of them."""
        group = state.group
        if len(segments) == len(segments_of(group)):
            return state
        taken = set(segments)
        rest = [segment for segment in segments_of(group) if segment not in taken]
        part = cast(AnyState, state.copy(part_of(group, segments)))
        state.group = part_of(group, rest)
        self._states.append(part)
        for segment in segments:
            by_segment[segment] = part
        self._known.clear()
        return part


def segments_of(group: Group) -> tuple[Segment, ...]:
    """Return the segments of a group."""
    return group.segments if isinstance(group, SegmentSet) else (group,)


def part_of(group: Group, segments: Sequence[Segment]) -> Group:
    """Return the group of some segments of a group."""
    return group.part(segments) if isinstance(group, SegmentSet) else group
