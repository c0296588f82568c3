"""State of one process of the intake: what it counts, and what is wrong."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.rekey.counts import SourceCounts


@dataclass(slots=True)
class Status:
    """Counts and problems; every part of the process writes its own."""

    #: Name of the source → counts of committed records.
    sources: dict[str, SourceCounts] = field(default_factory=dict)
    transactions: int = 0
    transaction_seconds: float = 0.0
    #: Times that another process, or the broker, ended a producer of this one.
    fenced: int = 0
    failures: int = 0
    rebalances: int = 0
    #: Records that Kafka's retention deleted before they were read.
    lost: int = 0
    #: Set for a moment when a partition has moved: others may wait for it.
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set once the heads of all partitions are known since the last rebalance: nothing is read before.
    aligned: asyncio.Event = field(default_factory=asyncio.Event)
    #: Why nothing may be written any more; empty while it may.
    halted: str = ""
    #: Name of a check → what is wrong; empty or missing if nothing is.
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, counts: Mapping[str, SourceCounts]) -> None:
        """Add the counts of a committed transaction."""
        for name, one in counts.items():
            self.sources.setdefault(name, SourceCounts()).add(one)
