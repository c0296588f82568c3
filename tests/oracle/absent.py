"""Fields of an event: null and an empty text are no field, and a reason has one spelling."""

import re
from collections.abc import Collection
from typing import Any

EventDict = dict[str, Any]


_IDS = ("user_id", "visitor_id", "session_id")


def present(event: EventDict, placeholders: Collection[str] = ()) -> EventDict:
    """Return the event with only the fields, and the values of the context, that hold something.

    "undefined, null, none … are placeholders": such an id, in any case, is no id.
    """
    kept = {name: value for name, value in event.items() if value not in (None, "")}
    for name in _IDS:
        if str(kept.get(name, "")).strip().lower() in placeholders:
            kept.pop(name, None)
    if "context" in kept:
        context = kept["context"].items()
        kept["context"] = {name: value for name, value in context if value not in (None, "")}
    if "reason" in kept:
        # "Payment Failed", "payment-failed" and "payment_failed" are one reason.
        kept["reason"] = re.sub(r"[-_ ]+", "_", kept["reason"].strip().lower())
    return kept
