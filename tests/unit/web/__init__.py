"""Unit tests of stream/web."""
