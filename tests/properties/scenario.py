"""Fixed scenarios of sessions, replayed by the engine with a patch: its mutants must differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stream.settings.application import Settings
from tests.properties.checking import DAY_KINDS, wrong_numbers
from tests.properties.engine import Action, LogRecord, run
from tests.properties.inputs.traffic import MINUTE_MS

BASE_MS = 1_709_553_600_000
_METRICS = ("sessions", "bounce_rate", "session_duration", "pages_per_session")


def session_differences(
    scenario: Sequence[tuple[int, int, Mapping[str, Any]]],
    schedule: Sequence[Action],
    people_cached: int,
) -> list[str]:
    """Return the differences from the oracle. `scenario`: (minute, arrival in minutes, fields)."""
    log = []
    for number, (minute, arrival, fields) in enumerate(scenario):
        event = {"type": "page_view", "page_url": "/a", "visitor_id": "v"} | dict(fields)
        event |= {"event_id": f"e{number}", "event_time": BASE_MS + minute * MINUTE_MS}
        arrived_ms = BASE_MS + arrival * MINUTE_MS
        log.append(LogRecord(number, arrived_ms, msgspec.json.encode(event)))
    try:
        workers = run([{"t": log}], Settings(), schedule, people_cached=people_cached)
    except AssertionError as error:
        return [f"the number of open sessions: {error!r}"]
    return wrong_numbers(workers, [{"t": log}], Settings(), ("hour", *DAY_KINDS), _METRICS)
