"""The partition of a record's key, as the default partitioner of producers chooses it."""

_KNOWN_MAX = 100_000


class KeyPartitions:
    """Partitions of keys; the last keys are remembered, since hashing one takes 50 µs in Python."""

    def __init__(self) -> None:
        # Not before it is needed: importing the Kafka client takes longer than a small report.
        from aiokafka.partitioner import murmur2

        self._hash = murmur2
        self._known: dict[bytes, int] = {}

    def of(self, key: bytes, partitions: int) -> int:
        """Return the partition of a key among `partitions`."""
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            found = self._known[key] = self._hash(key) & 0x7FFFFFFF
        return found % partitions
