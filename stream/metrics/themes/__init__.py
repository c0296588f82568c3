"""The metrics, one theme a file."""
