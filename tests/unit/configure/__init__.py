"""Unit tests of stream/configure."""
