"""The catalogue: what a metric is, the terms of its formula, and every metric by theme."""
