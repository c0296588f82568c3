"""What a metric is made of, in a form that can be stored and compared: what a change of settings changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from stream.metrics.catalogue import catalogue
from stream.metrics.metric import Metric
from stream.settings.application import Settings

Change = Literal["same", "new", "formula", "counting", "dropped"]

#: Settings that change what every metric counts.
_EVERYWHERE = ("timezone", "week_start", "identity", "sites", "active", "bots", "exclude")


class Fingerprint(msgspec.Struct, frozen=True):
    """One metric: what is counted for it, and how its value is computed from the counts.

    `since_ms` (epoch ms) is when the workers began to count it so; 0: from the beginning of the log.
    """

    counting: str
    formula: str
    since_ms: int = 0


def fingerprints(settings: Settings) -> dict[str, Fingerprint]:
    """Of every metric that these settings define, by name."""
    return {metric.name: _fingerprint(metric, settings) for metric in catalogue(settings)}


def changes(
    stored: Mapping[str, Fingerprint], wanted: Mapping[str, Fingerprint]
) -> dict[str, Change]:
    """What becomes of each metric when `wanted` takes the place of `stored`."""
    found: dict[str, Change] = {}
    for name, fingerprint in wanted.items():
        before = stored.get(name)
        if before is None:
            found[name] = "new"
        elif before.counting != fingerprint.counting:
            found[name] = "counting"
        else:
            found[name] = "same" if before.formula == fingerprint.formula else "formula"
    return found | {name: "dropped" for name in stored if name not in wanted}


def carried_on(
    stored: Mapping[str, Fingerprint], wanted: Mapping[str, Fingerprint], now_ms: int
) -> dict[str, Fingerprint]:
    """What to store from now on: what is counted differently is counted so since now."""
    kept: dict[str, Fingerprint] = {}
    for name, fingerprint in wanted.items():
        before = stored.get(name)
        is_same = before is not None and before.counting == fingerprint.counting
        # With nothing stored at all, the log is being counted from its beginning.
        since = before.since_ms if before and is_same else now_ms if stored else 0
        kept[name] = msgspec.structs.replace(fingerprint, since_ms=since)
    return kept


def _fingerprint(metric: Metric, settings: Settings) -> Fingerprint:
    names = (*_EVERYWHERE, *metric.knobs)
    values = {name: _setting(settings, name) for name in names}
    needs = sorted((measure, int(grain)) for measure, grain in metric.needs())
    terms = (repr(metric.numerator), repr(metric.denominator), metric.windows)
    return Fingerprint(_digest([values, needs]), _digest(terms))


def _setting(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return msgspec.to_builtins(value)


def _digest(parts: Iterable[object]) -> str:
    text = json.dumps(list(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# Knobs that change a published number; limits, publishing and the connections do not.
DEFINING = (
    "identity", "timezone", "sites", "week_start", "dimension_values_max", "currency", "time",
    "dedupe", "session", "bounce", "duration", "pages", "time_on_page", "scroll", "exit", "ctr",
    "churn", "survey", "support", "value", "social", "active", "stickiness", "new", "bots", "exclude",
    "interaction", "first_week", "retention", "churn_risk", "conversion", "experiment", "goals",
    "feature", "funnels", "cart", "measures", "metrics",
)  # fmt: skip


def definition_version(settings: Settings) -> str:
    """12 hex digits that change exactly when a knob changes what a published number means."""
    defining = msgspec.to_builtins({name: getattr(settings, name) for name in DEFINING})
    defining["dimensions"] = sorted(settings.dimensions)
    defining["active"]["passive_types"] = sorted(settings.active.passive_types)
    text = json.dumps(defining, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
