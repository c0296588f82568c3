"""What an event holds: null and an empty text are no field, and a reason has one spelling."""

import re
from typing import Any

EventDict = dict[str, Any]


def present(event: EventDict) -> EventDict:
    """Return the event with only the fields, and the values of the context, that hold something."""
    kept = {name: value for name, value in event.items() if value not in (None, "")}
    if "context" in kept:
        context = kept["context"].items()
        kept["context"] = {name: value for name, value in context if value not in (None, "")}
    if "reason" in kept:
        # "Payment Failed", "payment-failed" and "payment_failed" are one reason.
        kept["reason"] = re.sub(r"[-_ ]+", "_", kept["reason"].strip().lower())
    return kept
