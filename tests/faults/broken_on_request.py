"""Broken worker: slow while the file `slow` exists in TEST_FAULTS, forgetful while `forgetful` does.

Run as `python -m tests.faults.broken_on_request worker`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from faust.types import TP

from stream.kafka.transport import Consumer
from stream.worker.stored_shards import StoredShards

FORGOTTEN = 3
_PAUSE_SECONDS = 1.0
_getmany = Consumer.getmany
_outcomes = StoredShards.outcomes.fget


def _is_wanted(fault: str) -> bool:
    return (Path(os.environ["TEST_FAULTS"]) / fault).exists()


async def _slow(self: Consumer, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
    """Pause before each batch that has records."""
    async for tp, message in _getmany(self, timeout):
        if _is_wanted("slow"):
            await asyncio.sleep(_PAUSE_SECONDS)
        yield tp, message


def _forgetful(self: StoredShards) -> dict[str, int]:
    """Forget the outcome of some records."""
    assert _outcomes is not None
    found = dict(_outcomes(self))
    if _is_wanted("forgetful"):
        found[max(found, key=lambda outcome: found[outcome])] -= FORGOTTEN
    return found


def main() -> None:
    """Run the command line of the broken worker."""
    from agents.cli.main import main as engage

    Consumer.getmany = _slow  # type: ignore[method-assign]
    StoredShards.outcomes = property(_forgetful)  # type: ignore[assignment]
    engage()


if __name__ == "__main__":
    main()
