"""The commands about events of other products: which mapping, and what it makes of records."""
