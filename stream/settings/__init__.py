"""Settings: one frozen struct for each table of engage.toml, without logic."""
