"""Log-scale histograms: a duration's bucket, the bucket's bounds, and the measure that counts it."""

#: Buckets of the duration histogram grow by 2^(1/8): a quantile is off by 4.5 % at most.
BUCKETS_PER_DOUBLING = 8


def duration_bucket(duration_ms: int) -> int:
    """Return the number of a duration's bucket: 0 for no duration, else 1 + floor(8 log2 ms)."""
    if duration_ms <= 0:
        return 0
    # Integers keep the edges exact: floor(8 log2 d) + 1 is the bit length of d^8.
    return int((duration_ms**BUCKETS_PER_DOUBLING).bit_length())


def duration_bucket_bounds_seconds(bucket: int) -> tuple[float, float]:
    """Return the lower and upper edge of a bucket, in seconds."""
    if bucket <= 0:
        return 0.0, 0.0
    edge = 1.0 / BUCKETS_PER_DOUBLING
    return 2.0 ** ((bucket - 1) * edge) / 1000, 2.0 ** (bucket * edge) / 1000


def histogram_measure(name: str, bucket: int) -> str:
    """Return the name of the measure that counts one bucket of a histogram."""
    return f"{name}#{bucket}"


def histogram_part(measure: str) -> tuple[str, int] | None:
    """Split a measure into (histogram, bucket); None for a measure that counts no bucket."""
    name, mark, bucket = measure.partition("#")
    return (name, int(bucket)) if mark else None
