"""A file and variables become checked settings, and settings become rules."""
