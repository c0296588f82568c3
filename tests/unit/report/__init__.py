"""Unit tests of stream/report."""
