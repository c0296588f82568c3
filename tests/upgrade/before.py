"""Read the fixture of `write_state.py`, and put its state into Redis."""

import json
import lzma
from pathlib import Path
from typing import Any

import redis

HERE = Path(__file__).parent
COMMIT = "6131ed2"

#: Key → a text, {field: value} of a hash, or [[member, score], …] of a sorted set; bytes as Latin-1.
Dump = dict[str, Any]


def read_before() -> dict[str, Any]:
    """Read the fixture."""
    found: dict[str, Any] = json.loads(
        lzma.decompress((HERE / f"state_{COMMIT}.json.xz").read_bytes())
    )
    return found


def put(url: str, dump: Dump) -> None:
    """Replace the content of the database."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
        for key, value in dump.items():
            name = _bytes(key)
            if isinstance(value, str):
                client.set(name, _bytes(value))
            elif isinstance(value, list):
                client.zadd(name, {_bytes(member): score for member, score in value})
            else:
                client.hset(name, mapping={_bytes(f): _bytes(v) for f, v in value.items()})


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Return a line for each place where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for name in sorted({*expected, *found})
            for line in differences(expected.get(name), found.get(name), f"{path}/{name}")
        ]
    return [] if expected == found else [f"{path}: {expected!r} was held, {found!r} is found"]


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
