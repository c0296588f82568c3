"""Defines a theme: metrics that belong together, and what the engine keeps and counts for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stream.history.aggregates.aggregate import Aggregate, EventCounter
from stream.metrics.counted_by import CountedBy
from stream.metrics.metric import Metric
from stream.settings.application import Settings


def _none(_settings: Settings) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One chapter of the catalogue. The settings choose what its functions return."""

    title: str
    #: What it is about: a sentence under the title.
    text: str
    metrics: Callable[[Settings], Iterable[Metric]]
    #: What is kept of each person for its measures.
    aggregates: Callable[[Settings], Iterable[Aggregate]] = _none
    #: What single events add to its measures.
    event_counters: Callable[[Settings], Iterable[EventCounter]] = _none
    #: Its own measures, and the settings that change how they are counted.
    counted_by: CountedBy = field(default_factory=dict)
