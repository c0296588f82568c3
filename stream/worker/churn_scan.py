"""Assesses the churn risk of a shard's people, some people each round."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiokafka.errors import KafkaError

from stream.churn.assess import Message, assess, messages, people_in
from stream.engine.shard import Shard
from stream.store.shards import Store

_log = logging.getLogger(__name__)
#: People per call of Redis, and calls per round: a round takes some tens of milliseconds.
_AT_ONCE, _CALLS = 500, 4
#: Sends the risks of single people to Kafka.
SendRisks = Callable[[Iterable[Message]], Awaitable[object]]


async def assess_some(
    store: Store, shard: Shard, send: SendRisks | None, is_wanted: Callable[[], bool]
) -> bool:
    """Assess some more people if an assessment is due; return whether to go on.

    `is_wanted` returns False once the shard is given up. Records that Kafka does not take are sent
    again next round. Raises the errors of Redis.
    """
    risk = shard.churn_risk
    assessment = None if risk is None else risk.begin()
    if risk is None or assessment is None:
        return False
    is_published = assessment.day <= risk.published_day
    for _ in range(_CALLS):
        cursor, found = await store.scan_people(shard.partition, assessment.cursor, _AT_ONCE)
        if not is_wanted():
            return False
        assessed = list(
            assess(assessment, people_in(found), shard.registry, shard.rules.calendar_of)
        )
        if send is not None and assessed and not is_published:
            records = messages(assessment, risk.rules, assessed)
            if not await _is_sent(shard.partition, send, records) or not is_wanted():
                return False
        assessment.cursor = cursor
        if not cursor:
            risk.finish(shard.counters, shard.registry)
            return True
    return True


async def _is_sent(partition: int, send: SendRisks, records: Iterable[Message]) -> bool:
    try:
        await send(records)
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning(
            "shard %d: churn risks are not sent, trying again; check Kafka and churn_risk.topic: %s",
            partition, error,
        )  # fmt: skip
        return False
    return True
