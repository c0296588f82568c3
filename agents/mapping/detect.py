"""`engage detect`: says which preset the records of files are for, and what needs attention."""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console

from agents.commands.catalogue import RequestRefusedError
from agents.mapping.chosen import check_files
from schemas.mapping.detect import Candidate, Detection
from schemas.mapping.formats import FRAMED
from schemas.mapping.preset import presets
from schemas.rejection import RejectedEvent, printable
from stream.report.foreign import read_records
from stream.report.opening import InputError, shown_name

#: Kafka's time of lines that have none; only their ids and kinds matter here.
_TIME_MS: Final = 1_741_943_066_535
#: Visitors of one user beyond which the id is likely that of many people.
_VISITORS_MAX: Final = 20
_KINDS_SHOWN: Final = 5


def run_detect(files: list[str], *, format: str) -> int:
    """Print the presets that recognize the records; return 0, 1 if none does, 2 for a wrong file."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    detection = Detection()
    try:
        check_files(files)
        for name in files:
            for _, record in read_records(name, FRAMED[0], _TIME_MS):
                if not isinstance(record, RejectedEvent):
                    detection.note(record)
    except RequestRefusedError as error:
        errors.print(f"engage: {error}", markup=False)
        return 2
    except InputError as error:
        errors.print(f"engage: {error}", markup=False)
    ranked = detection.ranked()
    if format == "json":
        sys.stdout.write(json.dumps(_document(detection, ranked)) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(detection, ranked, files)))
    sys.stdout.flush()
    return 0 if ranked or detection.own_events else 1


def _document(detection: Detection, ranked: list[Candidate]) -> dict[str, Any]:
    return {
        "records": detection.records,
        "own_events": detection.own_events,
        "preset": ranked[0].preset if ranked else None,
        "candidates": [
            {
                "preset": one.preset, "records": one.records, "events": one.events,
                "ignored": dict(one.ignored), "refused": one.refused,
                "warnings": list(_warnings(one)),
            }
            for one in ranked
        ],
    }  # fmt: skip


def _lines(detection: Detection, ranked: list[Candidate], files: list[str]) -> Iterator[str]:
    total = f"{detection.records:,}"
    if detection.own_events:
        yield f"{detection.own_events:,} of {total} records are engagement-stream's own events: no preset"
    for one in ranked:
        ignored = sum(one.ignored.values())
        yield (
            f"{one.preset}  {one.records:,} of {total} records: {one.events:,} events, "
            f"{ignored:,} ignored, {one.refused:,} refused"
        )
        for why, count in one.ignored.most_common(_KINDS_SHOWN):
            yield f"  ignored  {count:,}: {printable(why)}"
        if one.detail:
            yield f"  refused  {one.detail}"
        for text in _warnings(one):
            yield f"  warning  {text}"
    if ranked:
        yield f"next: engage map --preset {ranked[0].preset} {shown_name(files[0])}"
    elif not detection.own_events:
        yield f"no preset recognizes these {total} records; there are {', '.join(presets())}"
        if detection.detail:
            yield f"the first one is no event: {detection.detail}"
        yield "Write rules of your own: schemas/README.md, Your events"


def _warnings(found: Candidate) -> Iterator[str]:
    preset = presets()[found.preset]
    if preset.needs:
        yield f"the preset needs {preset.needs}"
    if not preset.tried:
        yield "the preset was not tried on the vendor's samples"
    if found.without_key:
        yield (
            f"{found.without_key:,} of {found.records:,} records have no key; a topic must be keyed by "
            "the person"
        )
    if found.repeated_ids:
        yield (
            f"{found.repeated_ids:,} of {found.records:,} records repeat an event id: they would be "
            "duplicates"
        )
    crowd = [user for user, visitors in found.visitors_of.items() if len(visitors) > _VISITORS_MAX]
    if crowd:
        yield (
            f"{len(crowd):,} user ids have over {_VISITORS_MAX} visitors each: a shared or placeholder "
            'id? See ids.placeholders, or identity = "visitor"'
        )
