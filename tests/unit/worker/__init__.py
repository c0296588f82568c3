"""Unit tests of stream/worker."""
