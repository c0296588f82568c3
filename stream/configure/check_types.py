"""The rules about types of events: which make somebody active, which are interactions, which clicks count."""

import difflib
from collections.abc import Iterable, Iterator

from schemas.events import EVENT_TYPES
from stream.settings.application import Settings


def type_rules(settings: Settings) -> Iterator[str]:
    """One sentence for each that is broken."""
    yield from _types("active.passive_types", settings.active.passive_types)
    yield from _interactive(settings)
    yield from _clicks(settings)


def _interactive(settings: Settings) -> Iterator[str]:
    counted, key = settings.interaction.events, "interaction.events"
    yield from _types(key, counted)
    for name in counted:
        if name in EVENT_TYPES and not EVENT_TYPES[name].has_person:
            yield f"{key}: {name} is about no one person; remove it"
        elif name in settings.active.passive_types:
            yield (
                f"{key}: {name} makes nobody active, and who interacts must be among the active; take "
                "it out here or of active.passive_types"
            )
    unbouncing, key = settings.bounce.interactive_events, "bounce.interactive_events"
    yield from _types(key, unbouncing)
    for name in unbouncing:
        if name in EVENT_TYPES and not EVENT_TYPES[name].in_session:
            yield f"{key}: {name} belongs to no visit; remove it"
        elif name == "page_view":
            yield f"{key}: page_view would leave no visit a bounce; remove it"


def _clicks(settings: Settings) -> Iterator[str]:
    if settings.ctr.match_impression and settings.ctr.denominator == "page_views":
        yield (
            "ctr.match_impression: clicks of impressions are no share of page views; set "
            "ctr.denominator to impressions, or this to false"
        )


def _types(key: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in EVENT_TYPES:
            close = difflib.get_close_matches(name, EVENT_TYPES, n=1, cutoff=0.6)
            advice = f"did you mean {close[0]}?" if close else "remove it"
            yield f"{key}: {name[:80]!r} is not an event type; {advice}"
