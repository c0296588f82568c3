"""Log-scale histograms: the bucket of a duration, its bounds, and the measure that counts it."""

#: Buckets of the duration histogram grow by 2^(1/8): a quantile is off by 4.5 % at most.
BUCKETS_PER_DOUBLING = 8


def duration_bucket(duration_ms: int) -> int:
    """Number of the log-scale histogram bucket of a duration: 0 for none, else 1 + floor(8 log2 ms)."""
    if duration_ms <= 0:
        return 0
    # Integers keep the edges exact: floor(8 log2 d) is the bit length of d^8, less one.
    return int((duration_ms**BUCKETS_PER_DOUBLING).bit_length())


def duration_bucket_bounds_seconds(bucket: int) -> tuple[float, float]:
    """Lower and upper edge of a histogram bucket in seconds."""
    if bucket <= 0:
        return 0.0, 0.0
    edge = 1.0 / BUCKETS_PER_DOUBLING
    return 2.0 ** ((bucket - 1) * edge) / 1000, 2.0 ** (bucket * edge) / 1000


def histogram_measure(name: str, bucket: int) -> str:
    """The measure that counts one bucket of a histogram."""
    return f"{name}#{bucket}"


def histogram_part(measure: str) -> tuple[str, int] | None:
    """(histogram, bucket) of a measure; None when it is no part of a histogram."""
    name, mark, bucket = measure.partition("#")
    return (name, int(bucket)) if mark else None
