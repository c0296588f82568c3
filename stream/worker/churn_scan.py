"""Goes over the people of a shard whenever a look at their risk is due, some at a turn."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiokafka.errors import KafkaError

from stream.churn.assess import Message, assess, messages, people_in
from stream.engine.shard import Shard
from stream.store.shards import Store

_log = logging.getLogger(__name__)
#: People of one call, and calls of a turn: a turn takes some tens of milliseconds.
_AT_ONCE, _CALLS = 500, 4
Tell = Callable[[Iterable[Message]], Awaitable[object]]


async def assess_some(
    store: Store, shard: Shard, tell: Tell | None, is_wanted: Callable[[], bool]
) -> bool:
    """Look at some more people, if a look is due; whether there are more to look at.

    Raises the errors of Redis as they are. What Kafka does not take is sent again at the next turn.
    """
    risk = shard.churn_risk
    assessment = None if risk is None else risk.begin()
    if risk is None or assessment is None:
        return False
    published_before = assessment.day <= risk.published_day
    for _ in range(_CALLS):
        cursor, found = await store.scan_people(shard.partition, assessment.cursor, _AT_ONCE)
        if not is_wanted():
            return False
        assessed = list(
            assess(assessment, people_in(found), shard.registry, shard.rules.calendar_of)
        )
        if tell is not None and assessed and not published_before:
            try:
                await tell(messages(assessment, risk.rules, assessed))
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning(
                    "shard %d: the risks of its people are not sent, trying again: %s",
                    shard.partition, error,
                )  # fmt: skip
                return False
            if not is_wanted():
                return False
        assessment.cursor = cursor
        if not cursor:
            risk.finish(shard.counters, shard.registry)
            return True
    return True
