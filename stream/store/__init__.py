"""Redis: the authority for the state of every shard and for what is published."""
