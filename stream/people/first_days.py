"""What the settings want to know of newcomers' first days beyond the calendar days on which they come."""

import hashlib

import msgspec

from stream.history.event_filter import predicate
from stream.people.first_hours import FirstHours
from stream.people.newcomers import Activation
from stream.settings.audience import FirstWeekSettings


def activation(knobs: FirstWeekSettings) -> Activation | None:
    """What is kept and counted of single events; None: nothing."""
    chosen = knobs.activation_event
    # What is counted is in its name: other settings never add to what is stored of these.
    text = msgspec.json.encode([chosen, knobs.days, knobs.min_events], order="sorted")
    digest = hashlib.sha256(text).hexdigest()[:6]
    what = (chosen.type, predicate(chosen), knobs.days, knobs.min_events)
    if knobs.clock == "user_24h":
        name = f"first_hours_{digest}"
        return FirstHours(name, *what, f"{name}_days")
    return Activation(f"activated_{digest}", *what) if chosen.type else None
