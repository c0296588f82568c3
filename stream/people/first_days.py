"""Build the rule for the first days of newcomers from `[first_week]`."""

import hashlib

import msgspec

from stream.history.event_filter import predicate
from stream.people.first_hours import FirstHours
from stream.people.newcomers import Activation
from stream.settings.audience import FirstWeekSettings
from stream.settings.pages import PageSettings


def activation(settings: FirstWeekSettings, pages: PageSettings) -> Activation | None:
    """Return the rule for single events of newcomers; None if only their active days count."""
    chosen = settings.activation_event
    what = (chosen.type, predicate(chosen, pages), settings.days, settings.min_events)
    if counted_days := days_measure(settings):
        return FirstHours(f"first_hours_{_digest(settings)}", *what, counted_days)
    return Activation(f"activated_{_digest(settings)}", *what) if chosen.type else None


def days_measure(settings: FirstWeekSettings) -> str | None:
    """Return the measure of active days by each newcomer's own clock; None with calendar days."""
    return f"first_hours_{_digest(settings)}_days" if settings.clock == "user_24h" else None


def _digest(settings: FirstWeekSettings) -> str:
    # The name of a measure holds its definition: other settings never add to counts stored under it.
    text = msgspec.json.encode(
        [settings.activation_event, settings.days, settings.min_events], order="sorted"
    )
    return hashlib.sha256(text).hexdigest()[:6]
