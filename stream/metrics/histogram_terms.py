"""Terms that read histograms: quantiles, and the highest tenth of people."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.outputs import WindowKind
from stream.counters.histogram import duration_bucket_bounds_seconds, histogram_measure
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, Span
from stream.metrics.terms import Need, Reader

#: Highest number of a histogram bucket: 2^(400/8) ms is far beyond any session.
_BUCKETS = 400


@dataclass(frozen=True, slots=True)
class Quantile:
    """Quantile `q` in seconds of a histogram, interpolated by rank inside its bucket.

    It is off by at most 9 % of the value, the width of a bucket. An empty histogram gives 0: see `Has`.
    """

    histogram: str
    q: float

    def read(self, reader: Reader, span: Span) -> float:
        counts = reader.histogram(self.histogram, span.grain, span.first, span.last)
        rank = self.q * sum(counts.values())
        for bucket, count in sorted(counts.items()):
            if count and rank <= count:
                low, high = duration_bucket_bounds_seconds(bucket)
                return low + (high - low) * rank / count
            rank -= count
        return 0.0

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        for bucket in range(_BUCKETS):
            yield histogram_measure(self.histogram, bucket), GRAIN_OF[kind]


@dataclass(frozen=True, slots=True)
class TopTenth:
    """Number of people in the highest tenth of a histogram that is a level.

    It takes whole buckets, so that it may be more than a tenth.
    """

    histogram: str

    def read(self, reader: Reader, span: Span) -> float:
        counts = reader.level_histogram(self.histogram, span.last)
        wanted, found = -(-sum(counts.values()) // 10), 0
        for _, count in sorted(counts.items(), reverse=True):
            if found >= wanted:
                break
            found += count
        return found

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        for bucket in range(_BUCKETS):
            yield histogram_measure(self.histogram, bucket), Grain.DAY
