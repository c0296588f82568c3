"""Presets: mappings of products, one TOML file each, with its vendor, its sources and its date."""
