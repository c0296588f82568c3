"""Counts of columns by bucket, added up over the shards and kept while their buckets do not change."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from stream.counters.table import BucketKey
from stream.publish.merged_counts import Rows
from stream.publish.query import Column

#: Bytes of one kept count: an entry of a dictionary, its number, and its share of the row.
COUNT_BYTES = 200
#: Bytes of a column without any count.
_COLUMN_BYTES = 300


class ColumnCache:
    """Columns by bucket, the longest unused ones dropped first. Bounded by an estimate of its bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[BucketKey, dict[Column, Rows]] = OrderedDict()
        self._sizes: dict[BucketKey, int] = {}
        self.bytes = 0

    def missing(self, bucket: BucketKey, columns: Iterable[Column]) -> frozenset[Column]:
        """Return the columns of a bucket that are not kept."""
        kept = self._kept.get(bucket, {})
        return frozenset(column for column in columns if column not in kept)

    def put(self, bucket: BucketKey, columns: Mapping[Column, Rows]) -> None:
        """Keep columns of a bucket."""
        self._kept.setdefault(bucket, {}).update(columns)
        counts = sum(len(row) for rows in columns.values() for row in rows.values())
        size = COUNT_BYTES * counts + _COLUMN_BYTES * len(columns)
        self._sizes[bucket] = self._sizes.get(bucket, 0) + size
        self.bytes += size

    def rows(self, bucket: BucketKey, columns: Iterable[Column]) -> Rows:
        """Return the counts of kept columns as one table, by segment and measure."""
        kept = self._kept[bucket]
        self._kept.move_to_end(bucket)
        rows: Rows = {}
        for column in columns:
            for segment, counts in kept[column].items():
                row = rows.get(segment)
                if row is None:
                    rows[segment] = dict(counts)
                else:
                    row.update(counts)
        return rows

    def drop(self, buckets: Iterable[BucketKey]) -> None:
        """Drop buckets that have changed."""
        for bucket in buckets:
            if self._kept.pop(bucket, None) is not None:
                self.bytes -= self._sizes.pop(bucket)

    def trim(self) -> None:
        """Drop the longest unused buckets until the rest fits."""
        while self.bytes > self._bytes_max and self._kept:
            self.drop([next(iter(self._kept))])

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._sizes.clear()
        self.bytes = 0
