"""Caps: each stands where the table says, has a test, and is on the page; longer texts are refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agents.limits_page import FILE
from schemas import envelope
from schemas.codec import Reason, RejectedEvent, parse
from stream.configure.caps import CAPS, Cap
from stream.settings.application import Settings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("cap", CAPS, ids=lambda cap: cap.name)
def test_a_cap_has_a_number_and_a_test(cap: Cap) -> None:
    value = cap.value(Settings())
    assert isinstance(value, int)
    assert value > 0
    file, _, function = cap.test.partition("::")
    assert re.search(rf"^(async )?def {function}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert f"| `{cap.name}` | {value:,} |" in FILE.read_text("utf-8")


FIELDS = {
    "Site": ("site", {}),
    "PersonId": ("user_id", {}),
    "SessionId": ("session_id", {}),
    "Id": ("event_id", {}),
    "Name": ("name", {"type": "goal"}),
}


@pytest.mark.parametrize("name", FIELDS)
def test_longer_texts_are_refused(name: str) -> None:
    [cap] = [cap for cap in CAPS if cap.bound == (envelope, name)]
    field, fields = FIELDS[name]
    longest: Any = cap.value(Settings())
    event = {
        "type": "page_view", "event_id": "e", "event_time": 1_740_787_200_000, "visitor_id": "v",
        "page_url": "/", **fields,
    }  # fmt: skip
    parse(json.dumps({**event, field: "x" * longest}).encode())
    with pytest.raises(RejectedEvent) as refused:
        parse(json.dumps({**event, field: "x" * (longest + 1)}).encode())
    assert refused.value.reason == Reason.WRONG_FIELD
