"""Unit tests, by the folder they test."""
