"""Additive counters by time bucket and segment."""
