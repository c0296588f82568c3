"""Unit tests of stream/history."""
