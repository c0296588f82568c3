"""Recognizes the preset of records: by the fields that only its vendor sends, and by what they become."""

from collections import Counter
from typing import Final

from msgspec import Struct, field

from schemas.codec import RejectedEvent, parse
from schemas.mapping.compile import Ignored, Mapped
from schemas.mapping.formats import UndecodableError, decode
from schemas.mapping.lookup import hold
from schemas.mapping.preset import Preset, mapping_of_preset, presets
from schemas.mapping.record import Record
from schemas.mapping.source import Source

_IDS_MAX: Final = 100_000


class Candidate(Struct, kw_only=True):
    """A preset with what it makes of the records that look like its vendor's."""

    preset: str
    records: int = 0
    events: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    #: First refusal, for people.
    detail: str = ""
    #: Records with an event whose id an earlier record had.
    repeated_ids: int = 0
    #: Events by user, and their visitors.
    visitors_of: dict[str, set[str]] = {}
    without_key: int = 0


class Detection:
    """Takes records one by one, and ranks the presets."""

    def __init__(self) -> None:
        self.records = self.own_events = 0
        #: Why the first record is no event of ours.
        self.detail = ""
        self._found = {name: Candidate(preset=name) for name in presets()}
        self._sources = {
            name: Source(mapping_of_preset(preset)) if preset.written.rules else None
            for name, preset in presets().items()
        }
        self._ids: dict[str, set[str]] = {name: set() for name in presets()}

    def note(self, record: Record) -> None:
        """Look at a record."""
        self.records += 1
        try:
            parse(record.value)
        except RejectedEvent as refused:
            self.detail = self.detail or f"{refused.reason}: {refused.detail}"
            decoded = _Decoded(record)
            for name, preset in presets().items():
                if decoded.looks_like(preset):
                    self._note(name, record)
        else:
            self.own_events += 1

    def _note(self, name: str, record: Record) -> None:
        found, source = self._found[name], self._sources[name]
        found.records += 1
        found.without_key += record.key is None
        if source is None:
            return
        repeats = False
        for outcome in source.checked(record):
            if isinstance(outcome, Mapped):
                found.events += 1
                repeats |= self._is_repeated(name, outcome.raw)
            elif isinstance(outcome, Ignored):
                found.ignored[outcome.why] += 1
            else:
                found.refused += 1
                found.detail = found.detail or outcome.detail
        found.repeated_ids += repeats

    def _is_repeated(self, name: str, raw: bytes) -> bool:
        event, _ = parse(raw)
        found, ids = self._found[name], self._ids[name]
        if event.user_id and event.visitor_id and len(ids) < _IDS_MAX:
            found.visitors_of.setdefault(event.user_id, set()).add(event.visitor_id)
        is_known = event.event_id in ids
        if len(ids) < _IDS_MAX:
            ids.add(event.event_id)
        return is_known

    def ranked(self) -> list[Candidate]:
        """Return the presets that recognize records: those that make most events first."""
        found = [one for one in self._found.values() if one.records]
        return sorted(found, key=lambda one: (-one.events, -one.records, one.preset))


class _Decoded:
    """A record, decoded once for all presets of a format."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._found: dict[str, object] = {}

    def looks_like(self, preset: Preset) -> bool:
        """Whether the record, or the first element of its list, looks like one of the preset's vendor."""
        name = preset.written.values.get("format", "json")
        if name not in self._found:
            try:
                found = decode(name, self._record)
            except UndecodableError:
                found = None
            self._found[name] = found[0] if isinstance(found, list) and found else found
        first = self._found[name]
        return isinstance(first, dict) and any(
            hold(one, first, self._record) for one in preset.detect
        )


def looks_like(preset: Preset, record: Record) -> bool:
    """Whether a record looks like one of the preset's vendor."""
    return _Decoded(record).looks_like(preset)
