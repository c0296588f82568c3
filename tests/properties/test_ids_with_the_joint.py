"""Sites, people and sessions stay apart, whatever their ids hold: also the character that joins keys."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.settings.application import PageSettings, SessionSettings, Settings
from tests.properties.checking import check
from tests.properties.engine import Action, LogRecord
from tests.properties.inputs.traffic import MINUTE_MS, schedules

BASE_MS = 1_709_553_600_000
#: Every two of them joined with U+001F can be read in more than one way.
_TEXTS = ["a", "b", "\x1f", "a\x1f", "\x1fa", "a\x1fb", "\x1f\x1f", "1", "\x1f1\x1f"]
_KINDS: list[dict[str, Any]] = [
    {"type": "page_view", "page_url": "/p"},
    {"type": "click", "content_id": "c"},
    {"type": "heartbeat", "page_url": "/p", "engaged_ms": 1000},
]
texts = st.sampled_from(_TEXTS)
events = st.fixed_dictionaries(
    {"kind": st.sampled_from(_KINDS), "site": texts, "visitor_id": texts},
    optional={
        "user_id": texts,
        "session_id": texts,
        "page_view_id": texts | st.builds(lambda n: f"\x1fe{n}", st.integers(0, 13)),
        "campaign": texts,
    },
)


def log_of(drawn: Sequence[dict[str, Any]]) -> list[LogRecord]:
    """Return a log of one event every four minutes."""
    log = []
    for number, fields in enumerate(drawn):
        time_ms = BASE_MS + number * 4 * MINUTE_MS
        kind = fields["kind"]
        left_out = {"kind", "campaign"} | ({"page_view_id"} if kind["type"] == "click" else set())
        named = {name: value for name, value in fields.items() if name not in left_out}
        event = {"event_id": f"e{number}", "event_time": time_ms, **kind, **named}
        if "campaign" in fields:
            event["context"] = {"campaign": fields["campaign"]}
        log.append(LogRecord(number, time_ms, msgspec.json.encode(event)))
    return log


@settings(max_examples=25)
@given(
    st.lists(events, max_size=14),
    st.sampled_from(["user", "visitor"]),
    st.sampled_from(["visitor", "site"]),
    st.booleans(),
    st.sampled_from(["page_views", "page_view_ids"]),
    schedules,
)
def test_ids_that_hold_the_joint_join_nobody(
    drawn: list[dict[str, Any]], identity: Any, id_scope: Any, by_campaign: bool, count: Any,
    schedule: list[Action],
) -> None:  # fmt: skip
    session = SessionSettings(id_scope=id_scope, split_on_campaign_change=by_campaign)
    config = Settings(
        identity=identity,
        session=session,
        pages=PageSettings(count=count),
        dimensions=("campaign",),
    )
    check([{"t": log_of(drawn)}], config, schedule, people_cached=2)


def test_an_open_session_with_such_an_id_is_read_back_after_a_crash() -> None:
    drawn = [{"kind": _KINDS[0], "site": "a", "visitor_id": "v", "session_id": "\x1fs"}] * 3
    schedule: list[Action] = [("read", 0, 2), ("checkpoint", 0, 0), ("crash", 0, 0)]
    [worker] = check([{"t": log_of(drawn)}], Settings(), schedule)
    assert worker.crashes == 1
