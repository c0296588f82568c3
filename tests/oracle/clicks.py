"""Click-through by brute force: compare every click with every impression of its person."""

from collections.abc import Iterable, Sequence

from tests.oracle.people import People
from tests.oracle.sessions import pairs_of
from tests.oracle.terms import Choices, EventDict


def clicks_on_content(events: Iterable[EventDict]) -> list[EventDict]:
    """Return the "clicks with content_id" (metrics.md, CTR)."""
    return [e for e in events if e["type"] == "click" and e.get("content_id") is not None]


def counted(
    events: Iterable[EventDict], everything: Sequence[EventDict], people: People, choices: Choices
) -> list[EventDict]:
    """Return the event to count for each click among `events`: the click or its matched impression.

    In `matched` mode, "a click counts toward its impression's window", and in the impression's
    segments.
    """
    if not choices.ctr_matched_ms:
        return clicks_on_content(events)
    here = {id(event) for event in events}
    found = []
    for click in clicks_on_content(everything):
        shown = [
            event
            for event in everything
            if event["type"] == "impression"
            and event["content_id"] == click["content_id"]
            and people.person(event) == people.person(click) is not None
            and 0 <= click["ms"] - event["ms"] <= choices.ctr_matched_ms
        ]
        if shown:
            last = max(shown, key=lambda event: (event["ms"], pairs_of(event, choices.dimensions)))
            found += [last] if id(last) in here else []
    return found
