"""Unit tests of stream/kafka."""
