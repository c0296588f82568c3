"""Broken worker: each batch with a record of the key `lost` is dropped once on its way.

Run as `python -m tests.faults.broken_lost_batch worker`.
"""

from collections.abc import AsyncIterator
from typing import Any

from faust.types import TP

from stream.kafka.transport import Consumer
from stream.worker.watch import topics as topic_watches

KEY = b"lost"
_getmany = Consumer.getmany
_lost: set[TP] = set()


async def _losing(self: Consumer, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
    async for tp, message in _getmany(self, timeout):
        if tp not in _lost and any(record.key == KEY for record in message.value.records):
            _lost.add(tp)
            print(f"lost {tp.topic} {tp.partition}", flush=True)
        else:
            yield tp, message


def main() -> None:
    """Run the command line of the broken worker."""
    from agents.cli.main import main as engage

    Consumer.getmany = _losing  # type: ignore[method-assign]
    topic_watches.STALLED_SECONDS = 3.0
    engage()


if __name__ == "__main__":
    main()
