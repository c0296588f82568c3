"""Counters become numbers: windows, records and the snapshot."""
