"""Metrics of interaction: how often an active person does more than look."""

from collections.abc import Iterator, Mapping

from schemas.outputs import WindowKind
from stream.counters import measures
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import AtEnd, Term, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings

#: Length in days → window, its people, and the word for them.
_PEOPLE: Mapping[int, tuple[WindowKind, Term, str]] = {
    1: ("day", Total(measures.ACTIVE_DAY), "daily"),
    7: ("trailing_7d", AtEnd(measures.ACTIVE_7D), "weekly"),
    28: ("trailing_28d", AtEnd(measures.ACTIVE_28D), "monthly"),
}


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield interactions per active person of the window that the settings choose."""
    chosen = settings.interaction
    window, people, name = _PEOPLE[chosen.window_days]
    what = f"{', '.join(chosen.events)} events" if chosen.events else "interactive events"
    length = "a day" if chosen.window_days == 1 else f"{chosen.window_days} days"
    yield Metric(
        name="interaction_frequency",
        help=f"Mean number of times in {length} that an active person did more than look.",
        unit="interactions",
        formula=f"{what} ÷ {name} active users; a custom event with interactive = false does not count",
        numerator=Total(measures.INTERACTIONS),
        denominator=people,
        windows=(window,),
        gauge="interaction_frequency",
        gauge_complete=True,
        example=Example("150 clicks, searches and orders of 50 people", 150, 50, 3),
        chosen_by=("interaction.window_days",),
    )


THEME = Theme(
    title="Interaction",
    text="How often an active person does more than look.",
    metrics=metrics,
)
