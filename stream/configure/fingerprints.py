"""Fingerprints of metrics, stored and compared: they show which metrics a change of settings changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from stream.configure.check_sources import mappings
from stream.metrics.catalogue import catalogue, defining_tables
from stream.metrics.counted_by import ALWAYS, SEGMENTS
from stream.metrics.editions import EDITIONS, editions
from stream.metrics.metric import OWN_DIMENSIONS, Metric
from stream.metrics.setting_value import setting_value
from stream.settings.application import Settings

Change = Literal["same", "unknown", "new", "formula", "segments", "counting", "dropped"]

#: Number of the present form. It rises when the same settings no longer give the same digests.
FORMAT = 3


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of what is counted for a metric, in which segments, and by which formula.

    `since_ms` (epoch ms) is when workers began to count it so; 0: at the beginning of the log.
    """

    counting: str
    formula: str
    segments: str = ""
    since_ms: int = 0
    #: Form of the digests. Only those of one form can be compared; the first form had no number.
    format: int = 1


def fingerprints(settings: Settings) -> dict[str, Fingerprint]:
    """Return the fingerprint of every metric that the settings define, by name."""
    always = _values(settings, ALWAYS) | _mapped(settings)
    return {metric.name: _fingerprint(metric, settings, always) for metric in catalogue(settings)}


def changes(
    stored: Mapping[str, Fingerprint], wanted: Mapping[str, Fingerprint]
) -> dict[str, Change]:
    """Return what becomes of each metric when `wanted` takes the place of `stored`."""
    found = {name: _change(stored.get(name), one) for name, one in wanted.items()}
    return found | {name: "dropped" for name in stored if name not in wanted}


def carried_on(
    stored: Mapping[str, Fingerprint], wanted: Mapping[str, Fingerprint], now_ms: int
) -> dict[str, Fingerprint]:
    """Return what to store from now on: a metric that is counted differently is so since now.

    Fingerprints of another form cannot be compared: their metrics keep the time they have.
    """
    kept: dict[str, Fingerprint] = {}
    for name, fingerprint in wanted.items():
        before = stored.get(name)
        goes_on = before is not None and (
            before.format != fingerprint.format or before.counting == fingerprint.counting
        )
        # With nothing stored at all, the log is being counted from its beginning.
        since = before.since_ms if before and goes_on else now_ms if stored else 0
        kept[name] = msgspec.structs.replace(fingerprint, since_ms=since)
    return kept


def _change(before: Fingerprint | None, after: Fingerprint) -> Change:
    if before is None:
        return "new"
    if before.format != after.format:
        return "unknown"
    if before.counting != after.counting:
        return "counting"
    if before.segments != after.segments:
        return "segments"
    return "same" if before.formula == after.formula else "formula"


def _fingerprint(metric: Metric, settings: Settings, always: Mapping[str, object]) -> Fingerprint:
    needs = sorted((measure, int(grain)) for measure, grain in metric.needs())
    counted = {**always, **_values(settings, metric.counted_by)}
    terms = (repr(metric.numerator), repr(metric.denominator), metric.windows)
    shown = (metric.gauge_complete, _values(settings, metric.chosen_by))
    edited = editions(metric.measures())
    return Fingerprint(
        counting=_digest([counted, needs, *([edited] if edited else [])]),
        formula=_digest([terms, shown]),
        segments=_digest([_values(settings, _segmented_by(metric))]),
        format=FORMAT,
    )


def _segmented_by(metric: Metric) -> tuple[str, ...]:
    """Return the settings that decide which segments a metric has."""
    has_only_own = not metric.plain and OWN_DIMENSIONS.issuperset(metric.by)
    return tuple(name for name in SEGMENTS if name != "dimensions" or not has_only_own)


def _values(settings: Settings, names: Iterable[str]) -> dict[str, object]:
    return {name: _value(settings, name) for name in names}


def _value(settings: Settings, name: str) -> object:
    """Return a setting; a list of texts comes sorted, as no setting gives their order a meaning."""
    value = setting_value(settings, name)
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return sorted(value)
    return value


def _mapped(settings: Settings) -> dict[str, object]:
    """Return the mappings of foreign sources, if there are any."""
    return {"sources": mappings(settings)} if settings.sources else {}


def _digest(parts: Iterable[object]) -> str:
    text = json.dumps(list(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def definition_version(settings: Settings) -> str:
    """Return 12 hex digits that change when a setting or an edition changes what a number means."""
    defining = msgspec.to_builtins(
        {name: getattr(settings, name) for name in defining_tables() if name != "dimensions"}
    )
    defining["dimensions"] = sorted(settings.dimensions)
    defining["active"]["passive_types"] = sorted(settings.active.passive_types)
    defining |= _mapped(settings)
    text = json.dumps([defining, dict(EDITIONS)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
