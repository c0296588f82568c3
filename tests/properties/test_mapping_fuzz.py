"""Broken records never make a mapping fail: events, reasons to ignore and refusals alone come out."""

import random
import re

import pytest

from schemas.mapping.compile import Ignored, Mapped
from schemas.mapping.preset import mapping_of_preset, presets
from schemas.mapping.record import Record
from schemas.mapping.source import Source
from schemas.rejection import RejectedEvent
from tests.unit.schemas.mapping.invented import INVENTED

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_ODD = (
    b"null", b"1e400", b"-0", b'"\\ud800"', b'{"a":[]}', b"[]", b'""', b"1" * 400, b"true", b"1e22",
    b'"9999-12-31T23:59:59.9999999+23:59"', b'"0001-01-01 00:00:00"', b'"http://[::1"', b'"AAAA"',
    b"9223372036854775808",
)  # fmt: skip
_RECORDS = [one.raw for records in INVENTED.values() for one in records if one.raw]
_SOURCES = [Source(mapping_of_preset(one)) for one in presets().values() if one.written.rules]
_ROUNDS = 400


def broken(raw: bytes, chance: random.Random) -> bytes:
    """Return a record with another value in some places, or other bytes."""
    for _ in range(chance.randint(1, 4)):
        tokens = list(_TOKEN.finditer(raw))
        if tokens and chance.random() < 0.6:
            token = chance.choice(tokens)
            raw = raw[: token.start()] + chance.choice(_ODD) + raw[token.end() :]
        elif raw:
            place = chance.randrange(len(raw))
            raw = raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :]
    return raw


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_record_gives_outcomes_and_no_exception(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(_ROUNDS):
        record = Record(
            value=broken(chance.choice(_RECORDS), chance),
            key=chance.choice((None, b"\xff", b'{"id":1}')),
            timestamp=chance.choice((None, -(10**30), 1_741_943_066_535)),
            headers=chance.choice(({}, {"ce_id": b"\xff", "ce_type": b"x"})),
        )
        for source in _SOURCES:
            for outcome in source.checked(record):
                assert isinstance(outcome, Mapped | Ignored | RejectedEvent)
