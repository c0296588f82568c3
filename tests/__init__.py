"""Tests: every promise of the project, checked."""
