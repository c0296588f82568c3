"""Totals that never fall, whatever a late event takes back: to Prometheus a fall is a restart."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from msgspec.structs import astuple

from stream.publish.snapshot import Count, SegmentCount

_Total = TypeVar("_Total", Count, SegmentCount)


class Highest(Generic[_Total]):
    """The highest value ever shown of each total; a late event that joins two sessions lowers them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], _Total] = {}

    def of(self, found: Iterable[_Total]) -> list[_Total]:
        """All totals, with these taken in."""
        for total in found:
            name = astuple(total)[:-1]
            known = self._known.get(name)
            if known is None or total.value > known.value:
                self._known[name] = total
        return list(self._known.values())
