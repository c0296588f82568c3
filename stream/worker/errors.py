"""The errors that a worker expects from Redis and Kafka."""

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from stream.store.shards import CheckpointRefusedError

#: Redis or Kafka does not answer, or answers with an error: try again.
UNREACHABLE = (RedisError, KafkaError, OSError, TimeoutError)
#: After these, a shard in memory may differ from what is stored: start over from the last checkpoint.
SHARD_IN_DOUBT = (*UNREACHABLE, CheckpointRefusedError)
