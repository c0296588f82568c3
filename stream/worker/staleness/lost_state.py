"""Notices that Redis has lost checkpoints: less must not replace the numbers that were published."""

import logging

from faust.types import TP

from stream.engine.shard import Shard
from stream.store.shards import Claim, Store
from stream.worker.assigned_shard import AssignedShard
from stream.worker.log import Log
from stream.worker.status import OwnerCounts

_log = logging.getLogger(__name__)


class LostState:
    """Compares a loaded shard with what is known of it from before.

    This worker remembers how far its own checkpoints reached. Of a shard that it never had, only the
    offsets committed to Kafka tell that it was counted: they follow the checkpoints.
    """

    def __init__(self, store: Store, log: Log, counts: OwnerCounts) -> None:
        self._store = store
        self._log = log
        self._counts = counts
        #: Incarnations of states whose loss is counted.
        self._noted: set[str] = set()

    async def note(self, assigned: AssignedShard, claim: Claim, shard: Shard) -> None:
        """Count and log a loss, and give the shard the goal to read its log to where it was.

        Raises KafkaError.
        """
        generation, known = assigned.reached
        if generation != self._store.generation:
            known = {}
        if claim.is_new and not known:
            tps = {TP(topic, shard.partition) for topic in shard.topics}
            known = {tp.topic: offset for tp, offset in (await self._log.committed(tps)).items()}
        behind = 0
        for topic, offset in known.items():
            state = shard.topics.get(topic)
            if state is not None and offset > state.next:
                behind += offset - state.next
                if not claim.is_new:
                    state.goal = max(state.goal, offset)
        assigned.reached = (
            self._store.generation,
            {t: max(s.next, known.get(t, 0)) for t, s in shard.topics.items()},
        )
        if not behind:
            return
        shard.is_recount = True
        if not claim.is_new:
            self._log_loss(shard.partition, behind, is_whole=False)
        elif claim.is_created and claim.incarnation not in self._noted:
            # Once: until its first checkpoint a shard may be claimed again, also by other workers.
            self._noted.add(claim.incarnation)
            self._counts.state_lost += 1
            self._log_loss(shard.partition, behind, is_whole=True)

    def _log_loss(self, partition: int, behind: int, *, is_whole: bool) -> None:
        extra = {"shard": partition}
        if is_whole:
            _log.error(
                "shard %d: its state is gone from Redis; its log is counted again, %d records that "
                "were counted before. If Redis was emptied by mistake, restore its backup",
                partition, behind, extra=extra,
            )  # fmt: skip
        else:
            _log.warning(
                "shard %d: Redis holds an older checkpoint; %d records are counted again",
                partition, behind, extra=extra,
            )  # fmt: skip
