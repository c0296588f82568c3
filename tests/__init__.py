"""The tests: every promise of the project, checked."""
