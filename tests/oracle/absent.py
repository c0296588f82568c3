"""Fields that hold nothing: null and an empty text are the same as a missing field."""

from typing import Any

EventDict = dict[str, Any]


def present(event: EventDict) -> EventDict:
    """Return the event with only the fields, and the values of the context, that hold something."""
    kept = {name: value for name, value in event.items() if value not in (None, "")}
    if "context" in kept:
        context = kept["context"].items()
        kept["context"] = {name: value for name, value in context if value not in (None, "")}
    return kept
