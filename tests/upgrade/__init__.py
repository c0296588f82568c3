"""State stored by an older commit, and the worker that takes it over."""
