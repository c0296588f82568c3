"""Checks the event types and the selections of events that settings name."""

from collections.abc import Iterable, Iterator
from typing import get_args, get_type_hints

import msgspec

from schemas.envelope import Envelope
from schemas.events import EVENT_TYPES
from schemas.suggest import did_you_mean, name_one_of
from stream.counters.page_name import page_names
from stream.history.event_filter import (
    CONTEXT,
    PAGE_URL,
    choices_of,
    condition_fields,
    is_pattern,
    is_raw_url,
)
from stream.settings.application import Settings
from stream.settings.definitions import Scalar, Selection
from stream.settings.pages import PageSettings


def event_type_rules(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each list of event types that cannot be used."""
    yield from _known_types("active.passive_types", settings.active.passive_types)
    counted = settings.interaction.events
    yield from _known_types("interaction.events", counted)
    for name in counted:
        yield from of_active_people("interaction.events", name, settings)
    unbouncing, key = settings.bounce.interactive_events, "bounce.interactive_events"
    yield from _known_types(key, unbouncing)
    for name in unbouncing:
        if name in EVENT_TYPES and not EVENT_TYPES[name].in_session:
            yield f"{key}: {name} belongs to no session; remove it"
        elif name == "page_view":
            yield f"{key}: with page_view no session would be a bounce; remove it"


def of_active_people(key: str, name: str, settings: Settings) -> Iterator[str]:
    """Yield why a type cannot be counted as what an active person did."""
    yield from of_people(key, name)
    if name in settings.active.passive_types:
        yield (
            f"{key}: {name} does not make a person active, and only what active people do counts "
            "here; choose another type, or take it out of active.passive_types"
        )


def of_people(key: str, name: str) -> Iterator[str]:
    """Yield why people cannot be counted by events of a type."""
    if name in EVENT_TYPES and not EVENT_TYPES[name].counts_people:
        yield f"{key}: {name} is not about a person; choose another type"


def possible_selection(key: str, selection: Selection, pages: PageSettings) -> Iterator[str]:
    """Yield a sentence for each part of a selection that no event can fulfil; `key` is its own."""
    kind = EVENT_TYPES.get(selection.type)
    if kind is None:
        found = f"{selection.type[:80]!r} is not an event type" if selection.type else "is not set"
        yield f"{key}.type: {found}; {name_one_of(selection.type, EVENT_TYPES)}"
        return
    known = condition_fields(kind.struct)
    for name, value in selection.where.items():
        if name.startswith(CONTEXT) and name != CONTEXT:
            wrong = [one for one in choices_of(value) if not isinstance(one, str)]
            if wrong:
                yield f"{key}.where: {name} is a text and never {wrong[0]!r}; put it in quotes"
        elif name not in known:
            advice = name_one_of(name, [*known, f"{CONTEXT}{name}"])
            yield f"{key}.where: {name[:80]!r} is not a field of {selection.type}; {advice}"
        else:
            yield from _possible_values(f"{key}.where", kind.struct, name, value)
            if name == PAGE_URL:
                yield from _possible_pages(f"{key}.where", value, pages)


def _possible_pages(
    key: str, value: Scalar | tuple[Scalar, ...], pages: PageSettings
) -> Iterator[str]:
    """Yield each page that no URL has, as pages lose the query or the fragment it names."""
    for one in choices_of(value):
        if not isinstance(one, str) or is_raw_url(one):
            continue
        page = one if is_pattern(one) else page_names(pages).of(one)
        kept = {"?": bool(pages.query_keep), "#": pages.hash_routes}
        lost = [mark for mark in "?#" if mark in one and not (mark in page and kept[mark])]
        if lost:
            part = {"?": "query", "#": "fragment"}[lost[0]]
            yield (
                f"{key}: {PAGE_URL} is never {one[:80]!r}, as pages lose this {part}; write "
                f"{page_names(pages).of(one)[:80]!r}, see pages.query_keep and pages.hash_routes, or "
                "begin with http to compare whole URLs"
            )


def _possible_values(
    key: str, struct: type[Envelope], name: str, value: Scalar | tuple[Scalar, ...]
) -> Iterator[str]:
    """Yield each value that the field's type refuses: it would never select an event."""
    hint = get_type_hints(struct, include_extras=True)[name]
    choices = choices_of(value)
    if not choices:
        yield f"{key}: the list for {name} is empty and selects nothing; name a value"
    for one in choices:
        if is_pattern(one) or (one == "" and type(None) in get_args(hint)):
            continue  # An empty text selects events without the field.
        try:
            msgspec.convert(one, hint)
        except msgspec.ValidationError as error:
            yield f"{key}: {name} is never {one!r} ({error}); write a value that it can have"


def _known_types(key: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in EVENT_TYPES:
            advice = did_you_mean(name, EVENT_TYPES, "remove it")
            yield f"{key}: {name[:80]!r} is not an event type; {advice}"
