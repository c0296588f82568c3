"""Unit tests of stream/publish."""
