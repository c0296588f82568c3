"""Unit tests of stream/counters."""
