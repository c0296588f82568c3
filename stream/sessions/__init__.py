"""Sessions: found by id or by gaps, split, merged, closed and counted."""
