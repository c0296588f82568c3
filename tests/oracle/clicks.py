"""Click-through by brute force: for every click, look at all that its person was shown."""

from collections.abc import Iterable, Sequence

from tests.oracle.people import People
from tests.oracle.sessions import pairs_of
from tests.oracle.terms import EventDict, Knobs


def clicks_on_content(events: Iterable[EventDict]) -> list[EventDict]:
    """metrics.md, CTR: "clicks with content_id"."""
    return [e for e in events if e["type"] == "click" and e.get("content_id") is not None]


def counted(
    events: Iterable[EventDict], everything: Sequence[EventDict], people: People, knobs: Knobs
) -> list[EventDict]:
    """What stands for a click that counts among `events`: the click, or the impression that it is of.

    "in `matched` mode … a click counts toward its impression's window"; and in its segments.
    """
    if not knobs.ctr_matched_ms:
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
            and 0 <= click["ms"] - event["ms"] <= knobs.ctr_matched_ms
        ]
        if shown:
            last = max(shown, key=lambda event: (event["ms"], pairs_of(event, knobs.dimensions)))
            found += [last] if id(last) in here else []
    return found
