"""A build whose partitions wait for no others: `python -m tests.intake.broken_not_aligned intake`."""

from typing import Any

from agents.__main__ import main
from stream.rekey import alignment


def _no_limit(self: Any, place: Any, now_ms: int) -> int:
    return alignment.NO_LIMIT


alignment.Alignment.limit = _no_limit  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
