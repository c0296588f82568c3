"""Unit tests of stream/engine."""
