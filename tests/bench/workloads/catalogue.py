"""The workloads by name: their shape, their size, what they cost before, and what they may cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.events import EVENT_TYPES
from tests.bench.workloads.people import (
    MIX,
    PEOPLE,
    Shape,
    anyone,
    cold,
    history,
    mixed,
    only,
    visitors,
)

# Sessions end 30 minutes after their last event: these events span 67 minutes.
_LONG = 800_000
_SHORT = 100_000


@dataclass(frozen=True)
class Workload:
    """Traffic of one shape."""

    name: str
    shape: Shape
    types: tuple[str, ...]
    events: int = _SHORT
    ratio_before: float | None = None  # to raw, on commit 6131ed2
    ratio_max: float | None = None
    rate_min: int | None = None  # events a second on one core
    peak_megabytes_max: int | None = None
    redis_bytes_max: int | None = None  # a person

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the topics that hold its events."""
        return tuple(dict.fromkeys(EVENT_TYPES[one].role for one in self.types))


_VIEW = ("page_view",)
_TYPE_RATIO_MAX = 10.0
_TYPES_BEFORE = {"page_view": 3.2, "add_to_cart": 24.0, "survey_response": 62.0, "order": 370.0}

_SHAPES = (
    Workload(
        "views", only("page_view", anyone(PEOPLE)), _VIEW, _LONG,
        ratio_before=3.2, ratio_max=2.5, rate_min=80_000, redis_bytes_max=150,
    ),
    Workload("visits", only("page_view", visitors), _VIEW, _LONG, ratio_before=6, ratio_max=3.5),
    Workload("mixed", mixed, tuple(MIX), _LONG, ratio_before=10, ratio_max=4.5, rate_min=50_000),
    Workload(
        "cold", cold, _VIEW, _LONG,
        ratio_before=18, ratio_max=8, peak_megabytes_max=500, redis_bytes_max=150,
    ),
    Workload("history", history, ("order", "page_view")),
)  # fmt: skip

_ALONE = (
    *(
        Workload(
            name, only(name, anyone(PEOPLE)), (name,),
            ratio_before=_TYPES_BEFORE.get(name), ratio_max=_TYPE_RATIO_MAX,
        )
        for name in EVENT_TYPES
    ),
    Workload(
        "survey_response_2000", only("survey_response", anyone(2_000)), ("survey_response",),
        ratio_before=250, ratio_max=_TYPE_RATIO_MAX,
    ),
)  # fmt: skip

#: The main shapes first, then each event type alone.
WORKLOADS: Mapping[str, Workload] = {one.name: one for one in (*_SHAPES, *_ALONE)}
