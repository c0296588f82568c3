"""What can be set: one frozen struct a table of engage.toml, without logic."""
