"""Unit tests of stream/sessions."""
