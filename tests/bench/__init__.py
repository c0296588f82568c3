"""Benchmark: our CPU cost an event and the peers', from one run on one broker, as ratios."""
