"""Unit tests of stream/store."""
