"""The process of a worker, as all its shards share it."""
