"""What the settings want to know of newcomers' first days beyond the calendar days on which they come."""

import hashlib

import msgspec

from stream.activation import Activation
from stream.first_hours import FirstHours
from stream.knobs_audience import FirstWeekSettings
from stream.selection import predicate


def activation(knobs: FirstWeekSettings) -> Activation | None:
    """What is kept and counted of single events; None: nothing."""
    chosen = knobs.activation_event
    if knobs.clock == "user_24h":
        text = msgspec.json.encode(
            [chosen, knobs.days, knobs.min_events, knobs.clock], order="sorted"
        )
        name = f"first_hours_{hashlib.sha256(text).hexdigest()[:6]}"
        test = predicate(chosen)
        return FirstHours(name, chosen.type, test, knobs.days, knobs.min_events, f"{name}_days")
    if not chosen.type:
        return None
    text = msgspec.json.encode([chosen, knobs.days, knobs.min_events], order="sorted")
    name = f"activated_{hashlib.sha256(text).hexdigest()[:6]}"
    return Activation(name, chosen.type, predicate(chosen), knobs.days, knobs.min_events)
