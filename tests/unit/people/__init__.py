"""Unit tests of stream/people."""
