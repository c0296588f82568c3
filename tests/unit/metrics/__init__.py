"""Unit tests of stream/metrics."""
