"""Totals for Prometheus, which never fall: Prometheus would take a fall for a restart."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from msgspec.structs import astuple

from stream.publish.snapshot import Count, SegmentCount

_Total = TypeVar("_Total", Count, SegmentCount)


class Highest(Generic[_Total]):
    """Highest value so far of each total. A late event that joins two sessions would lower it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], _Total] = {}

    def of(self, found: Iterable[_Total]) -> list[_Total]:
        """Add these totals and return all."""
        for total in found:
            name = astuple(total)[:-1]
            known = self._known.get(name)
            if known is None or total.value > known.value:
                self._known[name] = total
        return list(self._known.values())
