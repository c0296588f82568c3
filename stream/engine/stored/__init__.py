"""The stored form of a shard. This folder is not compiled: mypyc drops options of msgspec structs."""
