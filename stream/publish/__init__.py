"""Publishing turns counters into numbers: due windows, metric records and the snapshot."""
